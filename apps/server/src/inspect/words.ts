/**
 * A text as a terminal may show it: control characters, which could move the cursor or colour what follows, are written
 * out.
 */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const whole = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return whole.format(value);
}

/** Per second. */
export function rate(value: number): string {
  if (value >= 100 || value === 0) return whole.format(Math.round(value));
  return value.toFixed(value >= 10 ? 1 : 2);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < UNITS.length - 1) {
    size /= 1_024;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** Milliseconds by their largest unit, with a digit where it matters: `850ms`, `12s`, `3.5m`, `2.1h`, `4d`. */
export function span(millis: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1_000, "s"],
  ];
  for (const [size, unit] of units) {
    if (millis < size) continue;
    const amount = millis / size;
    return `${amount >= 10 || unit === "s" ? Math.floor(amount) : amount.toFixed(1)}${unit}`;
  }
  return `${Math.round(millis)}ms`;
}
