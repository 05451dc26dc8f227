import { invariant } from "@nats-streaming/kernel";
import type { SqlValue } from "./database.ts";

/** An integer column as a number. NULL is 0. @throws InvariantError when it is no safe integer */
export function numberOf(value: SqlValue | undefined): number {
  const number = typeof value === "number" ? value : Number(bigintOf(value));
  invariant(Number.isSafeInteger(number), `an integer column holds ${number}`);
  return number;
}

/** An integer column of up to 64 bits. NULL is 0. */
export function bigintOf(value: SqlValue | undefined): bigint {
  switch (typeof value) {
    case "bigint":
      return value;
    case "number":
    case "string":
    case "boolean":
      return BigInt(value);
    default:
      return 0n;
  }
}

/** A text column; NULL is empty. */
export function textOf(value: SqlValue | undefined): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : "";
}

/** A column of bytes; NULL is empty. */
export function bytesOf(value: SqlValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return typeof value === "string" ? Buffer.from(value, "utf8") : NO_BYTES;
}

const NO_BYTES = new Uint8Array(0);
