/** Bytes of hexadecimal text; blanks are only for the eye. */
export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("hex");
}

/** Bytes of ASCII text. */
export function ascii(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** `bytes` in the middle of a larger buffer, with other bytes around: a decoder must not look at those. */
export function surrounded(bytes: Uint8Array): {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
} {
  const around = new Uint8Array(bytes.length + 24).fill(0xff);
  around.set(bytes, 11);
  return { bytes: around, start: 11, end: 11 + bytes.length };
}
