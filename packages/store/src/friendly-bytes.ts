const UNITS = ["KB", "MB", "GB", "TB", "PB", "EB"];

/**
 * A number of bytes as people read it: `1023 B`, `1.00 KB`, `976.56 MB`. The unit is the largest power of 1024 not above
 * the value, so 1,048,575 is `1024.00 KB`.
 * @see store-limits.md 7
 */
export function friendlyBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let scaled = bytes / 1024;
  let unit = 0;
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${scaled.toFixed(2)} ${UNITS[unit]}`;
}
