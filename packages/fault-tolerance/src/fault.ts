import { textToByteString } from "@nats-streaming/protocol";
import type { StoreKind } from "@nats-streaming/store";
import { faultToleranceTexts } from "./texts.ts";

/** What decides whether a server may be a member of a group at all. */
export interface FaultToleranceSetup {
  /** `ft_group` as configured; empty: no fault tolerance, and nothing is wrong with that. */
  readonly group: string;
  readonly storeKind: StoreKind;
  /** Root directory of a file store; empty for none. */
  readonly directory: string;
  /** Whether streaming clustering is configured too. */
  readonly clustered: boolean;
}

/**
 * Why a server with this configuration must not start, in the original's words where it has any; undefined when it may.
 * @see fault-tolerance.md 2
 */
export function faultToleranceFault(setup: FaultToleranceSetup): string | undefined {
  const { group, storeKind, directory, clustered } = setup;
  if (group === "") return undefined;
  if (storeKind !== "FILE" && storeKind !== "SQL") return faultToleranceTexts.unsupportedStore;
  if (storeKind === "FILE" && directory === "") return faultToleranceTexts.noDirectory;
  if (clustered) return faultToleranceTexts.withClustering;
  if (!isSubjectPart(group)) return faultToleranceTexts.badGroup(textToByteString(group));
  return undefined;
}

/** Dots are fine: the name then makes several parts of the subject. */
function isSubjectPart(group: string): boolean {
  for (const character of group) if (character <= " " || character === "\x7f") return false;
  return group.split(".").every((part) => part !== "" && part !== "*" && part !== ">");
}
