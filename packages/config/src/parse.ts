import { ConfigError } from "./config-error.ts";
import { type Environment, type ParseState, type ReadFile, sourceOf } from "./parse-state.ts";
import { parseText } from "./parser.ts";
import type { ConfigMap } from "./value.ts";
import type { ConfigWarning } from "./warning.ts";

/** How a text is parsed. */
export interface ParseOptions {
  /** What the text is called in messages; included files are looked for beside it. Default: none. */
  readonly file?: string;
  /** Reads included files. Default: none can be read. */
  readonly readFile?: ReadFile;
  /** Where `$name` looks last. Default: empty. */
  readonly env?: Environment;
}

/** What a text parsed to. */
export type ParseOutcome =
  | {
      readonly kind: "parsed";
      readonly root: ConfigMap;
      /** In the order of the text. */
      readonly warnings: readonly ConfigWarning[];
      /** Every file that was read: the text's own first, if it has one. */
      readonly files: readonly string[];
    }
  | { readonly kind: "failed"; readonly error: ConfigError };

/**
 * Parses a configuration text. Never throws for anything the text, the included files or the environment hold.
 * @see configuration.md 1
 */
export function parseConfig(text: string, options: ParseOptions = {}): ParseOutcome {
  const file = options.file ?? "";
  const state: ParseState = {
    readFile: options.readFile ?? ((path) => ({ kind: "failed", reason: `open ${path}: no file can be read here` })),
    env: options.env ?? {},
    warnings: [],
    files: file === "" ? [] : [file],
    chain: file === "" ? [] : [file],
    parseText,
  };
  try {
    const root = parseText(state, sourceOf(file, withoutByteOrderMark(text)));
    return { kind: "parsed", root, warnings: state.warnings, files: state.files };
  } catch (error) {
    if (error instanceof ConfigError) return { kind: "failed", error };
    throw error;
  }
}

/** As {@link ParseOptions}, with the reader that the file itself is read by. */
export interface ParseFileOptions extends ParseOptions {
  readonly readFile: ReadFile;
}

/** Reads and parses a file. A file that cannot be read is an error with the code `read`. */
export function parseConfigFile(file: string, options: ParseFileOptions): ParseOutcome {
  const read = options.readFile(file);
  if (read.kind === "failed") {
    return { kind: "failed", error: new ConfigError({ code: "read", message: read.reason }) };
  }
  return parseConfig(read.text, { ...options, file });
}

/** Editors on Windows put one in front; the original would make it part of the first key. */
function withoutByteOrderMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
