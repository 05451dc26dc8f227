import { draftOf, natsOptionsOf, type OptionsDraft, streamingOptionsOf } from "../options/draft.ts";
import type { RunRequest } from "../options/resolve-options.ts";
import { type ReloadArea, type ReloadRule, reloadRuleOf } from "./reload-rules.ts";
import { type Reloadable, reloadables } from "./reloadable.ts";

/** What a changed configuration means for a server that runs by a former one. */
export interface ReloadPlan {
  /** What can hold without a restart, once what its area needs has been done. */
  readonly applied: readonly AppliedChange[];
  /** What cannot, or changes nothing. One line each, for the log. */
  readonly left: readonly LeftChange[];
  /** What is to be done. */
  readonly areas: ReadonlySet<ReloadArea>;
}

export interface AppliedChange {
  readonly id: string;
  readonly area: ReloadArea;
  /** The line belongs to the NATS server's part of the log. */
  readonly isNats: boolean;
  /** Such as `Reloaded: debug = true`. */
  readonly line: string;
}

export interface LeftChange {
  readonly id: string;
  /** Such as `Reload: port cannot become 4223 without a restart: …`. */
  readonly line: string;
}

/** Said when the embedded NATS server's options change and there is none. @see operations.md 2.2 */
export const ONLY_EMBEDDED = "Reload supported only for embedded NATS Server's configuration";

/**
 * Compares what is in force with what is configured now, option by option: both with flags over files, so that what a flag
 * says stays. Secrets are in none of the lines.
 */
export function planReload(before: RunRequest, after: RunRequest): ReloadPlan {
  const [old, next] = [draftOf(before.streaming, before.nats), draftOf(after.streaming, after.nats)];
  const isEmbedded = before.streaming.natsServerUrl === "";
  const applied: AppliedChange[] = [];
  const left: LeftChange[] = [];
  let isForNobody = false;
  for (const one of reloadables) {
    const isSame = one.key(old) === one.key(next);
    if (isSame && !(isEmbedded && one.isAlways?.(next) === true)) continue;
    const rule = ruleOf(one, old, next, isEmbedded);
    if (rule.kind === "applies") applied.push({ ...one, area: rule.area, line: reloadedLine(one, next, rule.remark) });
    else if (rule.reason === ONLY_EMBEDDED) isForNobody = true;
    else left.push({ id: one.id, line: leftLine(one, next, rule) });
  }
  if (isForNobody) left.push({ id: "", line: ONLY_EMBEDDED });
  return { applied, left, areas: new Set(applied.map(({ area }) => area)) };
}

/**
 * What is in force once a plan has been carried out: `after` as far as it applies, the rest as before.
 * @param failed areas in which it could not be carried out
 */
export function inForce(
  before: RunRequest,
  after: RunRequest,
  plan: ReloadPlan,
  failed: ReadonlySet<ReloadArea>,
): RunRequest {
  const result = draftOf(before.streaming, before.nats);
  const next = draftOf(after.streaming, after.nats);
  const taken = new Set(plan.applied.filter(({ area }) => !failed.has(area)).map(({ id }) => id));
  for (const one of reloadables) if (taken.has(one.id)) one.take(result, next);
  return { ...before, streaming: streamingOptionsOf(result), nats: natsOptionsOf(result) };
}

/** Whether a changed option would hold: its own rule, and what this server is. */
function ruleOf(one: Reloadable, old: OptionsDraft, next: OptionsDraft, isEmbedded: boolean): ReloadRule {
  const rule = reloadRuleOf(one.id) ?? NO_RULE;
  if (!isEmbedded && LOGINS.includes(one.id)) return LOGIN;
  if (!isEmbedded && (rule.kind === "applies" ? rule.area === "broker" : EMBEDDED_ONLY.test(one.id))) return NOBODY;
  const isOfRoutes = one.id.startsWith("nats.cluster.");
  if (rule.kind !== "applies" || !isOfRoutes) return rule;
  if (!hasRoutes(old) || !hasRoutes(next)) return ROUTES;
  const isTlsSwitched = (old.routes.tls === undefined) !== (next.routes.tls === undefined);
  return one.id === "nats.cluster.tls" && isTlsSwitched ? ROUTE_TLS : rule;
}

/** With an external NATS server, the NATS login is the streaming server's own. @see configuration.md 7 */
const LOGINS: readonly string[] = [
  ...["nats.authorization.user", "nats.authorization.password", "nats.authorization.token"],
];
const EMBEDDED_ONLY = /^nats\.(host|port|server_name|cluster\..*)$/;

const NO_RULE: ReloadRule = { kind: "needs_restart", reason: "it is taken at the start" };
const LOGIN: ReloadRule = { kind: "needs_restart", reason: "connections to NATS are made at the start" };
const NOBODY: ReloadRule = { kind: "no_effect", reason: ONLY_EMBEDDED };
const ROUTES: ReloadRule = { kind: "needs_restart", reason: "routes are switched on and off at the start" };
const ROUTE_TLS: ReloadRule = {
  kind: "needs_restart",
  reason: "routes are encrypted or not as long as the server runs",
};

function hasRoutes({ routes }: OptionsDraft): boolean {
  return routes.port !== 0 || routes.listenUrl !== "";
}

function reloadedLine({ name, show }: Reloadable, next: OptionsDraft, remark: string): string {
  const value = show === undefined ? "" : ` = ${show(next)}`;
  return `Reloaded: ${name}${value}${remark === "" ? "" : ` (${remark})`}`;
}

function leftLine(
  { name, show }: Reloadable,
  next: OptionsDraft,
  rule: Exclude<ReloadRule, { kind: "applies" }>,
): string {
  if (rule.kind === "no_effect") return `Reload: ${name} has no effect: ${rule.reason}`;
  const value = show === undefined ? "change" : `become ${quoted(show(next))}`;
  return `Reload: ${name} cannot ${value} without a restart: ${rule.reason}`;
}

function quoted(text: string): string {
  return text === "" || /\s/.test(text) ? JSON.stringify(text) : text;
}
