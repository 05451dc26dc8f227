import { MonitoringError } from "../monitoring-error.ts";

/** A parameter of a NATS endpoint that is wrong; the text is the NATS server's, and goes out with status 400. */
export function badRequest(text: string): MonitoringError {
  return new MonitoringError("bad_request", text);
}

/** @throws MonitoringError `bad_request` */
export function intParameter(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? "";
  if (text === "") return 0;
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  const reason = /^[+-]?\d+$/.test(text) ? "value out of range" : "invalid syntax";
  throw badRequest(`Error decoding int for '${name}': strconv.Atoi: parsing ${JSON.stringify(text)}: ${reason}`);
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** @throws MonitoringError `bad_request` */
export function boolParameter(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? "";
  if (text === "" || FALSE.has(text)) return false;
  if (TRUE.has(text)) return true;
  throw badRequest(
    `Error decoding boolean for '${name}': strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** There is one account, by the name that a NATS server gives it. */
export const ACCOUNT = "$G";

/** Whether `acc` leaves anything to be shown. */
export function isOwnAccount(query: URLSearchParams): boolean {
  return ["", ACCOUNT].includes(query.get("acc") ?? "");
}

/** Elements of a page when nothing is said. */
const LIMIT_DEFAULT = 1_024;

export interface NatsPage {
  readonly offset: number;
  readonly limit: number;
}

/** @throws MonitoringError `bad_request` */
export function pageParameters(query: URLSearchParams): NatsPage {
  const offset = intParameter(query, "offset");
  const limit = intParameter(query, "limit");
  return { offset: Math.max(0, offset), limit: limit <= 0 ? LIMIT_DEFAULT : limit };
}
