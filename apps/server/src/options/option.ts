import {
  type ConfigEntry,
  ConfigError,
  type Reading,
  readBoolean,
  readDuration,
  readInteger,
  readString,
  readStringArray,
} from "@nats-streaming/config";
import { type DurationNanos, formatDuration } from "@nats-streaming/kernel";
import type { Lens } from "./draft.ts";

/** What an option is called, and what it is for. */
interface OptionName {
  /** Unique among all options: the section and the first key, as in `file_options.crc`. */
  readonly id: string;
  /** Every key that a file may use, lower case, the preferred one first; none for an option that only a flag sets. */
  readonly keys: readonly string[];
  /** One line for the documentation. */
  readonly description: string;
}

interface StringOption<Target> extends OptionName, Lens<Target, string> {
  readonly kind: "string";
  /** What is wrong with a text that a file gives; undefined when it is fine. */
  readonly check?: (value: string) => string | undefined;
}

interface BooleanOption<Target> extends OptionName, Lens<Target, boolean> {
  readonly kind: "bool";
}

/** `size` differs from `int` for people only: it counts bytes. */
interface NumberOption<Target> extends OptionName, Lens<Target, number> {
  readonly kind: "int" | "size";
}

interface DurationOption<Target> extends OptionName, Lens<Target, DurationNanos> {
  readonly kind: "duration";
}

interface StringsOption<Target> extends OptionName, Lens<Target, readonly string[]> {
  readonly kind: "strings";
}

/** One option of a target: its keys, its type, and how it is read and written. Its default is the target's own. */
export type OptionDefinition<Target> =
  | StringOption<Target>
  | BooleanOption<Target>
  | NumberOption<Target>
  | DurationOption<Target>
  | StringsOption<Target>;

/** Writes the value of a file's entry into the target; answers what is wrong with it. */
export function readOption<Target>(
  option: OptionDefinition<Target>,
  entry: ConfigEntry,
  target: Target,
): ConfigError | undefined {
  switch (option.kind) {
    case "string":
      return put(checked(readString(entry), option.check, entry), (value) => option.set(target, value));
    case "bool":
      return put(readBoolean(entry), (value) => option.set(target, value));
    case "int":
    case "size":
      return put(readInteger(entry), (value) => option.set(target, safeNumber(value)));
    case "duration":
      return put(readDuration(entry), (value) => option.set(target, value));
    case "strings":
      return put(readStringArray(entry), (value) => option.set(target, value));
  }
}

/** The present value of an option as documentation and help show it. */
export function optionText<Target>(option: OptionDefinition<Target>, target: Target): string {
  switch (option.kind) {
    case "duration":
      return formatDuration(option.get(target));
    case "strings":
      return option.get(target).join(",");
    default:
      return String(option.get(target));
  }
}

/** An option of a part as an option of the whole, its id prefixed with `section`. */
export function within<Whole, Part>(
  section: string,
  pick: (whole: Whole) => Part,
  option: OptionDefinition<Part>,
): OptionDefinition<Whole> {
  const id = section === "" ? option.id : `${section}.${option.id}`;
  switch (option.kind) {
    case "string":
      return { ...option, id, ...through(pick, option) };
    case "bool":
      return { ...option, id, ...through(pick, option) };
    case "int":
    case "size":
      return { ...option, id, ...through(pick, option) };
    case "duration":
      return { ...option, id, ...through(pick, option) };
    case "strings":
      return { ...option, id, ...through(pick, option) };
  }
}

/**
 * A 64-bit number as a JavaScript number. What is beyond 2^53 is more than any limit can mean, so it is held at the
 * largest number that still counts exactly.
 */
export function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return Number.MAX_SAFE_INTEGER;
  if (value < BigInt(Number.MIN_SAFE_INTEGER)) return Number.MIN_SAFE_INTEGER;
  return Number(value);
}

function through<Whole, Part, Value>(pick: (whole: Whole) => Part, lens: Lens<Part, Value>): Lens<Whole, Value> {
  return { get: (whole) => lens.get(pick(whole)), set: (whole, value) => lens.set(pick(whole), value) };
}

function put<Value>(reading: Reading<Value>, set: (value: Value) => void): ConfigError | undefined {
  if (reading.kind === "wrong") return reading.error;
  set(reading.value);
  return undefined;
}

function checked(
  reading: Reading<string>,
  check: ((value: string) => string | undefined) | undefined,
  entry: ConfigEntry,
): Reading<string> {
  if (reading.kind === "wrong") return reading;
  const message = check?.(reading.value);
  if (message === undefined) return reading;
  return { kind: "wrong", error: new ConfigError({ code: "bad_value", message, position: entry.value.position }) };
}
