const DOT = 0x2e;
const STAR = 0x2a;
const FULL = 0x3e;

/** Whether the subject `bytes[start, end)` can be published to: no empty token, and none that is `*` or `>`. */
export function isLiteralRange(bytes: Uint8Array, start: number, end: number): boolean {
  let tokenStart = start;
  for (let at = start; at <= end; at++) {
    if (at < end && bytes[at] !== DOT) continue;
    if (at === tokenStart) return false;
    if (at === tokenStart + 1 && (bytes[tokenStart] === STAR || bytes[tokenStart] === FULL)) return false;
    tokenStart = at + 1;
  }
  return true;
}
