import type { Channel } from "./channel.ts";
import type { Subscription } from "./subscription.ts";

/**
 * A queue group of a channel: each new message goes to one member.
 *
 * A durable group outlives its members: what the last one leaves, its record, position and pending messages, is kept as
 * the `shadow`, an offline subscription that the next member takes over.
 *
 * @see delivery.md 8
 */
export interface QueueGroup {
  readonly channel: Channel;
  /** The group name; for durable groups `<durable>:<group>`. */
  readonly key: string;
  readonly isDurable: boolean;
  /** In the order in which they are chosen on a tie. */
  readonly members: Subscription[];
  shadow: Subscription | undefined;
  /** Highest sequence sent to any member. */
  lastSent: number;
  readonly redeliveries: Map<number, number>;
  /** New messages are withheld until every member has had its redelivery after a restart of the server. */
  onHold: boolean;
  loading: boolean;
}

/**
 * What names a group within its channel: the group name, for durable groups with the durable name before it.
 * @see protocol.md 10.5
 */
export function groupKey(request: { readonly qGroup: string; readonly durableName: string }): string {
  return request.durableName === "" ? request.qGroup : `${request.durableName}:${request.qGroup}`;
}

/**
 * The member that gets a message: of those that are neither stalled nor failing the one with the fewest pending, the first
 * in the list on a tie. Without such a member, a new message goes to a failing one that has room, and a redelivery
 * (`forced`), which nothing may hold back, to the first in the list.
 * A member taken from the head of the list goes to its end, which makes equal load a strict rotation.
 * @returns undefined when no member can be sent anything.
 * @see delivery.md 8.2
 */
export function pickMember(group: QueueGroup, forced: boolean): Subscription | undefined {
  const members = group.members;
  let chosen = -1;
  let fallback = -1;
  let fewest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < members.length; i++) {
    const member = members[i]!;
    if (member.state === "live" && !member.ownerFailing) {
      if (member.pending.size < fewest) {
        fewest = member.pending.size;
        chosen = i;
      }
    } else if (fallback < 0 && (member.state === "live" || (forced && member.state === "stalled"))) {
      fallback = i;
    }
  }
  if (chosen < 0) chosen = fallback;
  if (chosen < 0) return undefined;
  const member = members[chosen]!;
  if (chosen === 0 && members.length > 1) {
    members.shift();
    members.push(member);
  }
  return member;
}

/** Whether any member takes new messages. A group without one costs no look-up when a message is published. */
export function hasRoom(group: QueueGroup): boolean {
  for (const member of group.members) {
    if (member.state === "live") return true;
  }
  return false;
}
