/** Whether `bytes[start, end)` is `other`. */
export function rangeEquals(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  if (end - start !== other.length) return false;
  // From the end: names that differ mostly differ in their last bytes.
  for (let i = other.length - 1, at = end - 1; i >= 0; i--, at--) {
    if (bytes[at] !== other[i]) return false;
  }
  return true;
}
