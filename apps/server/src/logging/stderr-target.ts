import { formatLine, type LineFormat } from "./line.ts";
import type { LogTarget } from "./target.ts";

/** Standard error; standard output stays empty. */
export function stderrTarget(format: LineFormat): LogTarget {
  return {
    write: (level, text, now) => {
      process.stderr.write(formatLine(format, level, text, now));
    },
    reopen: () => false,
    close: async () => {},
  };
}
