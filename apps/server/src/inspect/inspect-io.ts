import type { InspectClient } from "./inspect-client.ts";
import type { InspectRequest } from "./inspect-flags.ts";

/** What a command of inspection works with. */
export interface InspectContext {
  readonly request: InspectRequest;
  readonly client: InspectClient;
  /** Prints to standard output as it is. */
  readonly print: (text: string) => void;
  /** Of the terminal; undefined when it is none. */
  readonly columns: number | undefined;
  /** Settles after so long; may reject when the command is to end. */
  readonly sleep: (millis: number) => Promise<void>;
  /** The command is to end. */
  readonly isOver: () => boolean;
}

/** A whole number in a flag. @throws RangeError with the remedy */
export function numberFlag(
  request: InspectRequest,
  name: "limit" | "offset" | "last" | "count",
  otherwise: number,
  most: number,
): number {
  const text = request.values.get(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  const least = name === "offset" ? 0 : 1;
  if (!(value >= least && value <= most)) {
    throw new RangeError(`--${name} ${JSON.stringify(text)} is no number from ${least} to ${most}`);
  }
  return value;
}

/** One JSON document, indented. */
export function printJson({ print }: InspectContext, value: unknown): void {
  print(`${JSON.stringify(value, undefined, 2)}\n`);
}
