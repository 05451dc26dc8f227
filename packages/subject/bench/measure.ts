import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Operations per second, with `rounds` above 1 of the fastest round. The time is the shorter of wall-clock and CPU time:
 * the first counts what other programs of the machine take, the second what the collector's threads do at the side.
 */
export function rate(operations: number, work: () => void, rounds = 1): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    work();
    const wallMillis = performance.now() - start;
    const used = process.cpuUsage(cpu);
    best = Math.min(best, wallMillis, (used.user + used.system) / 1_000);
  }
  return (operations / best) * 1_000;
}

/** Bytes of memory that are still in use after a collection. */
export function memoryBytes(): number {
  if (typeof collect === "function") {
    collect();
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const collect: unknown = collector();

function collector(): unknown {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

/** A rate in operations per second, for people. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M/s`;
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(0)} k/s`;
  return `${perSecond.toFixed(0)} /s`;
}

/** Prints a table in Markdown; the first column is text. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(" | ")} |`;
  console.log(`\n${title}\n`);
  console.log(line(head));
  console.log(line(widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`))));
  for (const row of rows) console.log(line(row));
}
