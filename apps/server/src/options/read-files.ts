import {
  type ConfigError,
  type Environment,
  type ParseOutcome,
  parseConfigFile,
  type ReadFile,
} from "@nats-streaming/config";
import type { OptionsDraft } from "./draft.ts";
import { fromConfigWarning, type OptionWarning } from "./option-warning.ts";
import { type FullServerFeature, readNats } from "./read-nats.ts";
import { readStreaming } from "./read-streaming.ts";

/** Which file feeds which side; empty for none. @see configuration.md 6 */
export interface ConfigFiles {
  readonly streaming: string;
  readonly nats: string;
}

export interface FilesReader {
  readonly readFile: ReadFile;
  readonly env: Environment;
  readonly draft: OptionsDraft;
  readonly warnings: OptionWarning[];
  readonly features: FullServerFeature[];
}

export type FilesOutcome =
  /** `read` lists every file, included ones too. */
  { readonly kind: "read"; readonly read: readonly string[] } | { readonly kind: "wrong"; readonly error: ConfigError };

/** With one file given, it feeds both sides; with two, each feeds its own. */
export function configFilesOf(streaming: string, nats: string): ConfigFiles {
  return { streaming: streaming === "" ? nats : streaming, nats: nats === "" ? streaming : nats };
}

/** Reads the files into the draft. A file that feeds both sides is read once. */
export function readConfigFiles(files: ConfigFiles, reader: FilesReader): FilesOutcome {
  const parsed = new Map<string, ParseOutcome & { kind: "parsed" }>();
  for (const file of [files.nats, files.streaming]) {
    if (file === "" || parsed.has(file)) continue;
    const outcome = parseConfigFile(file, { readFile: reader.readFile, env: reader.env });
    if (outcome.kind === "failed") return { kind: "wrong", error: outcome.error };
    parsed.set(file, outcome);
    reader.warnings.push(...outcome.warnings.map(fromConfigWarning));
  }
  const { draft, warnings, features } = reader;
  const streaming = parsed.get(files.streaming);
  const nats = parsed.get(files.nats);
  const error =
    (streaming === undefined ? undefined : readStreaming(streaming.root, draft, warnings)) ??
    (nats === undefined ? undefined : readNats(nats.root, draft, warnings, features));
  if (error !== undefined) return { kind: "wrong", error };
  return { kind: "read", read: [...new Set([...parsed.values()].flatMap((outcome) => outcome.files))] };
}
