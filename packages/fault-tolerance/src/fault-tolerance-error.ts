/** Why a member of a group could not be started. */
export type FaultToleranceErrorCode =
  /** Intervals cannot work together, or the lock probe interval is out of range. Remedy: As the text says. */
  | "bad_timing"
  /**
   * The bus refused the subscription to the group's subject.
   * Remedy: See that NATS can be reached, and that its permissions allow the group's subject.
   */
  | "subscribe_failed";

/** A member could not be started. Matched by `code`; the text is the line that the server's start fails with. */
export class FaultToleranceError extends Error {
  override readonly name = "FaultToleranceError";
  readonly code: FaultToleranceErrorCode;

  constructor(code: FaultToleranceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
