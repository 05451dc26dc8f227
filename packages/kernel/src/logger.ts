/**
 * Where log lines go. Texts are whole and carry no prefix or level: the composition root adds them.
 * A caller on a hot path asks `debugEnabled` or `traceEnabled` before it builds a text.
 */
export interface Logger {
  readonly debugEnabled: boolean;
  readonly traceEnabled: boolean;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
  /** Reports what ends the server; ending it is the caller's own business. */
  fatal(text: string): void;
  debug(text: string): void;
  trace(text: string): void;
}

const ignore = (): void => {};

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debugEnabled: false,
  traceEnabled: false,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  debug: ignore,
  trace: ignore,
};
