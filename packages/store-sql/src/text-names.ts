/*
 * Names are byte strings (one character per byte) that need not be UTF-8; text columns hold text that is. What is UTF-8 is
 * stored as the text it spells, as the original does. Every other byte, and NUL, which PostgreSQL refuses, becomes one
 * character of the last private plane: U+10FF00 plus the byte. A name that holds such characters itself has their four
 * bytes written that way, so that each text stands for one name.
 */

const ESCAPE_FIRST = 0x10ff00;
const ESCAPE_LAST = 0x10ffff;

// biome-ignore lint/suspicious/noControlCharactersInRegex: printable or not, all of ASCII but NUL stays as it is.
const PLAIN = /^[\x01-\x7f]*$/;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text that stands for a name. @param name byte string */
export function nameToText(name: string): string {
  if (PLAIN.test(name)) return name;
  const bytes = Buffer.from(name, "latin1");
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const character = characterAt(bytes, i);
    if (character === undefined) {
      text += String.fromCodePoint(ESCAPE_FIRST + bytes[i]!);
      i++;
    } else {
      text += character;
      i += Buffer.byteLength(character, "utf8");
    }
  }
  return text;
}

/** The byte string of a name that a text column holds. */
export function textToName(text: string): string {
  if (PLAIN.test(text)) return text;
  let name = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code >= ESCAPE_FIRST && code <= ESCAPE_LAST) name += String.fromCharCode(code - ESCAPE_FIRST);
    else name += Buffer.from(character, "utf8").toString("latin1");
  }
  return name;
}

/** The character that begins at `i`; undefined when there is none, or it has to be written as an escape. */
function characterAt(bytes: Uint8Array, i: number): string | undefined {
  const lead = bytes[i]!;
  if (lead === 0) return undefined;
  if (lead < 0x80) return String.fromCharCode(lead);
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (i + length > bytes.length) return undefined;
  try {
    const character = decoder.decode(bytes.subarray(i, i + length));
    const code = character.codePointAt(0) ?? 0;
    return code >= ESCAPE_FIRST && code <= ESCAPE_LAST ? undefined : character;
  } catch {
    return undefined;
  }
}
