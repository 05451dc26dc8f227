import type { HistogramSnapshot } from "../work-snapshot.ts";

/** A histogram whose times are milliseconds, printed in seconds. @param labels as `labelText` makes them */
export function histogramText(name: string, help: string, labels: string, histogram: HistogramSnapshot): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  let below = 0;
  for (const [i, bound] of histogram.bounds.entries()) {
    below += histogram.counts[i] ?? 0;
    lines.push(`${name}_bucket{${labels},le="${bound / 1_000}"} ${below}`);
  }
  lines.push(`${name}_bucket{${labels},le="+Inf"} ${histogram.count}`);
  lines.push(`${name}_sum{${labels}} ${histogram.sum / 1_000}`, `${name}_count{${labels}} ${histogram.count}`);
  return `${lines.join("\n")}\n`;
}
