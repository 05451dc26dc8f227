import { type ConflictSearch, createConflictSearch } from "./conflict-search.ts";
import { listChange } from "./list-change.ts";

/** A changed list of a server that serves: what it adds is checked against the others before it counts. */
export interface Proposal {
  /** The whole list as it is to be. Byte strings. */
  readonly names: readonly string[];
  /** What it has that the present list has not. */
  readonly added: readonly string[];
  readonly search: ConflictSearch;
}

export function createProposal(present: readonly string[], names: readonly string[]): Proposal {
  const { added } = listChange(present, names);
  return { names, added, search: createConflictSearch(added) };
}
