const DOT = 0x2e;
const SLASH = 0x2f;
const STAR = 0x2a;
const GREATER = 0x3e;

/**
 * Whether `bytes[start, end)` is the name of a channel that can be published and subscribed to. Byte by byte: everything
 * that is not forbidden is allowed, bytes that are no UTF-8 included, and there is no limit of length.
 * @see protocol.md 9.2
 */
export function isChannelNameRange(bytes: Uint8Array, start: number, end: number): boolean {
  // As if a dot stood before the name: a dot at its beginning is then a second one, and an empty name ends in a dot.
  let afterDot = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === DOT) {
      if (afterDot) return false;
      afterDot = true;
    } else {
      if (byte === SLASH || byte === STAR || byte === GREATER) return false;
      afterDot = false;
    }
  }
  return !afterDot;
}
