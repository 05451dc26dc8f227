import { corrupt } from "../errors.ts";

/** Sequences as SubsPending has them: a JSON array without blanks; no bytes at all for none. @see sql-store.md 7 */
export function encodeSequences(sequences: readonly number[]): Uint8Array {
  return sequences.length === 0 ? NO_BYTES : Buffer.from(`[${sequences.join(",")}]`, "latin1");
}

/** Reads what {@link encodeSequences} and the original write. @throws StoreError `corrupt` */
export function decodeSequences(bytes: Uint8Array): number[] {
  if (bytes.length === 0) return [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  if (text === "null") return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw corrupt(`unable to read a list of sequences: ${text.slice(0, SHOWN_MAX)}`, error);
  }
  // A sequence above 2^53, which no channel ever reaches, comes out of the parser as another number: it is refused as well.
  if (!Array.isArray(parsed) || !parsed.every((one): one is number => Number.isSafeInteger(one) && one >= 0)) {
    throw corrupt(`unable to read a list of sequences: ${text.slice(0, SHOWN_MAX)}`);
  }
  return parsed;
}

const SHOWN_MAX = 100;
const NO_BYTES = new Uint8Array(0);
