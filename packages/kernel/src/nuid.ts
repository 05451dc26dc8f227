import type { Random } from "./random.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH = 22;

/**
 * A source of 22-character base-62 identifiers (about 131 random bits), as the NATS world uses for inboxes and server
 * identities.
 */
export function nuidSource(random: Random): () => string {
  const bytes = new Uint8Array(LENGTH * 2);
  return () => {
    let text = "";
    while (text.length < LENGTH) {
      random.fill(bytes);
      for (const byte of bytes) {
        // 248 is the largest multiple of 62 in a byte: what lies above would favour the first letters.
        if (byte < 248 && text.length < LENGTH) text += ALPHABET[byte % 62];
      }
    }
    return text;
  };
}
