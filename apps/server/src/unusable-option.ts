/** An option that by itself was well written, and cannot be used: a file that is not there, an address that is none. */
export class UnusableOptionError extends Error {
  override readonly name = "UnusableOptionError";
  /** What to do about it, one sentence. */
  readonly remedy: string;

  constructor(message: string, remedy: string, options?: ErrorOptions) {
    super(message, options);
    this.remedy = remedy;
  }
}
