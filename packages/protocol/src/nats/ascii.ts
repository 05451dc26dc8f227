/** Byte values the line protocol is made of. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SPACE = 0x20;
export const ZERO = 0x30;

/** The bytes of a text that is known to be ASCII, or any text as UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf8"));
}

/**
 * The bytes `[start, end)` as text, one character per byte: exact for any bytes, readable for ASCII.
 */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

/** The bytes `[start, end)` decoded as UTF-8; what is not UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

/** How many bytes of a peer's input an error text shows. */
const QUOTED_BYTES_MAX = 128;

/** Bytes of a peer between double quotes, fit for a log line: what is not printable ASCII is escaped, the rest cut off. */
export function quoteBytes(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  const stop = Math.min(end, start + QUOTED_BYTES_MAX);
  for (let i = start; i < stop; i++) text += quoteByte(bytes[i]!);
  return `"${text}"${stop < end ? "..." : ""}`;
}

function quoteByte(byte: number): string {
  switch (byte) {
    case TAB:
      return "\\t";
    case LF:
      return "\\n";
    case CR:
      return "\\r";
    case 0x22:
      return '\\"';
    case 0x5c:
      return "\\\\";
    default:
      if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
      return `\\x${byte.toString(16).padStart(2, "0")}`;
  }
}
