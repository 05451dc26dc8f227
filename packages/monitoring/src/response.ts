/** Answers one path. `query` is decoded. A rejection becomes a 500. */
export type MonitoringRoute = (
  query: URLSearchParams,
  asker: Asker,
) => MonitoringResponse | Promise<MonitoringResponse>;

/** Who asks. */
export interface Asker {
  /** Has shown the token or the password; false when monitoring is not guarded. */
  readonly isTrusted: boolean;
  /** Asks from this very machine, and calls it by its address or `localhost`. */
  readonly isLocal: boolean;
}

/** What a route answers. */
export interface MonitoringResponse {
  readonly status: number;
  /** Absent: the answer has no such header. */
  readonly contentType?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body whole, or in pieces of which the first decides whether the status stands: until then it may still fail. */
  readonly body: string | Uint8Array | AsyncGenerator<string | Uint8Array, void, void>;
}

/** Longest callback name that is taken; what libraries generate has some 30 characters. */
const CALLBACK_LENGTH_MAX = 256;

/**
 * A JSON answer, wrapped in a call when the query asks for it (JSONP).
 *
 * A callback must look like a function (`name`, `a.b`, `a[0]`): with any text the answer would be a script of the
 * attacker's choice under this server's address.
 * @see monitoring.md 1
 */
export function jsonResponse(
  query: URLSearchParams,
  json: string | AsyncGenerator<string, void, void>,
): MonitoringResponse {
  const callback = query.get("callback") ?? "";
  if (callback === "") return { status: 200, contentType: "application/json", body: json };
  if (callback.length > CALLBACK_LENGTH_MAX || !/^[\w$]+(\.[\w$]+|\[\w+\])*$/.test(callback)) {
    if (typeof json !== "string") void json.return();
    return textResponse(400, "Invalid callback: use the name of a function, such as callback=show or callback=a.b");
  }
  const body = typeof json === "string" ? `${callback}(${json})` : wrap(callback, json);
  return { status: 200, contentType: "application/javascript", body };
}

/** A line of plain text, as errors are told. */
export function textResponse(status: number, line: string): MonitoringResponse {
  return { status, contentType: "text/plain; charset=utf-8", body: `${line}\n` };
}

/** One piece stays back until the next is there, so that a body of one piece remains one. */
async function* wrap(callback: string, json: AsyncGenerator<string, void, void>): AsyncGenerator<string, void, void> {
  let held: string | undefined;
  for await (const piece of json) {
    if (held !== undefined) yield held;
    held = held === undefined ? `${callback}(${piece}` : piece;
  }
  yield `${held ?? `${callback}(`})`;
}
