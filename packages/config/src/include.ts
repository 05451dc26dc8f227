import { dirname, join } from "node:path";
import { ConfigError } from "./config-error.ts";
import type { IncludePath } from "./include-path.ts";
import { CHAIN_MAX, define, FILES_MAX, type ParseState, type Scope, sourceOf } from "./parse-state.ts";
import type { ConfigMap } from "./value.ts";

/**
 * Merges the pairs of another file into the map. Its path is relative to the including file, even one that begins
 * with `/`. The variables of the includer are unknown in it.
 * @see configuration.md 1.7
 */
export function include(state: ParseState, scope: Scope, path: IncludePath): void {
  const file = join(dirname(path.position.file), path.path);
  const refuse = (reason: string, hint: string): ConfigError =>
    new ConfigError({
      code: "include",
      message: `error parsing include file '${path.path}', ${reason}`,
      position: path.position,
      hint,
    });
  if (state.chain.includes(file)) {
    throw refuse(`${file} includes itself`, [...state.chain.slice(state.chain.indexOf(file)), file].join(" -> "));
  }
  if (state.chain.length >= CHAIN_MAX) throw refuse(`more than ${CHAIN_MAX} files include each other`, "");
  if (state.files.length >= FILES_MAX) throw refuse(`more than ${FILES_MAX} files are included`, "");

  const read = state.readFile(file);
  if (read.kind === "failed") {
    const hint = `an included file is looked for beside the file that includes it, here as ${file}`;
    throw refuse(`error opening config file: ${read.reason}`, hint);
  }
  state.files.push(file);
  for (const entry of parseIncluded(state, file, read.text, path).entries.values()) {
    define(state, scope, { ...entry });
  }
}

function parseIncluded(state: ParseState, file: string, text: string, path: IncludePath): ConfigMap {
  try {
    return state.parseText({ ...state, chain: [...state.chain, file] }, sourceOf(file, text));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The place is that of the fault in the included file; the message names the way there.
    const { code, position, hint } = error;
    const message = `error parsing include file '${path.path}', ${error.message}`;
    throw new ConfigError({ code, message, hint, ...(position === undefined ? {} : { position }) });
  }
}
