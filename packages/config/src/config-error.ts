import { excerpt, formatPosition } from "./excerpt.ts";
import type { ConfigPosition } from "./value.ts";

/**
 * What was wrong:
 * `syntax` the text breaks the grammar · `unterminated` a quote, map or block is not closed · `number` a number or date that
 * cannot be one · `too_deep` nested beyond the bound · `variable` a `$name` that is unknown or cannot be parsed ·
 * `include` an included file that cannot be read, or includes without end · `read` a file that cannot be read ·
 * `wrong_type` a value of the wrong type · `bad_value` a value of the right type that cannot be used ·
 * `unprintable` a value that the language cannot express.
 */
export type ConfigErrorCode =
  | "syntax"
  | "unterminated"
  | "number"
  | "too_deep"
  | "variable"
  | "include"
  | "read"
  | "wrong_type"
  | "bad_value"
  | "unprintable";

export interface ConfigErrorInit {
  readonly code: ConfigErrorCode;
  readonly message: string;
  readonly position?: ConfigPosition;
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * A configuration that cannot be used. `message` is one line, word for word what users of the original know;
 * where it is and what to do about it stand beside it.
 * @see configuration.md 1.8 and 3
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code: ConfigErrorCode;
  /** Absent when the fault is not in a text, such as a file that does not exist. */
  readonly position: ConfigPosition | undefined;
  /** What to write instead; empty when the message says it all. */
  readonly hint: string;

  constructor(init: ConfigErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.position = init.position;
    this.hint = init.hint ?? "";
  }

  /** Path of the file as it was given; empty without one. */
  get file(): string {
    return this.position?.file ?? "";
  }

  /** 1, 2, 3, …; 0 without a place. */
  get line(): number {
    return this.position?.line ?? 0;
  }

  /** 1, 2, 3, …; 0 without a place. */
  get column(): number {
    return this.position?.column ?? 0;
  }

  /** The line with a caret under the fault; empty without a place. */
  get excerpt(): string {
    return this.position === undefined ? "" : excerpt(this.position);
  }

  /** Place, excerpt and hint on lines of their own, to be printed below the message; empty when there is none of them. */
  get detail(): string {
    const place = this.position === undefined ? "" : `at ${formatPosition(this.position)}`;
    return [place, this.excerpt, this.hint].filter((part) => part !== "").join("\n");
  }
}
