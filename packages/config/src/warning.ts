import type { ConfigPosition } from "./value.ts";

/**
 * What deserves a look although it parses:
 * `repeated_key` a later key replaced it · `missing_value` a key without a value, dropped · `value_on_next_line` a key
 * took the text on the next line as its value · `brace_in_key` a `{` or `}` that became part of a key ·
 * `bad_suffix` a number with an unknown suffix, dropped · `overflow` a size beyond 64 bits, wrapped around ·
 * `bad_utf8` `\x` escapes that are not UTF-8, replaced.
 */
export type ConfigWarningCode =
  | "repeated_key"
  | "missing_value"
  | "value_on_next_line"
  | "brace_in_key"
  | "bad_suffix"
  | "overflow"
  | "bad_utf8";

/** Something that the original takes in silence and that is seldom meant. */
export interface ConfigWarning {
  readonly code: ConfigWarningCode;
  /** One sentence, without the place. */
  readonly message: string;
  readonly position: ConfigPosition;
}
