import { errorText } from "@nats-streaming/kernel";

/** Why monitoring could not do what it was asked. */
export type MonitoringErrorCode =
  /**
   * The address cannot be listened on, or the certificate cannot be used; `cause` says why.
   * Remedy: Take another port (`-m`), or end who has it; or correct the certificate.
   */
  | "listen_failed"
  /**
   * A parameter of a NATS endpoint is wrong; the text is the body of the 400 answer.
   * Remedy: The text names the parameter and what it may be.
   */
  | "bad_request"
  /**
   * The files of the dashboard cannot be read.
   * Remedy: Install the package again, or build it in a clone with `npm start`; or set `dashboard: false`.
   */
  | "dashboard_missing"
  /**
   * The source could not answer; the text is the body of the 500 answer.
   * Remedy: See the store's or the disk's own error behind it.
   */
  | "source_failed";

/** Monitoring that could not do what it was asked. Matched by `code`. */
export class MonitoringError extends Error {
  override readonly name = "MonitoringError";
  readonly code: MonitoringErrorCode;

  constructor(code: MonitoringErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Runs `read`; what it throws becomes a `source_failed` with `text` and the text of the cause.
 * @throws MonitoringError `source_failed`
 */
export function readSource<T>(text: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw withCause("source_failed", text, cause);
  }
}

/** As {@link readSource}, of an answer that takes a while. @throws (rejects) MonitoringError `source_failed` */
export async function awaitSource<T>(text: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw withCause("source_failed", text, cause);
  }
}

/** An error whose text is `text` and the text of the cause. */
export function withCause(code: MonitoringErrorCode, text: string, cause: unknown): MonitoringError {
  return new MonitoringError(code, `${text}: ${errorText(cause)}`, { cause });
}
