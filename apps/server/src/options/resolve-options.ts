import { type ConfigError, type Environment, quoteText, type ReadFile } from "@nats-streaming/config";
import { checkLimits } from "@nats-streaming/store";
import { flagId, type GivenFlag } from "../flags/flag.ts";
import { flagTable } from "../flags/flag-table.ts";
import { helpText, helpTlsText } from "../flags/help.ts";
import { type FlagError, parseFlags } from "../flags/parse-flags.ts";
import { applyFlags } from "./apply-flags.ts";
import { crossingEntries } from "./crossing-entries.ts";
import { natsOptionsOf, newDraft, type OptionsDraft, streamingOptionsOf } from "./draft.ts";
import { fileOnlyKeys } from "./file-only-keys.ts";
import type { NatsOptions } from "./nats-options.ts";
import { natsServerUrlFault } from "./nats-urls.ts";
import { failsCheck, formatWarning, type OptionWarning } from "./option-warning.ts";
import { type ConfigFiles, configFilesOf, readConfigFiles } from "./read-files.ts";
import type { FullServerFeature } from "./read-nats.ts";
import { parseSignal, type SignalRequest } from "./signal-request.ts";
import { findStartError } from "./start-errors.ts";
import type { StreamingOptions } from "./streaming-options.ts";
import { PROGRAM, versionText } from "./version.ts";

/** What the server needs of the machine to find its options. */
export interface OptionFiles {
  readonly readFile: ReadFile;
}

/** What the command line, the environment and the configuration files ask for. */
export type ResolvedOptions =
  | RunRequest
  | { readonly kind: "help" | "version" | "help_tls"; readonly text: string }
  | CheckResult
  | SchemaRequest
  | SignalRequest
  | OptionsError;

/** Start with these options. */
export interface RunRequest {
  readonly kind: "run";
  readonly streaming: StreamingOptions;
  readonly nats: NatsOptions;
  /** To be logged once logging exists. */
  readonly warnings: readonly OptionWarning[];
  readonly configFiles: ConfigFiles;
  /** Every file that was read, included ones too. */
  readonly filesRead: readonly string[];
  /** Only recover the store, and exit. */
  readonly recoverOnly: boolean;
}

/** The schema of an SQL database is to be printed or created; nothing is to be started. */
export interface SchemaRequest {
  readonly kind: "print_schema" | "create_schema";
  readonly streaming: StreamingOptions;
}

/** The configuration was checked (`-t`); nothing is to be started. */
export interface CheckResult {
  readonly kind: "check";
  /** One line for each problem, or one that says that all is well. */
  readonly lines: readonly string[];
  readonly exitCode: 0 | 1;
  readonly streaming: StreamingOptions;
  readonly nats: NatsOptions;
  readonly configFiles: ConfigFiles;
}

/** The options cannot be used. */
export interface OptionsError {
  readonly kind: "error";
  /** One line without any prefix, word for word the original's where it has one. */
  readonly text: string;
  /** Place, line with caret and remedy, on lines of their own, to be printed below; may be empty. */
  readonly detail: string;
  /** 2 for a flag that is none, 1 for everything else. */
  readonly exitCode: 1 | 2;
  readonly stream: "stdout" | "stderr";
}

/** Name of the environment variable that holds the encryption key. */
export const ENCRYPTION_KEY_VARIABLE = "NATS_STREAMING_ENCRYPTION_KEY";

/**
 * Resolves every option of the server: defaults, over them the files, over them the flags. Never throws.
 * @param args the command line without the program.
 * @see configuration.md 4 to 8
 */
export function resolveOptions(args: readonly string[], env: Environment, files: OptionFiles): ResolvedOptions {
  const parsed = parseFlags(args, flagTable, fileOnlyKeys);
  if (parsed.kind === "invalid") return flagError(parsed);
  const { flags, rest } = parsed;
  const command = commandOf(flags, rest);
  if (command !== undefined) return command;

  const signal = stringFlag(flags, "signal");
  if (signal !== "") {
    const request = parseSignal(signal, files.readFile);
    return request.kind === "signal" ? request : refuse(request.message, request.hint);
  }
  return resolveRun(flags, env, files);
}

function resolveRun(flags: readonly GivenFlag[], env: Environment, files: OptionFiles): ResolvedOptions {
  const check = booleanFlag(flags, "t");
  const configFiles = configFilesOf(stringFlag(flags, "stan_config"), stringFlag(flags, "config"));
  if (check && configFiles.nats === "") {
    const text = "must specify [-c, --config] option to check configuration file syntax";
    return refuse(text, "-sc names a file as well");
  }
  const draft = newDraft();
  const warnings: OptionWarning[] = [];
  const features: FullServerFeature[] = [];
  const outcome = readConfigFiles(configFiles, { readFile: files.readFile, env, draft, warnings, features });
  if (outcome.kind === "wrong") return configError(outcome.error);
  applyFlags(flags, draft);
  applyEnvironment(env, draft);
  warnOfUselessFlags(flags, warnings);

  const streaming = streamingOptionsOf(draft);
  const nats = natsOptionsOf(draft);
  const startError = findStartError(streaming, nats);
  if (startError !== undefined) return refuse(startError.text, startError.hint, startError.stream);
  const refused = refusedFeature(flags, streaming, features, warnings);
  if (refused !== undefined) return refused;
  if (check) return checked(streaming, nats, warnings, configFiles);
  if (booleanFlag(flags, "sql_print_schema")) return { kind: "print_schema", streaming };
  if (booleanFlag(flags, "sql_create_schema")) return { kind: "create_schema", streaming };
  const recoverOnly = booleanFlag(flags, "recover_only");
  return { kind: "run", streaming, nats, warnings, configFiles, filesRead: outcome.read, recoverOnly };
}

/** Flags and words that ask for a text instead of a server. */
function commandOf(flags: readonly GivenFlag[], rest: readonly string[]): ResolvedOptions | undefined {
  const version: ResolvedOptions = { kind: "version", text: versionText };
  const help: ResolvedOptions = { kind: "help", text: helpText(PROGRAM, flagTable) };
  if (booleanFlag(flags, "version")) return version;
  if (booleanFlag(flags, "help")) return help;
  if (booleanFlag(flags, "help_tls")) return { kind: "help_tls", text: helpTlsText };
  const [word] = rest;
  if (word === undefined) return undefined;
  switch (word.toLowerCase()) {
    case "version":
      return version;
    case "help":
      return help;
    default:
      return refuse(`unrecognized command: ${quoteText(word)}`, strayWordHint(flags, word));
  }
}

/** `-SD true` is the usual way to get here. */
function strayWordHint(flags: readonly GivenFlag[], word: string): string {
  const last = flags.at(-1);
  if (last?.definition.kind === "bool" && /^(true|false|[01tf])$/i.test(word)) {
    return `write -${last.name}=${word}: a flag that is true or false takes its value behind "=" only`;
  }
  return "the commands are version and help; every option begins with a dash";
}

/** The key in the environment beats file and flag, but does not switch encryption on. @see encryption.md 2 */
function applyEnvironment(env: Environment, draft: OptionsDraft): void {
  const key = env[ENCRYPTION_KEY_VARIABLE];
  if (key !== undefined && key !== "") draft.general.encryptionKey = key;
}

function warnOfUselessFlags(flags: readonly GivenFlag[], warnings: OptionWarning[]): void {
  for (const { definition } of flags) {
    if (definition.noEffect === "" || flagId(definition) === "jetstream") continue;
    warnings.push({ code: "no_effect", message: definition.noEffect, position: undefined });
  }
}

/** What only the full NATS server has is refused when one is embedded, and of no effect when it is external. */
function refusedFeature(
  flags: readonly GivenFlag[],
  streaming: StreamingOptions,
  features: readonly FullServerFeature[],
  warnings: OptionWarning[],
): OptionsError | undefined {
  const jetstream = lastOf(flags, "jetstream");
  const wantsJetstream = jetstream?.value.kind === "bool" && jetstream.value.value;
  if (streaming.natsServerUrl !== "") {
    warnings.push(...features.map((feature) => feature.warning));
    return undefined;
  }
  if (wantsJetstream) return refuse(jetstream.definition.noEffect, "");
  const [first] = features;
  return first === undefined ? undefined : configError(first.error);
}

/** A check finds more than a start minds: keys that do nothing, and limits that contradict each other. */
function checked(
  streaming: StreamingOptions,
  nats: NatsOptions,
  warnings: readonly OptionWarning[],
  configFiles: ConfigFiles,
): CheckResult {
  const limits = checkLimits(streaming.storeLimits);
  const url = natsServerUrlFault(streaming.natsServerUrl);
  const noChannel = streaming.partitioning && streaming.storeLimits.channels.size === 0;
  const problems = [
    ...warnings.filter(failsCheck).map(formatWarning),
    ...(limits === undefined ? [] : [limits]),
    ...(url === undefined ? [] : [url]),
    ...(noChannel ? ["stan: no configured channel"] : []),
  ];
  const remarks = [
    ...warnings.filter((warning) => !failsCheck(warning)).map(formatWarning),
    ...crossingEntries(streaming.storeLimits.channels.keys()),
  ];
  const named = [...new Set([configFiles.nats, configFiles.streaming])].join(" and ");
  const verdict = problems.length === 0 ? [`${PROGRAM}: configuration file ${named} is valid`] : [];
  const exitCode = problems.length === 0 ? 0 : 1;
  return { kind: "check", lines: [...problems, ...remarks, ...verdict], exitCode, streaming, nats, configFiles };
}

function lastOf(flags: readonly GivenFlag[], id: string): GivenFlag | undefined {
  return flags.findLast((flag) => flagId(flag.definition) === id);
}

function booleanFlag(flags: readonly GivenFlag[], id: string): boolean {
  const given = lastOf(flags, id);
  return given?.value.kind === "bool" && given.value.value;
}

function stringFlag(flags: readonly GivenFlag[], id: string): string {
  const given = lastOf(flags, id);
  return given?.value.kind === "string" ? given.value.value : "";
}

function flagError(error: FlagError): OptionsError {
  return { kind: "error", text: error.message, detail: error.hint, exitCode: error.usage ? 2 : 1, stream: "stderr" };
}

function configError(error: ConfigError): OptionsError {
  return { kind: "error", text: error.message, detail: error.detail, exitCode: 1, stream: "stderr" };
}

function refuse(text: string, hint: string, stream: "stdout" | "stderr" = "stderr"): OptionsError {
  return { kind: "error", text, detail: hint, exitCode: 1, stream };
}
