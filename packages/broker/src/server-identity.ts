import type { Random } from "@nats-streaming/kernel";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LENGTH = 56;

/** An identity that looks like those of nats-server: `N` and 55 characters of base 32. It is no public key. */
export function serverIdentity(random: Random): string {
  const bytes = new Uint8Array(LENGTH - 1);
  random.fill(bytes);
  let text = "N";
  for (const byte of bytes) text += ALPHABET[byte & 31];
  return text;
}
