import { createHash } from "node:crypto";

/** Name of the environment variable with the passphrase. */
export const ENCRYPTION_KEY_VARIABLE = "NATS_STREAMING_ENCRYPTION_KEY";

/** Bytes of every key, for both ciphers. */
const KEY_BYTES = 32;
/** Written over a passphrase that has been used: the letter x. */
const OVERWRITE = 0x78;
const DOT = 0x2e;

/**
 * The passphrase that counts: that of the environment if it is set and not empty, else the configured one.
 * @returns its bytes, which the caller owns; empty when there is none
 * @see encryption.md 2
 */
export function chooseKey(configured: string, environment: Readonly<Record<string, string | undefined>>): Uint8Array {
  const fromEnvironment = environment[ENCRYPTION_KEY_VARIABLE];
  const text = fromEnvironment === undefined || fromEnvironment === "" ? configured : fromEnvironment;
  return new Uint8Array(Buffer.from(text));
}

/** The key from which those of the channels are made. @see encryption.md 3 */
export function masterKey(passphrase: Uint8Array): Uint8Array {
  return createHash("sha256").update(passphrase).digest();
}

/**
 * The key of a channel. The zeros are an accident of the original, and part of the format.
 * @param channel byte string
 * @see encryption.md 3
 */
export function channelKey(master: Uint8Array, channel: string): Uint8Array {
  const name = Buffer.from(channel, "latin1");
  const length = KEY_BYTES + 1 + name.length;
  const bytes = new Uint8Array(2 * length);
  bytes.set(master, length);
  bytes[length + KEY_BYTES] = DOT;
  bytes.set(name, length + KEY_BYTES + 1);
  return createHash("sha256").update(bytes).digest();
}

/** Makes a passphrase unreadable that has been used. */
export function overwriteKey(passphrase: Uint8Array): void {
  passphrase.fill(OVERWRITE);
}
