/** Since when a server serves. Two servers compare the same two pairs, so they never both take themselves for the elder. */
export interface Tenure {
  /** Wall-clock milliseconds since 1970. */
  readonly since: number;
  readonly serverId: string;
}

/**
 * Whether `a` has served longer than `b`; of two that began in the same millisecond, the lower server ID counts as the
 * elder. Clocks that are apart can make the wrong one the elder, but never both, and never neither.
 */
export function isElder(a: Tenure, b: Tenure): boolean {
  return a.since < b.since || (a.since === b.since && a.serverId < b.serverId);
}

/** What another server says of itself. */
export type Standing =
  | { readonly kind: "serving"; readonly since: number }
  /** In its start-up check, or only asking. */
  | { readonly kind: "starting" }
  /** It did not answer: it is gone, or of another kind. `isKnown`: it is of this kind, so it is gone or cut off. */
  | { readonly kind: "silent"; readonly isKnown: boolean };

/** Server IDs are tokens of subjects here; what else a peer sends in their place is of no use. */
export function isServerId(id: string): boolean {
  return SERVER_ID.test(id);
}

const SERVER_ID = /^[0-9A-Za-z_-]{1,64}$/;

/** What becomes of two servers that serve overlapping lists when they meet. */
export type ConflictRule =
  /** The one that has served longer stays. */
  | "younger_exits"
  /** Whoever is told of a conflict ends, as in the original. */
  | "exit_all";
