import { Buffer } from "node:buffer";

/*
 * A byte string is a JavaScript string with one character (U+0000 to U+00FF) per byte. Client IDs, channel names, inboxes
 * and error texts travel through the server in this form, because the protocol echoes them byte for byte and they need
 * not be UTF-8. For ASCII, which is what one meets, a byte string and the text are the same string.
 */

/** Up to this length a string is put together faster than by a call into native code. */
const LOOP_LENGTH_MAX = 12;

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, at: number, length: number): number;
};

/** The byte string of `bytes[start, end)`. */
export function byteString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start > LOOP_LENGTH_MAX) return latin1Slice.call(bytes, start, end);
  let text = "";
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Writes a byte string, one byte per character; the caller has reserved `text.length` bytes. Returns the end. */
export function writeByteString(target: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length > LOOP_LENGTH_MAX) latin1Write.call(target, text, at, length);
  else for (let i = 0; i < length; i++) target[at + i] = text.charCodeAt(i);
  return at + length;
}

/** The bytes of a byte string, in memory of their own. */
export function byteStringBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeByteString(bytes, 0, text);
  return bytes;
}

/** Text from people or configuration (UTF-8 on the wire) as a byte string. */
export function textToByteString(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant.
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** A byte string as text for people; what is not UTF-8 becomes U+FFFD. Never use the result on the wire. */
export function byteStringToText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant.
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, "latin1").toString("utf8");
}
