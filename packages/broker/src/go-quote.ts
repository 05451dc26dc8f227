import { isUtf8 } from "node:buffer";

/** The bytes of a key between double quotes, as Go's `%q` prints them: nats-server's errors show subjects this way. */
export function goQuote(key: string): string {
  const bytes = Buffer.from(key, "latin1");
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const [character, length] = characterAt(bytes, at);
    text += character === undefined ? hex(bytes[at]!) : quoted(character);
    at += length;
  }
  return `"${text}"`;
}

/** The UTF-8 character at a place, and its bytes; undefined for a byte that belongs to none. */
function characterAt(bytes: Buffer, at: number): readonly [string | undefined, number] {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const slice = bytes.subarray(at, at + length);
  return isUtf8(slice) ? [slice.toString("utf8"), length] : [undefined, 1];
}

const SHORT: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  '"': '\\"',
  "\\": "\\\\",
};

function quoted(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  if (character === " " || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return hex(code);
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
