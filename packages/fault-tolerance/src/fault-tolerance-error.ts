/**
 * - `bad_timing`: intervals that cannot work together, or a lock probe interval out of range
 * - `subscribe_failed`: the bus refused the subscription to the group's subject
 */
export type FaultToleranceErrorCode = "bad_timing" | "subscribe_failed";

/** A member could not be started. Matched by `code`; the text is the line that the server's start fails with. */
export class FaultToleranceError extends Error {
  override readonly name = "FaultToleranceError";
  readonly code: FaultToleranceErrorCode;

  constructor(code: FaultToleranceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
