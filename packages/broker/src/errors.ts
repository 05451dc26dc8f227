/** Why a broker could not do what it was asked. */
export type BrokerErrorCode =
  /** An option has a value that cannot be worked with; the text names it and the remedy. Remedy: As the text says. */
  | "bad_option"
  /**
   * The listener could not be opened; `cause` is what the machine said.
   * Remedy: See docs/errors.md#the-server-does-not-start.
   */
  | "listen_failed"
  /**
   * The broker was closed, or is listening already.
   * Remedy: A fault of the embedding program: one `listen()` per broker, and none after `close()`.
   */
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
