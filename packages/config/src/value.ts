/** A text that was parsed, and what it is called in messages. */
export interface ConfigSource {
  /** Path of the file as it was given; empty for a text without a file. */
  readonly file: string;
  readonly text: string;
  /** True for the value of an environment variable: its text is never shown, for it may hold a secret. */
  readonly hidden: boolean;
}

/** A place in a configuration text. */
export interface ConfigPosition {
  /** Path of the file as it was given; empty for a text without a file. */
  readonly file: string;
  /** 1, 2, 3, … */
  readonly line: number;
  /** 1, 2, 3, … in UTF-16 units, as editors count. */
  readonly column: number;
  readonly source: ConfigSource;
}

/** One parsed value. Every value says where it stands; a value from a variable stands where the variable was used. */
export type ConfigValue =
  | ConfigString
  | ConfigInteger
  | ConfigFloat
  | ConfigBoolean
  | ConfigDate
  | ConfigArray
  | ConfigMap;

/** A text, with or without quotes. */
export interface ConfigString {
  readonly kind: "string";
  readonly value: string;
  /** False for a bare word. */
  readonly quoted: boolean;
  readonly position: ConfigPosition;
}

/** A whole number; a suffix such as `kb` is worked in. */
export interface ConfigInteger {
  readonly kind: "integer";
  /** A signed 64-bit number; a size suffix is multiplied out. */
  readonly value: bigint;
  /** As written, with its suffix. */
  readonly text: string;
  readonly position: ConfigPosition;
}

/** A number with a fraction. */
export interface ConfigFloat {
  readonly kind: "float";
  readonly value: number;
  readonly position: ConfigPosition;
}

/** A word that says yes or no. */
export interface ConfigBoolean {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly position: ConfigPosition;
}

/** A date with time, in UTC. */
export interface ConfigDate {
  readonly kind: "date";
  /** Milliseconds since 1970, always whole seconds. */
  readonly epochMillis: number;
  readonly position: ConfigPosition;
}

/** Values in square brackets. */
export interface ConfigArray {
  readonly kind: "array";
  readonly items: readonly ConfigValue[];
  readonly position: ConfigPosition;
}

/** Keys and values in braces, or the whole file. */
export interface ConfigMap {
  readonly kind: "map";
  /** By key, in the order of the file. A repeated key stands where it was written last. */
  readonly entries: ReadonlyMap<string, ConfigEntry>;
  readonly position: ConfigPosition;
}

/** A key with its value. */
export interface ConfigEntry {
  /** As written: the language tells upper from lower case. */
  readonly key: string;
  readonly position: ConfigPosition;
  readonly value: ConfigValue;
  /** True when a `$key` somewhere referred to it, so that it need not mean anything by itself. */
  readonly usedAsVariable: boolean;
}
