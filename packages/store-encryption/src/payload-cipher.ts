/*
 * An encrypted payload:
 *
 *   +------+-------------------------------------+---------------------+----------+
 *   | code | nonce: 4 random bytes, 8 of counter | ciphertext          | tag      |
 *   |    1 |                                  12 | as the plaintext    |       16 |
 *   +------+-------------------------------------+---------------------+----------+
 *
 * The code is 1 for AES-256-GCM and 2 for ChaCha20-Poly1305; there is no associated data.
 */
import {
  type CipherChaCha20Poly1305,
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherChaCha20Poly1305,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
import type { Random } from "@nats-streaming/kernel";
import type { CipherName } from "./cipher-name.ts";

/** What encryption adds to a payload. */
export const ENCRYPTION_BYTES = 29;
export const NONCE_BYTES = 12;

const NONCE_RANDOM_BYTES = 4;
const TAG_BYTES = 16;
/** Code and nonce. */
const HEAD_BYTES = 1 + NONCE_BYTES;
const CODE_AES = 1;
const CODE_CHACHA = 2;

/** Why a payload could not be decrypted. */
export type DecryptionFailure = -1 | -2 | -3;
const TOO_SHORT = -1;
const AES_FAILED = -2;
const CHACHA_FAILED = -3;

const TAG_OPTIONS = { authTagLength: TAG_BYTES } as const;

/** Encrypts and decrypts under one key. */
export interface PayloadCipher {
  /**
   * Encrypts `source[start, end)` into `target[at, …)`, where {@link ENCRYPTION_BYTES} more than it has are reserved.
   * @returns the position behind it
   */
  encrypt(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number;

  /**
   * Decrypts `source[start, end)`, which {@link isEncrypted}, with the cipher it was encrypted with.
   * @returns the plaintext, which the caller owns; or why there is none
   */
  decrypt(source: Uint8Array, start: number, end: number): Uint8Array | DecryptionFailure;
}

/** Whether a stored payload is to be decrypted: any other is taken for what it is. @see encryption.md 5 */
export function isEncrypted(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && (bytes[start] === CODE_AES || bytes[start] === CODE_CHACHA);
}

/** What went wrong, in the words of the original. @param length of the stored payload */
export function decryptionText(failure: DecryptionFailure, length: number): string {
  switch (failure) {
    case TOO_SHORT:
      return `trying to decrypt data that is not (len=${length})`;
    case AES_FAILED:
      return "cipher: message authentication failed";
    case CHACHA_FAILED:
      return "chacha20poly1305: message authentication failed";
  }
}

export interface PayloadCipherOptions {
  /** For encrypting; both are decrypted. */
  readonly cipher: CipherName;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** For the first part of the nonce. */
  readonly random: Random;
  /** The last sequence that was used under this key, 0 for none: the counter goes on behind it. */
  readonly lastSequence: number;
}

/** @see encryption.md 4 */
export function createPayloadCipher({ cipher, key, random, lastSequence }: PayloadCipherOptions): PayloadCipher {
  const secret = createSecretKey(key);
  const nonce = firstNonce(random, lastSequence);
  const code = cipher === "AES" ? CODE_AES : CODE_CHACHA;
  return {
    encrypt: (source, start, end, target, at) => {
      target[at] = code;
      target.set(nonce, at + 1);
      const transform = createCipher(code, secret, nonce);
      const text = transform.update(source.subarray(start, end));
      transform.final();
      target.set(text, at + HEAD_BYTES);
      target.set(transform.getAuthTag(), at + HEAD_BYTES + text.length);
      increment(nonce);
      return at + ENCRYPTION_BYTES + text.length;
    },
    decrypt: (source, start, end) => {
      const failed = source[start] === CODE_AES ? AES_FAILED : CHACHA_FAILED;
      if (end - start <= HEAD_BYTES) return TOO_SHORT;
      if (end - start < ENCRYPTION_BYTES) return failed;
      const transform = createDecipher(source[start]!, secret, source.subarray(start + 1, start + HEAD_BYTES));
      transform.setAuthTag(source.subarray(end - TAG_BYTES, end));
      const text = transform.update(source.subarray(start + HEAD_BYTES, end - TAG_BYTES));
      try {
        transform.final();
      } catch {
        return failed;
      }
      return text;
    },
  };
}

/** Four random bytes and the next sequence, big-endian. */
function firstNonce(random: Random, lastSequence: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  random.fill(nonce.subarray(0, NONCE_RANDOM_BYTES));
  new DataView(nonce.buffer).setBigUint64(NONCE_RANDOM_BYTES, BigInt(lastSequence) + 1n);
  return nonce;
}

/** As one big-endian number. */
function increment(nonce: Uint8Array): void {
  for (let i = NONCE_BYTES - 1; i >= 0; i--) {
    nonce[i] = (nonce[i]! + 1) & 0xff;
    if (nonce[i] !== 0) return;
  }
}

function createCipher(code: number, key: KeyObject, nonce: Uint8Array): CipherGCM | CipherChaCha20Poly1305 {
  return code === CODE_AES
    ? createCipheriv("aes-256-gcm", key, nonce, TAG_OPTIONS)
    : createCipheriv("chacha20-poly1305", key, nonce, TAG_OPTIONS);
}

function createDecipher(code: number, key: KeyObject, nonce: Uint8Array): DecipherGCM | DecipherChaCha20Poly1305 {
  return code === CODE_AES
    ? createDecipheriv("aes-256-gcm", key, nonce, TAG_OPTIONS)
    : createDecipheriv("chacha20-poly1305", key, nonce, TAG_OPTIONS);
}
