import type { DurationNanos } from "@nats-streaming/kernel";

/** Under which heading the help shows a flag; the original's headings, in its order. */
export const FLAG_GROUPS = [
  "Streaming Server Options",
  "Streaming Server Clustering Options",
  "Streaming Server File Store Options",
  "Streaming Server SQL Store Options",
  "Streaming Server TLS Options",
  "Streaming Server Logging Options",
  "Embedded NATS Server Options",
  "Logging Options",
  "Authorization Options",
  "TLS Options",
  "NATS Clustering Options",
  "Common Options",
] as const;

export type FlagGroup = (typeof FLAG_GROUPS)[number];

/** What a flag takes. A `bool` takes no separate value, a `list` is parted by commas. */
export type FlagKind = "string" | "bool" | "int" | "size" | "duration" | "list";

/** One flag of the command line. */
export interface FlagDefinition {
  /** Every spelling, without dashes, in the order in which the help shows them. The last is the one to refer to. */
  readonly names: readonly string[];
  readonly kind: FlagKind;
  /** As the help shows it; empty when there is none worth showing. */
  readonly default: string;
  readonly group: FlagGroup;
  /** One sentence without a full stop. */
  readonly help: string;
  /** Ids of the options it sets; none for a flag that is a command of its own. */
  readonly sets: readonly string[];
  /** Left out of the help: taken for the sake of old command lines. Says what becomes of it. */
  readonly noEffect: string;
}

/** The value of a flag, by its kind. */
export type FlagValue =
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bool"; readonly value: boolean }
  /** Signed, 64 bits. */
  | { readonly kind: "int" | "size"; readonly value: bigint }
  | { readonly kind: "duration"; readonly value: DurationNanos }
  | { readonly kind: "list"; readonly value: readonly string[] };

/** A flag that was given. */
export interface GivenFlag {
  readonly definition: FlagDefinition;
  /** The spelling used, without dashes. */
  readonly name: string;
  readonly value: FlagValue;
}

/** The one name by which the program refers to a flag. */
export function flagId(definition: FlagDefinition): string {
  return definition.names.at(-1) ?? "";
}
