import type { Logger } from "../logger.ts";

/** A logger that keeps its lines as `LVL text`, for tests to look at. */
export interface RecordingLogger extends Logger {
  readonly lines: string[];
}

/** A logger that keeps its lines. @param options which of the levels that are off by default are on */
export function recordingLogger(options: { readonly debug?: boolean; readonly trace?: boolean } = {}): RecordingLogger {
  const lines: string[] = [];
  const at = (level: string) => (text: string) => {
    lines.push(`${level} ${text}`);
  };
  return {
    lines,
    debugEnabled: options.debug ?? true,
    traceEnabled: options.trace ?? true,
    info: at("INF"),
    warn: at("WRN"),
    error: at("ERR"),
    fatal: at("FTL"),
    debug: at("DBG"),
    trace: at("TRC"),
  };
}
