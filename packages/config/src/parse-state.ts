import type { ConfigMap, ConfigPosition, ConfigSource, ConfigValue } from "./value.ts";
import type { ConfigWarning } from "./warning.ts";

/** What reading a file gave. */
export type FileRead =
  | { readonly kind: "text"; readonly text: string }
  /** `reason` as users of the original know it, such as `open x.conf: no such file or directory`. */
  | { readonly kind: "failed"; readonly reason: string };

/** Reads a whole file as UTF-8. Never throws. */
export type ReadFile = (path: string) => FileRead;

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Deepest nesting of maps and arrays; far beyond any real file, far below what the call stack bears. */
export const DEPTH_MAX = 200;

/** Deepest chain of included files, and of environment variables that name each other. */
export const CHAIN_MAX = 32;

/** Most files that one configuration may be made of, for files that include each other many times over. */
export const FILES_MAX = 1_000;

/** What one parse shares with the files it includes. */
export interface ParseState {
  readonly readFile: ReadFile;
  readonly env: Environment;
  readonly warnings: ConfigWarning[];
  /** Every file that was read, in order. */
  readonly files: string[];
  /** Files and variables that are being read at this moment, outermost first. */
  readonly chain: readonly string[];
  /** The parser itself: included files and environment variables are parsed by it in their turn. */
  readonly parseText: (state: ParseState, source: ConfigSource) => ConfigMap;
}

/** An entry while it can still be marked as used. */
export interface OpenEntry {
  readonly key: string;
  readonly position: ConfigPosition;
  readonly value: ConfigValue;
  usedAsVariable: boolean;
}

/** A map that is being read; a variable looks for its name here first, then outwards. */
export interface Scope {
  readonly entries: Map<string, OpenEntry>;
  readonly outer: Scope | undefined;
}

/** Puts an entry into the map; a repeated key moves to the place where it was written last. */
export function define(state: ParseState, scope: Scope, entry: OpenEntry): void {
  const earlier = scope.entries.get(entry.key);
  if (earlier !== undefined) {
    scope.entries.delete(entry.key);
    const message = `key "${entry.key}" is repeated; what was written for it earlier does not count`;
    state.warnings.push({ code: "repeated_key", message, position: entry.position });
  }
  scope.entries.set(entry.key, entry);
}

export function sourceOf(file: string, text: string, hidden = false): ConfigSource {
  return { file, text, hidden };
}
