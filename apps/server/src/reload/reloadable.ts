import { durationToMillis, formatDuration } from "@nats-streaming/kernel";
import type { OptionsDraft } from "../options/draft.ts";
import { natsAuthorization, natsGeneral } from "../options/nats-table.ts";
import { type OptionDefinition, optionText } from "../options/option.ts";
import { streamingSections } from "../options/streaming-table.ts";

/** Something that may be configured otherwise than before: an option, or several that only make sense together. */
export interface Reloadable {
  /** An option's id in the tables, or the name of a group. */
  readonly id: string;
  /** What log lines call it. */
  readonly name: string;
  /** Whether it belongs to the NATS server, whose lines are its own. */
  readonly isNats: boolean;
  /** What log lines say of its value; undefined when they should not. */
  readonly show?: ((draft: OptionsDraft) => string) | undefined;
  /** Two values are the same when these are. */
  readonly key: (draft: OptionsDraft) => string;
  /** Whether it counts as changed although it says the same: files that it names may hold something else. */
  readonly isAlways?: (draft: OptionsDraft) => boolean;
  /** Takes the value over into another draft. */
  readonly take: (to: OptionsDraft, from: OptionsDraft) => void;
}

/** Options whose values are not for logs, or hold what is not. */
const SECRETS: ReadonlySet<string> = new Set([
  ...["nats_server_url", "password", "token", "encryption_key", "sql_options.source"],
]);

/** nats-server's own words, where they differ from the key. */
const NATS_NAMES: ReadonlyMap<string, string> = new Map([
  ["nats.logfile", "log_file"],
  ["nats.authorization.user", "authorization username"],
  ["nats.authorization.password", "authorization password"],
  ["nats.authorization.token", "authorization token"],
]);

const general = fieldsOf((draft) => draft.nats);
const authorization = fieldsOf((draft) => draft.authorization);
const tls = fieldsOf((draft) => draft.natsTls);
const routes = fieldsOf((draft) => draft.routes);

/** Everything that can be configured, options first. */
export const reloadables: readonly Reloadable[] = [
  ...streamingSections.flatMap((section) => section.options).map((option) => ofOption(option, false)),
  group({
    id: "store_limits.channels",
    isNats: false,
    key: (draft) => keyOf([...draft.channels]),
    take: (to, from) => replace(to.channels, from.channels),
  }),
  group({
    id: "delivery.channels",
    isNats: false,
    key: (draft) => keyOf([...draft.deliveryChannels]),
    take: (to, from) => replace(to.deliveryChannels, from.deliveryChannels),
  }),
  ...[...natsGeneral, ...natsAuthorization].map((option) => ofOption(option, true)),
  general("http_host", ["httpHost"], (draft) => draft.nats.httpHost),
  authorization("authorization users", ["users"]),
  authorization("authorization default_permissions", ["defaultPermissions"]),
  authorization("authorization timeout", ["timeout"], (draft) =>
    // In seconds, as it is configured and as nats-server says it.
    String(durationToMillis(draft.authorization.timeout) / 1000),
  ),
  authorization("no_auth_user", ["noAuthUser"], (draft) => draft.authorization.noAuthUser),
  {
    ...tls(
      "tls",
      [
        ...(["enabled", "certFile", "keyFile", "caFile", "verify", "verifyAndMap", "timeout"] as const),
        ...(["cipherSuites", "curves"] as const),
      ],
      (draft) => (draft.natsTls.enabled ? "enabled" : "disabled"),
    ),
    isAlways: (draft) => draft.natsTls.enabled,
  },
  routes("cluster listen", ["listenUrl", "host", "port"]),
  routes("cluster name", ["name"], (draft) => draft.routes.name),
  routes("cluster advertise", ["advertise"], (draft) => draft.routes.advertise),
  routes("cluster routes", ["urls"]),
  routes("cluster authorization", ["user", "password"]),
  routes("cluster timeout", ["timeout"], (draft) => formatDuration(draft.routes.timeout)),
  routes("cluster no_advertise", ["noAdvertise"], (draft) => String(draft.routes.noAdvertise)),
  routes("cluster connect_retries", ["connectRetries"], (draft) => String(draft.routes.connectRetries)),
  {
    ...routes("cluster tls", ["tls"]),
    isAlways: (draft) => draft.routes.tls !== undefined,
  },
];

function ofOption(option: OptionDefinition<OptionsDraft>, isNats: boolean): Reloadable {
  const { id } = option;
  const isSecret = SECRETS.has(id);
  const natsName = NATS_NAMES.get(id);
  const isWordless = natsName?.startsWith("authorization") ?? false;
  const show = isSecret ? (): string => "[REDACTED]" : (draft: OptionsDraft): string => optionText(option, draft);
  return {
    id,
    name: natsName ?? id.replace(/^nats\./, ""),
    isNats,
    show: isWordless ? undefined : show,
    key: (draft) => optionText(option, draft),
    take: (to, from) => assign(option, to, from),
  };
}

/** Each kind by itself: only then do the types of the value agree. */
function assign(option: OptionDefinition<OptionsDraft>, to: OptionsDraft, from: OptionsDraft): void {
  if (option.kind === "string") option.set(to, option.get(from));
  else if (option.kind === "bool") option.set(to, option.get(from));
  else if (option.kind === "duration") option.set(to, option.get(from));
  else if (option.kind === "strings") option.set(to, option.get(from));
  else option.set(to, option.get(from));
}

/** Makes fields of one part of the NATS options reloadable. The id is the name with dots. */
function fieldsOf<Part extends object>(pick: (draft: OptionsDraft) => Part): FieldsOf<Part> {
  return (name, fields, show) => ({
    id: `nats.${name.replace(" ", ".")}`,
    name,
    isNats: true,
    show,
    key: (draft) => keyOf(fields.map((field) => pick(draft)[field])),
    take: (to, from) => {
      for (const field of fields) pick(to)[field] = pick(from)[field];
    },
  });
}

type FieldsOf<Part> = (
  name: string,
  fields: readonly (keyof Part)[],
  show?: (draft: OptionsDraft) => string,
) => Reloadable;

function group(options: Pick<Reloadable, "id" | "isNats" | "key" | "take">): Reloadable {
  return { ...options, name: options.id };
}

function replace<Value>(to: Map<string, Value>, from: ReadonlyMap<string, Value>): void {
  to.clear();
  for (const [name, value] of from) to.set(name, value);
}

function keyOf(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? `${inner}n` : inner));
  return text ?? "";
}
