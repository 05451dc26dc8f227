const whole = new Intl.NumberFormat("en-US");

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return whole.format(value);
}

/** A rate, with digits where they mean something. */
export function rate(value: number | undefined): string {
  if (value === undefined) return "–";
  if (value >= 100_000) return `${(value / 1_000).toFixed(0)}k`;
  if (value >= 10_000) return `${(value / 1_000).toFixed(1)}k`;
  if (value >= 100 || Number.isInteger(value)) return whole.format(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes with three digits at most. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return "–";
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < UNITS.length - 1) {
    size /= 1_024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)}\u00a0${UNITS[unit]}`;
}

/** Milliseconds as the two largest units: `4 s`, `3 min 20 s`, `2 d 4 h`. */
export function span(millis: number): string {
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  const seconds = Math.floor(millis / 1_000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

/** A limit; 0 is none. */
export function limit(value: number, format: (value: number) => string = count): string {
  return value === 0 ? "unlimited" : format(value);
}

/** Nanoseconds of a limit. */
export function nanos(value: number): string {
  return span(value / 1_000_000);
}

/** The time of day with milliseconds, and the day when it is another one. */
export function moment(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const millis = String(date.getMilliseconds()).padStart(3, "0");
  const isToday = date.toDateString() === new Date().toDateString();
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  return `${isToday ? "" : day}${clock}.${millis}`;
}
