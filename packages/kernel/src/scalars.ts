import { invariant } from "./invariant.ts";

declare const brand: unique symbol;
/** A `T` that cannot be mistaken for another one; it has a single place where it is made. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Place of a message in its channel: 1, 2, 3, …; 0 means "no message". Always a safe integer. */
export type Sequence = Brand<number, "Sequence">;

/** Wall-clock time in nanoseconds since 1970; int64 on the wire, hence a bigint. */
export type TimestampNanos = Brand<bigint, "TimestampNanos">;

/** The only way to make a {@link Sequence}. */
export function sequence(value: number): Sequence {
  invariant(Number.isSafeInteger(value) && value >= 0, `sequence out of range: ${value}`);
  return value as Sequence;
}

/** The only way to make a {@link TimestampNanos}. */
export function timestampNanos(value: bigint): TimestampNanos {
  return BigInt.asIntN(64, value) as TimestampNanos;
}
