import type { Clock, Logger, Timestamp } from "@nats-streaming/kernel";
import type { Level } from "./line.ts";
import type { LogTarget } from "./target.ts";

/** Which of the finer levels are written. */
export interface Verbosity {
  readonly debug: boolean;
  readonly trace: boolean;
}

/** A logger of one part of the server. What it writes to, and how much, may change while it is in use. */
export interface ServerLogger extends Logger {
  setVerbosity(verbosity: Verbosity): void;
}

/** What both loggers of a server write to; a reload may put another target in its place. */
export interface LogSink {
  target: LogTarget;
}

/**
 * A logger over the common sink.
 * @param prefix `STREAM: ` for the streaming part, empty for the embedded NATS server. @see operations.md 1.2
 */
export function createLogger(options: {
  readonly sink: LogSink;
  readonly clock: Clock;
  readonly prefix: string;
  readonly verbosity: Verbosity;
}): ServerLogger {
  return new PrefixLogger(options);
}

class PrefixLogger implements ServerLogger {
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #prefix: string;
  readonly #now: Timestamp = { millis: 0, nanos: 0 };
  #verbosity: Verbosity;

  constructor(options: Parameters<typeof createLogger>[0]) {
    this.#sink = options.sink;
    this.#clock = options.clock;
    this.#prefix = options.prefix;
    this.#verbosity = options.verbosity;
  }

  get debugEnabled(): boolean {
    return this.#verbosity.debug;
  }

  get traceEnabled(): boolean {
    return this.#verbosity.trace;
  }

  setVerbosity(verbosity: Verbosity): void {
    this.#verbosity = verbosity;
  }

  info(text: string): void {
    this.#write("INF", text);
  }

  warn(text: string): void {
    this.#write("WRN", text);
  }

  error(text: string): void {
    this.#write("ERR", text);
  }

  fatal(text: string): void {
    this.#write("FTL", text);
  }

  debug(text: string): void {
    if (this.#verbosity.debug) this.#write("DBG", text);
  }

  trace(text: string): void {
    if (this.#verbosity.trace) this.#write("TRC", text);
  }

  #write(level: Level, text: string): void {
    this.#clock.read(this.#now);
    this.#sink.target.write(level, this.#prefix + text, this.#now);
  }
}
