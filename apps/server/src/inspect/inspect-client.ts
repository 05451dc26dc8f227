import { errorText } from "@nats-streaming/kernel";
import type { InspectRequest } from "./inspect-flags.ts";

/** Asks a server's monitoring. */
export interface InspectClient {
  /** The JSON behind a path below the server's address. @throws (rejects) InspectError */
  get(path: string): Promise<Fields>;
}

/** A JSON object that has not been looked into yet. */
export type Fields = Readonly<Record<string, unknown>>;

/** Why a command cannot be answered; the text is for whoever gave it. */
export class InspectError extends Error {
  override readonly name = "InspectError";
}

/** Longest wait for an answer. */
const ANSWER_MILLIS = 10_000;

export function inspectClient(
  request: InspectRequest,
  ask: typeof fetch,
  signal: AbortSignal | undefined,
): InspectClient {
  const { server, token, user, password } = request;
  const headers: Record<string, string> = {};
  if (token !== "") headers["Authorization"] = `Bearer ${token}`;
  else if (user !== "") headers["Authorization"] = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

  return {
    async get(path): Promise<Fields> {
      const timeout = AbortSignal.timeout(ANSWER_MILLIS);
      let response: Response;
      let body: string;
      try {
        response = await ask(`${server}/${path}`, {
          headers,
          signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        });
        body = await response.text();
      } catch (error) {
        throw new InspectError(
          `${server} does not answer (${reasonOf(error)}): start the server with -m, or name its address with --server`,
        );
      }
      if (response.status === 401)
        throw new InspectError(`${server} asks for a token or a password: use --token, or --user and --password`);
      if (response.status !== 200)
        throw new InspectError(body.trim() || `${server} answers with status ${response.status}`);
      return parse(body, `${server}/${path}`);
    },
  };
}

function parse(body: string, url: string): Fields {
  try {
    const value: unknown = JSON.parse(body);
    if (isFields(value)) return value;
  } catch {
    // Said below.
  }
  throw new InspectError(`${url} is not answered by a streaming server's monitoring`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Objects of a list; what is none is left out. */
export function listOf(fields: Fields, key: string): readonly Fields[] {
  const value = fields[key];
  return Array.isArray(value) ? value.filter(isFields) : [];
}

/** A text; empty when it is none. */
export function textOf(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === "string" ? value : "";
}

/** A number; 0 when it is none. */
export function numberOf(fields: Fields, key: string): number {
  const value = fields[key];
  return typeof value === "number" ? value : 0;
}

/** The largest number of a list of objects; 0 when there is none. */
export function largestOf(list: readonly Fields[], key: string): number {
  return Math.max(0, ...list.map((fields) => numberOf(fields, key)));
}

/** What fetch hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? cause.message : errorText(error);
}
