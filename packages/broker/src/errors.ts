export type BrokerErrorCode =
  /** An option has a value that cannot be worked with; the text names it and the remedy. */
  | "bad_option"
  /** The listener could not be opened; `cause` is what the machine said. */
  | "listen_failed"
  /** The broker was closed, or is listening already. */
  | "bad_state";

/** A broker that could not do what it was asked. Matched by `code`; the text is for people. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
