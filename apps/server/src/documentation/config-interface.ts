import { newDraft, type OptionsDraft } from "../options/draft.ts";
import { natsAuthorization, natsGeneral } from "../options/nats-table.ts";
import { type OptionDefinition, optionText } from "../options/option.ts";
import {
  channelLimitOptions,
  deliverySection,
  fileSection,
  generalSection,
  limitsSection,
  monitoringSection,
  type OptionSection,
  redeliveryOptions,
  sqlSection,
  streamingSections,
  tlsSection,
} from "../options/streaming-table.ts";

const TYPES: Readonly<Record<string, string>> = {
  string: "string",
  bool: "boolean",
  int: "number",
  size: "number | string",
  duration: "string",
  strings: "readonly string[]",
};

/**
 * Source of server-config.ts: the options of an embedded server as a type, under the names that configuration files have.
 * @returns TypeScript
 */
export function configInterface(): string {
  return `${[
    "// Made from the option tables by `pnpm run docs`; a test holds it to them.",
    block("ServerConfig", "What an embedded server can be told, under the names that configuration files use.", [
      ...members([...generalSection.options, ...natsGeneral.filter(isNotStreaming)]),
      ...nested([
        ["tls", "TlsClientConfig"],
        ["store_limits", "StoreLimitsConfig"],
        ["delivery", "DeliveryConfig"],
        ["monitoring", "MonitoringConfig"],
        ["file_options", "FileOptionsConfig"],
        ["sql_options", "SqlOptionsConfig"],
        ["authorization", "AuthorizationConfig"],
      ]),
    ]),
    section("TlsClientConfig", "TLS towards an external NATS server.", tlsSection),
    block("StoreLimitsConfig", "Limits, and the list of channels.", [
      ...members(limitsSection.options),
      "/** Limits of single channels and patterns; with partitioning also the list of what is served. */",
      "readonly channels?: Readonly<Record<string, ChannelLimitsConfig>>;",
    ]),
    block("ChannelLimitsConfig", "Limits of a channel; what is left out is inherited.", members(channelLimitOptions)),
    block("DeliveryConfig", "What this server adds to delivery.", [
      ...members(deliverySection.options),
      "/** Rules of single channels and patterns. */",
      "readonly channels?: Readonly<Record<string, RedeliveryConfig>>;",
    ]),
    block("RedeliveryConfig", "When redelivering ends.", members(redeliveryOptions)),
    section("MonitoringConfig", "What this server adds to monitoring.", monitoringSection),
    section("FileOptionsConfig", "The file store.", fileSection),
    section("SqlOptionsConfig", "The SQL store.", sqlSection),
    block("AuthorizationConfig", "Who may connect to the embedded NATS server.", [
      ...members(natsAuthorization),
      "/** Seconds that a connection may take to log in. */",
      "readonly timeout?: number;",
      "readonly users?: readonly UserConfig[];",
      "readonly default_permissions?: PermissionsConfig;",
    ]),
    block("UserConfig", "A user, known by name and password or by its key.", [
      "readonly user?: string;",
      "/** Clear text or bcrypt. */",
      "readonly password?: string;",
      "readonly nkey?: string;",
      "readonly permissions?: PermissionsConfig;",
    ]),
    block("PermissionsConfig", "Subjects that a user may use.", [
      "readonly publish?: SubjectsConfig;",
      "readonly subscribe?: SubjectsConfig;",
      "readonly allow_responses?: boolean;",
    ]),
    "/** Subjects that are allowed, or what is allowed and denied. */\nexport type SubjectsConfig =\n  | string\n  | readonly string[]\n  | { readonly allow?: string | readonly string[]; readonly deny?: string | readonly string[] };",
  ].join("\n\n")}\n`;
}

/** What both halves of the configuration know by one name is the streaming part's, as in a single file. */
function isNotStreaming(option: OptionDefinition<OptionsDraft>): boolean {
  const streaming = new Set(generalSection.options.flatMap((one) => one.keys));
  return option.keys.length > 0 && !streaming.has(option.keys[0] ?? "");
}

function section(name: string, text: string, { options }: OptionSection): string {
  return block(name, text, members(options));
}

function block(name: string, text: string, lines: readonly string[]): string {
  return `/** ${text} */\nexport interface ${name} {\n${lines.map((line) => `  ${line}`).join("\n")}\n}`;
}

function members<Target>(options: readonly OptionDefinition<Target>[]): string[] {
  return options.flatMap((option) => {
    const [key] = option.keys;
    if (key === undefined) return [];
    return [`/** ${option.description}.${defaultOf(option.id)} */`, `readonly ${key}?: ${TYPES[option.kind]};`];
  });
}

function nested(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.map(([key, type]) => `readonly ${key}?: ${type};`);
}

const defaults: ReadonlyMap<string, string> = new Map(
  [...streamingSections.flatMap(({ options }) => options), ...natsGeneral, ...natsAuthorization].map((option) => [
    option.id,
    optionText(option, newDraft()),
  ]),
);

function defaultOf(id: string): string {
  const text = defaults.get(id) ?? "";
  return text === "" ? "" : ` Default: ${text}.`;
}
