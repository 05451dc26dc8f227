import type { RecoveredSubscription } from "@nats-streaming/store";

/**
 * The rules of delivery as a plain bookkeeper sees them: it is told what clients ask for and what they get, and objects to
 * what the rules do not allow. It decides nothing that the rules leave open, such as which member of a group is chosen.
 */

/** Passes group what is due this soon. @see delivery.md 7.2 */
const GROUPING_MILLIS = 15;
/** When what a leaving member had pending comes again. @see delivery.md 8.5 */
const HANDED_OVER_MILLIS = 100;
/** How late a redelivery may be, as a part of the ack wait. */
const LATE = 0.1;

export interface Delivery {
  readonly inbox: string;
  readonly sequence: number;
  /** 0 for a first delivery. */
  readonly count: number;
  readonly at: number;
  readonly data: string;
}

export interface SubscribeRequest {
  readonly client: string;
  readonly channel: string;
  readonly inbox: string;
  readonly durableName: string;
  readonly qGroup: string;
  readonly maxInFlight: number;
  readonly ackWait: number;
  readonly start: "new" | "last" | "first" | number;
}

export interface Member {
  readonly client: string;
  readonly inbox: string;
  readonly maxInFlight: number;
  readonly ackWait: number;
  readonly consumer: Consumer;
}

/** A message that was sent and not acknowledged. */
interface Sent {
  /** Who has it; undefined where the rules leave open whom a leaving member's message went to. */
  holder: Member | undefined;
  /** It may come again from here on, and has to until there. */
  early: number;
  late: number;
}

/** A plain subscription, a durable, or a queue group: what has one position. */
export interface Consumer {
  readonly channel: string;
  readonly key: string;
  readonly isDurable: boolean;
  readonly isGroup: boolean;
  members: Member[];
  lastSent: number;
  readonly pending: Map<number, Sent>;
  readonly counts: Map<number, number>;
}

interface Message {
  readonly data: string;
  readonly at: number;
}

export class RuleBroken extends Error {
  override readonly name = "RuleBroken";
}

function rule(holds: boolean, text: string): asserts holds {
  if (!holds) throw new RuleBroken(text);
}

export class Model {
  readonly clients = new Set<string>();
  readonly channels = new Map<string, Message[]>();
  readonly consumers = new Map<string, Consumer>();
  /** By delivery inbox. */
  readonly members = new Map<string, Member>();
  /** When the present server began. */
  #startedAt = 0;

  connect(client: string): void {
    this.clients.add(client);
  }

  /** The connection is closed, lost, or replaced. */
  disconnect(client: string, now: number): void {
    this.clients.delete(client);
    for (const member of [...this.members.values()]) if (member.client === client) this.leave(member, false, now);
  }

  published(channel: string, data: string, now: number): void {
    this.#messages(channel).push({ data, at: now });
  }

  /** @returns the error that the rules ask for, empty for success. */
  subscribe(request: SubscribeRequest, now: number): string {
    const { client, channel, durableName, qGroup } = request;
    if (!this.clients.has(client)) return "stan: unknown clientID";
    const isDurable = durableName !== "";
    const key = qGroup !== "" ? `g/${durableName}:${qGroup}` : isDurable ? `d/${client}/${durableName}` : request.inbox;
    const messages = this.#messages(channel);
    let consumer = this.consumers.get(`${channel}/${key}`);
    if (consumer !== undefined && qGroup === "" && consumer.members.length > 0) {
      return "stan: duplicate durable registration";
    }
    if (consumer === undefined) {
      consumer = {
        channel,
        key: `${channel}/${key}`,
        isDurable,
        isGroup: qGroup !== "",
        members: [],
        lastSent: startOf(request.start, messages.length),
        pending: new Map(),
        counts: new Map(),
      };
      this.consumers.set(consumer.key, consumer);
    }
    const { inbox, maxInFlight, ackWait } = request;
    const member: Member = { client, inbox, maxInFlight, ackWait, consumer };
    if (consumer.members.length === 0) {
      // Everything that is pending comes at once.
      for (const sent of consumer.pending.values()) Object.assign(sent, { holder: member, early: now, late: now });
    }
    consumer.members.push(member);
    this.members.set(inbox, member);
    return "";
  }

  leave(member: Member, unsubscribed: boolean, now: number): void {
    const { consumer } = member;
    this.members.delete(member.inbox);
    consumer.members = consumer.members.filter((other) => other !== member);
    if (consumer.members.length === 0) {
      if (!consumer.isDurable || unsubscribed) this.consumers.delete(consumer.key);
      return;
    }
    for (const sent of consumer.pending.values()) {
      if (sent.holder !== undefined && sent.holder !== member) continue;
      // What has no known holder may have been the leaving member's, or not.
      const latest = sent.holder === member ? 0 : sent.late;
      Object.assign(sent, {
        holder: undefined,
        early: Math.min(sent.early, now),
        late: Math.max(latest, now + HANDED_OVER_MILLIS),
      });
    }
  }

  acknowledge(inbox: string, sequence: number): void {
    const consumer = this.members.get(inbox)?.consumer;
    if (consumer?.pending.delete(sequence)) consumer.counts.delete(sequence);
  }

  deliver(delivery: Delivery): void {
    const { inbox, sequence, count, at, data } = delivery;
    const member = this.members.get(inbox);
    rule(member !== undefined, `${inbox} got ${sequence} though nobody is subscribed with it`);
    const { consumer } = member;
    const message = this.#messages(consumer.channel)[sequence - 1];
    rule(message?.data === data, `${sequence} of ${consumer.channel} came with other data than was published`);
    if (count === 0) this.#first(member, sequence, at);
    else this.#again(member, sequence, count, at);
  }

  #first(member: Member, sequence: number, at: number): void {
    const { consumer } = member;
    const wanted = consumer.lastSent + 1;
    rule(sequence === wanted, `${consumer.key} got ${sequence} as new instead of ${wanted}`);
    rule(heldBy(member) < member.maxInFlight, `${member.inbox} got ${sequence} beyond its max in flight`);
    consumer.lastSent = sequence;
    const due = at + member.ackWait;
    consumer.pending.set(sequence, { holder: member, early: due, late: due });
  }

  #again(member: Member, sequence: number, count: number, at: number): void {
    const { consumer } = member;
    const sent = consumer.pending.get(sequence);
    rule(sent !== undefined, `${consumer.key} got ${sequence} again though it is not pending`);
    const wanted = (consumer.counts.get(sequence) ?? 0) + 1;
    rule(count === wanted, `${consumer.key} got ${sequence} with count ${count} instead of ${wanted}`);
    rule(
      at >= sent.early - GROUPING_MILLIS - 1,
      `${consumer.key} got ${sequence} again ${sent.early - at} ms too early`,
    );
    this.#checkLate(consumer, sequence, sent, at);
    rule(consumer.isGroup || sent.holder === member, `${consumer.key} got ${sequence} on another inbox`);
    consumer.counts.set(sequence, count);
    // The cadence keeps its phase unless the redelivery was late.
    const after = (due: number): number => (at - due <= GROUPING_MILLIS ? due : at) + member.ackWait;
    if (sent.holder === member) Object.assign(sent, { early: after(sent.early), late: after(sent.late) });
    else if (sent.holder === undefined) Object.assign(sent, { early: after(sent.early), late: at + member.ackWait });
    else Object.assign(sent, { early: at + member.ackWait, late: at + member.ackWait });
    sent.holder = member;
  }

  /** The server was stopped and another one started: counts are gone, waits count from when a message was stored. */
  restarted(now: number): void {
    this.#startedAt = now;
    for (const consumer of this.consumers.values()) {
      consumer.counts.clear();
      if (consumer.members.length === 0) continue;
      for (const [sequence, sent] of consumer.pending) {
        const stored = this.#messages(consumer.channel)[sequence - 1]?.at ?? 0;
        const waits = (sent.holder === undefined ? consumer.members : [sent.holder]).map(({ ackWait }) => ackWait);
        sent.early = stored + Math.min(...waits);
        sent.late = stored + Math.max(...waits);
      }
    }
  }

  /**
   * The server was killed: acks and positions that were not flushed are lost, nothing else. Goes on from what is on disk.
   * @param recorded what the disk holds of a channel's subscriptions
   */
  killed(channel: string, recorded: readonly RecoveredSubscription[]): void {
    for (const consumer of this.consumers.values()) {
      if (consumer.channel !== channel) continue;
      const rows = recorded.filter(({ state }) => keyOf(channel, state) === consumer.key);
      rule(rows.length === Math.max(1, consumer.members.length), `${consumer.key} has ${rows.length} records`);
      const position = Math.max(...rows.map(({ state }) => state.lastSent));
      rule(position <= consumer.lastSent, `${consumer.key} was recorded at ${position}, beyond ${consumer.lastSent}`);
      const onDisk = new Map(rows.flatMap(({ state, pending }) => pending.map((sequence) => [sequence, state.inbox])));
      for (const sequence of consumer.pending.keys()) {
        rule(sequence > position || onDisk.has(sequence), `${consumer.key} lost ${sequence}`);
      }
      consumer.lastSent = position;
      consumer.pending.clear();
      for (const [sequence, inbox] of onDisk) {
        consumer.pending.set(sequence, { holder: this.members.get(inbox), early: 0, late: 0 });
      }
    }
  }

  /** What must hold at any quiet moment. */
  check(now: number): void {
    for (const consumer of this.consumers.values()) {
      if (consumer.members.length === 0) continue;
      const last = this.#messages(consumer.channel).length;
      const open = [...consumer.pending.values()].filter(({ holder }) => holder === undefined).length;
      const hasRoom = consumer.members.some((member) => heldBy(member) + open < member.maxInFlight);
      rule(
        !hasRoom || consumer.lastSent === last,
        `${consumer.key} stands at ${consumer.lastSent} of ${last} with room`,
      );
      for (const [sequence, sent] of consumer.pending) this.#checkLate(consumer, sequence, sent, now);
    }
  }

  #checkLate(consumer: Consumer, sequence: number, sent: Sent, at: number): void {
    const late = at - Math.max(sent.late, this.#startedAt);
    const waits = consumer.members.map(({ ackWait }) => ackWait);
    const allowed = Math.max(GROUPING_MILLIS, LATE * (sent.holder?.ackWait ?? Math.min(...waits)));
    rule(late <= allowed, `${consumer.key} did not get ${sequence} again for ${late} ms`);
  }

  #messages(channel: string): Message[] {
    let messages = this.channels.get(channel);
    if (messages === undefined) {
      messages = [];
      this.channels.set(channel, messages);
    }
    return messages;
  }
}

/** How many messages a member is known to have pending. */
export function heldBy(member: Member): number {
  let held = 0;
  for (const { holder } of member.consumer.pending.values()) if (holder === member) held++;
  return held;
}

/** Position before the first message. @see protocol.md 10.3, for a channel that keeps all its messages */
function startOf(start: SubscribeRequest["start"], last: number): number {
  if (start === "new") return last;
  if (start === "last") return Math.max(0, last - 1);
  if (start === "first") return 0;
  return Math.max(0, Math.min(start - 1, last));
}

function keyOf(channel: string, state: RecoveredSubscription["state"]): string {
  if (state.qGroup !== "") return `${channel}/g/${state.isDurable ? "" : ":"}${state.qGroup}`;
  return `${channel}/${state.durableName === "" ? state.inbox : `d/${state.clientId}/${state.durableName}`}`;
}
