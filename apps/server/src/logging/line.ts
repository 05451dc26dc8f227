import type { Timestamp } from "@nats-streaming/kernel";

/** The level of a log line, as it stands in it. */
export type Level = "INF" | "WRN" | "ERR" | "FTL" | "DBG" | "TRC";

/** ANSI colours of the three letters, on a terminal only. @see operations.md 1.2 */
const COLOURS: Readonly<Record<Level, string>> = {
  INF: "32",
  DBG: "36",
  WRN: "0;93",
  ERR: "31",
  FTL: "31",
  TRC: "33",
};

export interface LineFormat {
  readonly pid: number;
  /** Local time with microseconds before the level. */
  readonly time: boolean;
  readonly colour: boolean;
}

/** One log line with its line break. @see operations.md 1.2 */
export function formatLine(format: LineFormat, level: Level, text: string, now: Timestamp): string {
  const time = format.time ? `${localTime(now)} ` : "";
  const label = format.colour ? `[\x1b[${COLOURS[level]}m${level}\x1b[0m]` : `[${level}]`;
  return `[${format.pid}] ${time}${label} ${printable(text)}\n`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/** Names that clients choose stand in log lines: none of them may begin a line of its own or steer a terminal. */
export function printable(text: string): string {
  if (text.search(CONTROL) < 0) return text;
  return text.replace(CONTROL, (character) => {
    const code = character.charCodeAt(0);
    if (character === "\n") return "\\n";
    if (character === "\r") return "\\r";
    if (character === "\t") return "\\t";
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

/** `2026/11/22 14:08:49.123456`, local time. */
export function localTime(now: Timestamp): string {
  const date = new Date(now.millis);
  const micros = (now.millis % 1000) * 1000 + Math.floor(now.nanos / 1000);
  return (
    `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(micros).padStart(6, "0")}`
  );
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
