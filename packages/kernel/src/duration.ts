import type { Brand } from "./scalars.ts";

/** A span of time in nanoseconds, as configuration files and the wire have it. */
export type DurationNanos = Brand<bigint, "DurationNanos">;

/** The only way to make a {@link DurationNanos} of a number. */
export function durationNanos(nanos: bigint): DurationNanos {
  return nanos as DurationNanos;
}

/** @param millis with a fraction; rounded to the nanosecond */
export function durationFromMillis(millis: number): DurationNanos {
  return durationNanos(BigInt(Math.round(millis * 1_000_000)));
}

/** Milliseconds with a fraction; exact up to about 104 days, to the microsecond beyond. */
export function durationToMillis(duration: DurationNanos): number {
  return Number(duration) / 1_000_000;
}

/** A duration, or why a text is none. */
export type DurationParse =
  | { readonly kind: "duration"; readonly duration: DurationNanos }
  | { readonly kind: "invalid"; readonly message: string };

const UNIT_NANOS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads a Go duration such as `1h30m`, `1.5s`, `-10ms` or `0`. There is no unit longer than the hour.
 * The messages are those that users of the original know.
 * @see configuration.md 1.5
 */
export function parseDuration(text: string): DurationParse {
  const invalid: DurationParse = { kind: "invalid", message: `time: invalid duration ${quote(text)}` };
  let rest = text;
  let sign = 1n;
  if (rest.startsWith("-") || rest.startsWith("+")) {
    if (rest.startsWith("-")) sign = -1n;
    rest = rest.slice(1);
  }
  if (rest === "0") return { kind: "duration", duration: durationNanos(0n) };
  if (rest === "") return invalid;

  let total = 0n;
  while (rest !== "") {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest);
    const whole = match?.[1] ?? "";
    const fraction = match?.[2] ?? "";
    const unit = match?.[3] ?? "";
    if (whole === "" && fraction === "") return invalid;
    if (unit === "") return { kind: "invalid", message: `time: missing unit in duration ${quote(text)}` };
    const scale = UNIT_NANOS[unit];
    if (scale === undefined) {
      return { kind: "invalid", message: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    }
    total += BigInt(whole === "" ? "0" : whole) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
    if (total > INT64_MAX) return invalid;
    rest = rest.slice(match?.[0].length ?? 0);
  }
  return { kind: "duration", duration: durationNanos(sign * total) };
}

/** Prints a duration as Go does: `0s`, `1.5µs`, `100ms`, `1m50s`, `1h0m0s`. */
export function formatDuration(duration: DurationNanos): string {
  if (duration === 0n) return "0s";
  const sign = duration < 0n ? "-" : "";
  const nanos = duration < 0n ? -duration : duration;
  if (nanos < 1_000n) return `${sign}${nanos}ns`;
  if (nanos < 1_000_000n) return `${sign}${decimal(nanos, 1_000n)}µs`;
  if (nanos < 1_000_000_000n) return `${sign}${decimal(nanos, 1_000_000n)}ms`;
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${decimal(nanos % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return `${sign}${seconds}`;
  const hours = minutes / 60n;
  if (hours === 0n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

/** `value / unit` without trailing zeros. */
function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, "0")
    .replace(/0+$/, "");
  return fraction === "" ? `${value / unit}` : `${value / unit}.${fraction}`;
}

function quote(text: string): string {
  return `"${text}"`;
}
