import { byteStringBytes, textToByteString } from "../wire/byte-string.ts";

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Counts bytes that begin no valid sequence; `ignoreBOM` because a mark is content here. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A byte string in double quotes, as the original prints names in its texts: printable characters as they are, the rest
 * as `\n`, `\x00`, `\u200b` or `\U000e0001`, bytes that are not UTF-8 as `\xff`.
 * @returns a byte string
 * @see protocol.md 9.2
 */
export function quoteByteString(text: string): string {
  const bytes = byteStringBytes(text);
  let quoted = "";
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    const character = length === 0 ? undefined : decodeCharacter(bytes.subarray(at, at + length));
    if (character === undefined) {
      quoted += `\\x${hex(bytes[at]!, 2)}`;
      at += 1;
    } else {
      quoted += quoteCharacter(character);
      at += length;
    }
  }
  return `"${textToByteString(quoted)}"`;
}

/** Length of the sequence that the byte at `at` announces; 0 when it announces none or the text ends before. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return at + length <= bytes.length ? length : 0;
}

function decodeCharacter(sequence: Uint8Array): string | undefined {
  try {
    return decoder.decode(sequence);
  } catch {
    return undefined;
  }
}

function quoteCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0)!;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code < 0x1_0000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
