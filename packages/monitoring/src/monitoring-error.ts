export type MonitoringErrorCode =
  /** The address cannot be listened on, or the certificate cannot be used; `cause` says why. */
  | "listen_failed"
  /** A parameter of a NATS endpoint is wrong; the text is the body of the 400 answer. */
  | "bad_request"
  /** The files of the dashboard cannot be read. */
  | "dashboard_missing"
  /** The source could not answer; the text is the body of the 500 answer. */
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
    throw new MonitoringError("source_failed", `${text}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
