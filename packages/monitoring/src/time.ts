import type { TimestampNanos } from "@nats-streaming/kernel";

/**
 * RFC 3339 with up to nine digits of fraction, trailing zeros dropped: `2026-11-22T13:57:50.6332Z`.
 * @param offsetMinutes minutes east of UTC in which to show it; of this host at that moment when absent
 * @see monitoring.md 1
 */
export function formatTime(time: TimestampNanos, offsetMinutes?: number): string {
  const nanosOfSecond = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const second = Number((time - nanosOfSecond) / 1_000_000_000n) * 1_000;
  const offset = offsetMinutes ?? -new Date(second).getTimezoneOffset();
  const calendar = new Date(second + offset * 60_000).toISOString().slice(0, -".000Z".length);
  const fraction = nanosOfSecond === 0n ? "" : `.${String(nanosOfSecond).padStart(9, "0").replace(/0+$/, "")}`;
  return `${calendar}${fraction}${formatOffset(offset)}`;
}

/**
 * Whole seconds as `1y2d3h4m5s`, beginning with the largest unit that is not zero; a year has 365 days.
 * @see monitoring.md 2
 */
export function formatUptime(millis: number): string {
  const total = Math.max(0, Math.floor(millis / 1_000));
  const units: readonly (readonly [number, string])[] = [
    [Math.floor(total / 31_536_000), "y"],
    [Math.floor(total / 86_400) % 365, "d"],
    [Math.floor(total / 3_600) % 24, "h"],
    [Math.floor(total / 60) % 60, "m"],
    [total % 60, "s"],
  ];
  const first = units.findIndex(([count, unit]) => count > 0 || unit === "s");
  return units
    .slice(first)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}

function formatOffset(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
