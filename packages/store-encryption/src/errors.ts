/** Why encryption cannot be set up. */
export type EncryptionErrorCode =
  /** The cipher is neither AES nor CHACHA. Remedy: Write one of the two in `encryption_cipher`. */
  | "cipher_not_supported"
  /**
   * Encryption is on and there is no key.
   * Remedy: Set `NATS_STREAMING_ENCRYPTION_KEY`, or `encryption_key` in the file.
   */
  | "key_required";

const TEXTS: Readonly<Record<EncryptionErrorCode, string>> = {
  cipher_not_supported: "encryption cipher not supported",
  key_required: "encryption key required",
};

/** Encryption that cannot be set up. Matched by `code`; the texts are those of the original. @see encryption.md 2 */
export class EncryptionError extends Error {
  override readonly name = "EncryptionError";
  readonly code: EncryptionErrorCode;

  constructor(code: EncryptionErrorCode, options?: ErrorOptions) {
    super(TEXTS[code], options);
    this.code = code;
  }
}
