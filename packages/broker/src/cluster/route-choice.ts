/** A route between this server and another, as far as it matters which of two to keep. */
export interface Candidate {
  /** This server has opened it. */
  readonly isSolicited: boolean;
}

export interface RouteChoice {
  readonly ownId: string;
  readonly remoteId: string;
  /** The one in use. */
  readonly current: Candidate;
  /** The one that came later. */
  readonly next: Candidate;
}

/**
 * Which of two routes between the same two servers stays, when each server has opened one: that of the server with the
 * lesser identity. Both come to the same answer, whatever order things happened in for them. Of two that one server has
 * opened, the first stays.
 */
export function choose({ ownId, remoteId, current, next }: RouteChoice): "current" | "next" {
  if (current.isSolicited === next.isSolicited) return "current";
  return next.isSolicited === ownId < remoteId ? "next" : "current";
}

/**
 * Whether the choice can be made at once: where the other server makes it by the same rule, or where this one has opened
 * both. Else (nats-server keeps whichever it has heard of first) the other decides, by closing one of them.
 */
export function isSettledAtOnce(choice: RouteChoice, settlesById: boolean): boolean {
  if (choice.current.isSolicited === choice.next.isSolicited) return choice.current.isSolicited;
  return settlesById;
}
