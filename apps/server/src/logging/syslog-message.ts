import { type Level, printable } from "./line.ts";

/** Severities of the levels. @see operations.md 1.2 */
const SEVERITY: Readonly<Record<Level, number>> = { FTL: 2, ERR: 3, WRN: 4, INF: 5, TRC: 5, DBG: 7 };

const FACILITY_KERNEL = 0;
const FACILITY_DAEMON = 3;

export interface SyslogSender {
  /** Program name. */
  readonly tag: string;
  readonly pid: number;
  readonly host: string;
}

/** A message for the syslog daemon of this machine: facility daemon, no host. */
export function localSyslogMessage({ tag, pid }: SyslogSender, level: Level, text: string, millis: number): string {
  const date = new Date(millis);
  const month = MONTHS[date.getMonth()];
  const day = String(date.getDate()).padStart(2, " ");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `<${priority(FACILITY_DAEMON, level)}>${month} ${day} ${time.join(":")} ${tag}[${pid}]: ${printable(text)}\n`;
}

/** A message for the syslog server of another machine. */
export function remoteSyslogMessage(sender: SyslogSender, level: Level, text: string, millis: number): string {
  const time = `${new Date(millis).toISOString().slice(0, 19)}Z`;
  const { tag, pid, host } = sender;
  return `<${priority(FACILITY_KERNEL, level)}>${time} ${host} ${tag}[${pid}]: ${printable(text)}\n`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function priority(facility: number, level: Level): number {
  return facility * 8 + SEVERITY[level];
}
