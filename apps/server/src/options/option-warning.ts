import { type ConfigPosition, type ConfigWarning, formatPosition } from "@nats-streaming/config";

/**
 * What a warning is about:
 * `unknown_key` a key that nothing knows · `misplaced_key` a key where nothing reads it · `repeated_option` one option
 * under two keys · `no_effect` an option that changes nothing here · `outdated` a way of writing that was given up ·
 * `syntax` something that parses but is seldom meant.
 */
export type OptionWarningCode =
  | "unknown_key"
  | "misplaced_key"
  | "repeated_option"
  | "no_effect"
  | "outdated"
  | "syntax";

/** Something to look at that does not keep the server from starting. */
export interface OptionWarning {
  readonly code: OptionWarningCode;
  /** One sentence, without the place. */
  readonly message: string;
  /** Undefined for a flag. */
  readonly position: ConfigPosition | undefined;
}

/** The warning as one line: `stan.conf:3:1: unknown key …`. */
export function formatWarning(warning: OptionWarning): string {
  return warning.position === undefined ? warning.message : `${formatPosition(warning.position)}: ${warning.message}`;
}

/** Whether a configuration with this warning passes a check (`-t`): a key that does nothing does not. */
export function failsCheck(warning: OptionWarning): boolean {
  return warning.code === "unknown_key" || warning.code === "misplaced_key" || warning.code === "syntax";
}

/** A warning of the language. A repeated key may be meant, when an included file is overridden. */
export function fromConfigWarning(warning: ConfigWarning): OptionWarning {
  const code = warning.code === "repeated_key" ? "repeated_option" : "syntax";
  return { code, message: warning.message, position: warning.position };
}

/** The sentence for a key that nothing knows. @param suggestion with its quotes */
export function unknownKey(key: string, suggestion: string | undefined, position: ConfigPosition): OptionWarning {
  const question = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  return { code: "unknown_key", message: `unknown key "${key}" is ignored${question}`, position };
}
