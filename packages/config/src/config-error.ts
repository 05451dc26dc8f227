import { excerpt, formatPosition } from "./excerpt.ts";
import type { ConfigPosition } from "./value.ts";

/** What was wrong with a configuration. */
export type ConfigErrorCode =
  /** The text breaks the grammar. Remedy: Look at the place that the caret shows. */
  | "syntax"
  /** A quote, map, array or block is not closed. Remedy: Close it; the place is where it was opened. */
  | "unterminated"
  /** A number or date is out of range, or none. Remedy: Write a 64-bit number, or a date like 2026-01-31T12:00:00Z. */
  | "number"
  /** Maps and arrays are nested beyond the bound. Remedy: Nest less; files that include each other count. */
  | "too_deep"
  /**
   * A `$name` is neither in the file nor in the environment, or its value cannot be parsed.
   * Remedy: Set it, or put the text in quotes.
   */
  | "variable"
  /**
   * An included file cannot be read, or files include each other without end.
   * Remedy: Check the path: it is relative to the including file.
   */
  | "include"
  /** The file itself cannot be read. Remedy: Check path and permissions. */
  | "read"
  /**
   * A value has another type than the key wants.
   * Remedy: Write the type that the text names; texts with special characters in quotes.
   */
  | "wrong_type"
  /** A value of the right type cannot be used. Remedy: See the hint beside it. */
  | "bad_value"
  /**
   * A value to be written cannot be expressed in the language.
   * Remedy: Choose another value; only programs that print configurations meet this.
   */
  | "unprintable";

/** What a {@link ConfigError} is made from. */
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
