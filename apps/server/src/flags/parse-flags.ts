import { nearestName, parseConfig, quoteText } from "@nats-streaming/config";
import { parseDuration } from "@nats-streaming/kernel";
import type { FlagDefinition, FlagKind, FlagValue, GivenFlag } from "./flag.ts";
import { parseFlagBoolean, parseFlagInteger } from "./go-values.ts";

/** What a command line says. */
export type FlagsOutcome =
  | {
      readonly kind: "parsed";
      /** In the order given; of flags that set the same option, the last counts. */
      readonly flags: readonly GivenFlag[];
      /** What follows the flags: from the first text that is none, or behind `--`. */
      readonly rest: readonly string[];
    }
  | FlagError;

/** A flag that cannot be used. */
export interface FlagError {
  readonly kind: "invalid";
  /** One line, as the original says it. */
  readonly message: string;
  /** What to write instead; may be empty. */
  readonly hint: string;
  /** True for a fault of spelling or syntax, false for a value that is none of its kind. */
  readonly usage: boolean;
}

/**
 * Parses flags as the original's flag library does: one or two dashes, the value behind `=` or in the next argument,
 * booleans only behind `=`. Stops at the first argument that is no flag, and at `--`.
 * @param elsewhere names that mean something, but not as flags: for the hint.
 * @see configuration.md 4.1
 */
export function parseFlags(
  args: readonly string[],
  table: readonly FlagDefinition[],
  elsewhere: ReadonlySet<string> = new Set(),
): FlagsOutcome {
  const byName = new Map(table.flatMap((definition) => definition.names.map((name) => [name, definition] as const)));
  const flags: GivenFlag[] = [];
  let index = 0;
  while (index < args.length) {
    const argument = args[index] ?? "";
    if (argument.length < 2 || !argument.startsWith("-")) break;
    index++;
    if (argument === "--") break;

    const [, name = "", assigned] = /^--?([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === "" || name.startsWith("-")) return usage(`bad flag syntax: ${argument}`, "");
    const definition = byName.get(name);
    if (definition === undefined) {
      return usage(`flag provided but not defined: -${name}`, unknownFlagHint(name, byName.keys(), elsewhere));
    }
    let text = assigned;
    if (text === undefined && definition.kind === "bool") text = "true";
    if (text === undefined) {
      text = args[index];
      if (text === undefined)
        return usage(`flag needs an argument: -${name}`, `write -${name} ${PLACEHOLDER[definition.kind]}`);
      index++;
    }
    const value = parseValue(definition.kind, name, text);
    if (value.kind === "invalid") return value;
    flags.push({ definition, name, value });
  }
  return { kind: "parsed", flags, rest: args.slice(index) };
}

/** How the help and messages show the value of a flag. */
export const PLACEHOLDER: Readonly<Record<FlagKind, string>> = {
  string: "<string>",
  bool: "=<bool>",
  int: "<int>",
  size: "<size>",
  duration: "<duration>",
  list: "<string, ...>",
};

function unknownFlagHint(name: string, known: Iterable<string>, elsewhere: ReadonlySet<string>): string {
  if (elsewhere.has(name.toLowerCase())) {
    return `"${name}" is an option of the configuration file only: write it there and name the file with -sc`;
  }
  const nearest = nearestName(name, known);
  if (nearest !== undefined) return `did you mean -${nearest}? -help shows every flag`;
  const key = nearestName(name, elsewhere);
  if (key !== undefined) return `did you mean "${key}"? It is an option of the configuration file only`;
  return "-help shows every flag";
}

function parseValue(kind: FlagKind, name: string, text: string): FlagValue | FlagError {
  switch (kind) {
    case "string":
      return { kind, value: text };
    case "list":
      return { kind, value: splitList(text) };
    case "bool": {
      const parsed = parseFlagBoolean(text);
      if (parsed.kind === "value") return { kind, value: parsed.value };
      return usage(`invalid boolean value ${quoteText(text)} for -${name}: ${parsed.reason}`, "write true or false");
    }
    case "int": {
      const parsed = parseFlagInteger(text);
      if (parsed.kind === "value") return { kind, value: parsed.value };
      return invalidValue(name, text, parsed.reason, "write a whole number");
    }
    case "duration": {
      const parsed = parseDuration(text);
      if (parsed.kind === "duration") return { kind, value: parsed.duration };
      return invalidValue(name, text, "parse error", "write a duration with its unit, such as 30s, 5m or 1h30m");
    }
    case "size":
      return parseSize(name, text);
  }
}

/** Names parted by commas; blanks around them and empty ones do not count. */
function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Sizes are read by the grammar of the configuration file. */
function parseSize(name: string, text: string): FlagValue | FlagError {
  const outcome = parseConfig(`size: ${text}`);
  const entries = outcome.kind === "parsed" ? [...outcome.root.entries.values()] : [];
  const value = entries.length === 1 ? entries[0]?.value : undefined;
  if (value?.kind === "integer") return { kind: "size", value: value.value };
  const message = `${name} should be a size, got '${text}'`;
  return {
    kind: "invalid",
    message,
    hint: "write a number with or without a unit, such as 1024, 100KB or 1GB",
    usage: false,
  };
}

function invalidValue(name: string, text: string, reason: string, hint: string): FlagError {
  return usage(`invalid value ${quoteText(text)} for flag -${name}: ${reason}`, hint);
}

function usage(message: string, hint: string): FlagError {
  return { kind: "invalid", message, hint, usage: true };
}
