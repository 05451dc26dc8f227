import type { Clock, Logger, Timestamp } from "@nats-streaming/kernel";
import { formatLine, type Level, type LineFormat } from "./line.ts";
import type { LogTarget } from "./target.ts";

/** Which of the finer levels are written. */
export interface Verbosity {
  readonly debug: boolean;
  readonly trace: boolean;
}

/**
 * A logger of one part of the server over the common target.
 * @param prefix `STREAM: ` for the streaming part, empty for the embedded NATS server. @see operations.md 1.2
 */
export function createLogger(options: {
  readonly target: LogTarget;
  readonly format: LineFormat;
  readonly clock: Clock;
  readonly prefix: string;
  readonly verbosity: Verbosity;
}): Logger {
  const { target, format, clock, prefix, verbosity } = options;
  const now: Timestamp = { millis: 0, nanos: 0 };
  const at = (level: Level) => (text: string) => {
    clock.read(now);
    target.write(formatLine(format, level, prefix + text, now));
  };
  const ignore = (): void => {};
  return {
    debugEnabled: verbosity.debug,
    traceEnabled: verbosity.trace,
    info: at("INF"),
    warn: at("WRN"),
    error: at("ERR"),
    fatal: at("FTL"),
    debug: verbosity.debug ? at("DBG") : ignore,
    trace: verbosity.trace ? at("TRC") : ignore,
  };
}
