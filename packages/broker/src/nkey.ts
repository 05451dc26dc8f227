import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** First byte of a user's public key, which makes the text begin with `U`. */
const USER_PREFIX = 20 << 3;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** What stands before the 32 bytes of an Ed25519 public key in DER. */
const DER_HEAD: Uint8Array = new Uint8Array([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);

/** The key that a user's public nkey (`U` and 55 characters) stands for, or undefined when it is none. */
export function userKey(nkey: string): KeyObject | undefined {
  const bytes = fromBase32(nkey);
  if (nkey.length !== 56 || bytes === undefined || bytes[0] !== USER_PREFIX) return undefined;
  if (crc16(bytes.subarray(0, 33)) !== (bytes[33]! | (bytes[34]! << 8))) return undefined;
  const key = Buffer.concat([DER_HEAD, bytes.subarray(1, 33)]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

/** Whether `signature`, in base 64 of either alphabet, is the key holder's of `nonce`. */
export function isSigned(nonce: string, signature: string, key: KeyObject): boolean {
  const bytes = Buffer.from(signature, "base64url");
  return bytes.length === 64 && verify(null, Buffer.from(nonce), key, bytes);
}

function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let value = 0;
  let at = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return undefined;
    value = (value << 5) | digit;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (value >>> bits) & 0xff;
    value &= (1 << bits) - 1;
  }
  return bytes;
}

/** CRC-16 of the XMODEM kind, as nkeys end with. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
