import type { DurationNanos } from "@nats-streaming/kernel";
import type { Lens } from "./draft.ts";
import type { OptionDefinition } from "./option.ts";

/**
 * Rows of an option table. `names` are the keys a file may use, parted by blanks, the preferred one first; the first
 * is also the id of the option within its section.
 */
export function text<Target>(
  names: string,
  lens: Lens<Target, string>,
  description: string,
  check?: (value: string) => string | undefined,
): OptionDefinition<Target> {
  return { kind: "string", ...named(names, description), ...lens, ...(check === undefined ? {} : { check }) };
}

export function flag<Target>(
  names: string,
  lens: Lens<Target, boolean>,
  description: string,
): OptionDefinition<Target> {
  return { kind: "bool", ...named(names, description), ...lens };
}

export function count<Target>(
  names: string,
  lens: Lens<Target, number>,
  description: string,
): OptionDefinition<Target> {
  return { kind: "int", ...named(names, description), ...lens };
}

export function size<Target>(names: string, lens: Lens<Target, number>, description: string): OptionDefinition<Target> {
  return { kind: "size", ...named(names, description), ...lens };
}

export function duration<Target>(
  names: string,
  lens: Lens<Target, DurationNanos>,
  description: string,
): OptionDefinition<Target> {
  return { kind: "duration", ...named(names, description), ...lens };
}

export function texts<Target>(
  names: string,
  lens: Lens<Target, readonly string[]>,
  description: string,
): OptionDefinition<Target> {
  return { kind: "strings", ...named(names, description), ...lens };
}

/** The same option without any key: only a flag can set it. */
export function flagOnly<Target>(option: OptionDefinition<Target>): OptionDefinition<Target> {
  return { ...option, keys: [] };
}

function named(names: string, description: string): { id: string; keys: readonly string[]; description: string } {
  const keys = names.split(" ");
  return { id: keys[0] ?? "", keys, description };
}
