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

/** Decodes a byte string (one character per byte) as far as it is UTF-8; the second part is a byte that is not. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A name for log lines and printed lists: the text that its bytes spell in UTF-8, or the name as it is when they spell
 * none.
 */
export function displayName(name: string): string {
  if (isAscii(name) || !isByteString(name)) return name;
  try {
    return decoder.decode(Buffer.from(name, "latin1"));
  } catch {
    return name;
  }
}

/**
 * A name in double quotes, with backslash escapes for what cannot be printed, as log lines and error texts have it:
 * `"foo"`, `"a\tb"`, `"\xff"`.
 * @see store-limits.md 2
 */
export function quoteName(name: string): string {
  if (isAscii(name)) return `"${escapeText(name)}"`;
  if (!isByteString(name)) return `"${escapeText(name)}"`;
  const bytes = Buffer.from(name, "latin1");
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = runeLength(bytes, i);
    if (length === 0) {
      text += `\\x${hex(bytes[i]!, 2)}`;
      i++;
    } else {
      text += escapeText(bytes.toString("utf8", i, i + length));
      i += length;
    }
  }
  return `"${text}"`;
}

/** Bytes of the UTF-8 character at `i`; 0 when there is none. */
function runeLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!;
  if (lead < 0x80) return 1;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (i + length > bytes.length) return 0;
  try {
    decoder.decode(bytes.subarray(i, i + length));
    return length;
  } catch {
    return 0;
  }
}

function escapeText(text: string): string {
  let out = "";
  for (const character of text) {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) {
      out += short;
    } else if (PRINTABLE.test(character)) {
      out += character;
    } else {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0x80) out += `\\x${hex(code, 2)}`;
      else out += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
    }
  }
  return out;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function isByteString(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}
