import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** CPU seconds, user and system, that a process has used so far. Linux. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name may hold blanks and parentheses: what follows the last one is regular.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [userTicks, systemTicks] = [fields[11], fields[12]];
  return (Number(userTicks) + Number(systemTicks)) / ticksPerSecond();
}

export interface Memory {
  /** Resident now. */
  readonly bytes: number;
  /** The most that was ever resident. */
  readonly maxBytes: number;
}

export function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
  return { bytes: kibibytes("VmRSS") * 1024, maxBytes: kibibytes("VmHWM") * 1024 };
}

let ticks: number | undefined;

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "latin1" }));
  return ticks;
}
