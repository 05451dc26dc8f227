import { ZERO } from "./ascii.ts";

/** Most digits a size may have; more are refused before they are read as a number. */
export const SIZE_DIGITS_MAX = 9;

/**
 * Reads `bytes[start, end)` as a size: 1 to 9 decimal digits, leading zeros allowed.
 * Returns -1 for anything else, a sign included.
 */
export function readSize(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > SIZE_DIGITS_MAX) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** How many decimal digits {@link writeDecimal} writes for a whole number from 0 to 4,294,967,295. */
export function decimalLength(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  let length = 5;
  for (let rest = Math.floor(value / 100_000); rest > 0; rest = Math.floor(rest / 10)) length++;
  return length;
}

/**
 * Writes a whole number from 0 to 4,294,967,295 in decimal at `position`; the caller has made room.
 * Returns the position behind it. No string is built on the way.
 */
export function writeDecimal(bytes: Uint8Array, position: number, value: number): number {
  if (value < 10) {
    bytes[position] = ZERO + value;
    return position + 1;
  }
  const end = position + decimalLength(value);
  let rest = value;
  for (let i = end - 1; i >= position; i--) {
    const next = Math.floor(rest / 10);
    bytes[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return end;
}
