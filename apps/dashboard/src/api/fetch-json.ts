/** Longest wait for an answer: a server that takes longer is shown as one that does not answer. */
const ANSWER_MILLIS = 5_000;

/** An answer that is none; the text is the server's where it gave one. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
  /** 0 when there was no answer at all. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks an endpoint, whose path is relative to the page. @throws (rejects) AnswerError */
export async function fetchJson<T>(path: string, signal: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(ANSWER_MILLIS);
  let response: Response;
  try {
    response = await fetch(`./${path}`, {
      signal: AbortSignal.any([signal, timeout]),
      headers: { Accept: "application/json" },
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new AnswerError(0, "The server does not answer");
  }
  // A server that is not ready says so with 503 and the same JSON.
  const isJson = response.headers.get("content-type") === "application/json";
  if (!isJson) throw new AnswerError(response.status, (await response.text()).trim());
  return (await response.json()) as T;
}
