/*
 * Subjects are bytes on the wire and mostly, but not always, ASCII or UTF-8. Inside the broker a subject is a *key*: a string
 * with one character per byte, which is exact for any bytes, equal to the text for ASCII, and what maps and trees need.
 * Users of a local bus give and get subjects in this very form.
 */

/** Whether a string can be a key: one character per byte. */
export function isKey(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) return false;
  }
  return true;
}

/** The text of a key: what is not UTF-8 becomes U+FFFD. */
export function textOfKey(key: string): string {
  return isAscii(key) ? key : Buffer.from(key, "latin1").toString("utf8");
}

/** The bytes that a key stands for. */
export function bytesOfKey(key: string): Uint8Array {
  const bytes = new Uint8Array(key.length);
  for (let i = 0; i < key.length; i++) bytes[i] = key.charCodeAt(i);
  return bytes;
}

/** The key of the bytes `[start, end)`. */
export function keyOfBytes(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}
