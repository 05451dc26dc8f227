/** Page size when none, or none that makes sense, is asked for. */
export const LIMIT_DEFAULT = 1_024;

/** What a request asks for, as the answer echoes it. bigint, since any 64-bit number is taken. */
export interface Page {
  readonly offset: bigint;
  readonly limit: bigint;
}

/** @see monitoring.md 4 */
export function readPage(query: URLSearchParams): Page {
  const offset = readInteger(query.get("offset"));
  const limit = readInteger(query.get("limit"));
  return { offset: offset < 0n ? 0n : offset, limit: limit <= 0n ? BigInt(LIMIT_DEFAULT) : limit };
}

/** The part of a list of `total` elements that the page covers. */
export function pageRange(page: Page, total: number): { readonly offset: number; readonly limit: number } {
  const offset = Math.min(total, Number(page.offset));
  return { offset, limit: Math.min(total - offset, Number(page.limit)) };
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** Digits beyond which a number is out of the 64-bit range anyway; keeps a hostile query from costing anything. */
const DIGITS_MAX = 19;

/** A decimal number, held to 64 bits; 0 for what is not one. */
function readInteger(text: string | null): bigint {
  const match = /^([+-]?)0*(\d+)$/.exec(text ?? "");
  if (match === null) return 0n;
  const negative = match[1] === "-";
  const digits = match[2] ?? "";
  const size = digits.length > DIGITS_MAX ? INT64_MAX : BigInt(digits);
  if (negative) return -size < INT64_MIN ? INT64_MIN : -size;
  return size > INT64_MAX ? INT64_MAX : size;
}
