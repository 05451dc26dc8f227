import { type ConfigEntry, ConfigError, type ConfigMap, nearestName, valueText } from "@nats-streaming/config";
import { type OptionDefinition, readOption } from "./option.ts";
import { type OptionWarning, unknownKey } from "./option-warning.ts";

export interface MapReader<Target> {
  readonly options: readonly OptionDefinition<Target>[];
  readonly target: Target;
  readonly warnings: OptionWarning[];
  /** Takes an entry that is no option. */
  readonly other: (entry: ConfigEntry, key: string) => ConfigError | undefined;
  /** Whether messages show keys in lower case instead of as written. */
  readonly lowerCaseKeys?: boolean;
  /** Adds to the error of an option what its surroundings demand. */
  readonly explain?: (error: ConfigError, entry: ConfigEntry) => ConfigError;
}

export type MapOutcome<Target> =
  | { readonly kind: "read"; readonly seen: ReadonlySet<OptionDefinition<Target>> }
  | { readonly kind: "wrong"; readonly error: ConfigError };

/** Reads the entries of a map into the target, in file order; stops at the first fault. Keys may be in any case. */
export function readMapInto<Target>(map: ConfigMap, reader: MapReader<Target>): MapOutcome<Target> {
  const byKey = new Map(reader.options.flatMap((option) => option.keys.map((key) => [key, option] as const)));
  const seen = new Map<OptionDefinition<Target>, string>();
  for (const entry of map.entries.values()) {
    const key = entry.key.toLowerCase();
    const option = byKey.get(key);
    if (option === undefined) {
      const error = reader.other(entry, key);
      if (error !== undefined) return { kind: "wrong", error };
      continue;
    }
    const earlier = seen.get(option);
    if (earlier !== undefined) {
      const message = `"${entry.key}" and "${earlier}" are the same option; the later one counts`;
      reader.warnings.push({ code: "repeated_option", message, position: entry.position });
    }
    seen.set(option, entry.key);
    const shown = reader.lowerCaseKeys === true ? { ...entry, key } : entry;
    const error = readOption(option, shown, reader.target);
    if (error !== undefined) return { kind: "wrong", error: reader.explain?.(error, entry) ?? error };
  }
  return { kind: "read", seen: new Set(seen.keys()) };
}

/**
 * Warns of a key that nothing knows, unless a variable uses it.
 * @param elsewhere what it may be in another place, with its quotes
 */
export function warnOfUnknown(
  entry: ConfigEntry,
  candidates: Iterable<string>,
  warnings: OptionWarning[],
  elsewhere?: (entry: ConfigEntry) => string | undefined,
): void {
  if (entry.usedAsVariable) return;
  const nearest = nearestName(entry.key, candidates);
  const suggestion = nearest === undefined ? elsewhere?.(entry) : `"${nearest}"`;
  warnings.push(unknownKey(entry.key, suggestion, entry.position));
}

/** What is said of a value that should be a map. */
export function notAMap(label: string, entry: ConfigEntry): ConfigError {
  return new ConfigError({
    code: "wrong_type",
    message: `expected ${label} to be a map/struct, got ${valueText(entry.value)}`,
    position: entry.value.position,
    hint: `write ${entry.key} { … }`,
  });
}

/** Every key of a list of options. */
export function keysOf<Target>(options: readonly OptionDefinition<Target>[]): readonly string[] {
  return options.flatMap((option) => option.keys);
}
