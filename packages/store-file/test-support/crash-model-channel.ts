import type { MessageLog, RecoveredChannel, RecoveredSubscription } from "@nats-streaming/store";
import { read } from "./place.ts";

/** Whether a flush has covered that something is there, or nobody was told, or it was removed. */
export type Certainty = "durable" | "unsure" | "gone";

/** What a flush covers of a channel. */
export interface ChannelMark {
  readonly last: number;
  readonly subscriptions: readonly (readonly [number, Certainty])[];
}

/** What is known of a channel: what was acknowledged, and what may be there besides. */
export class ChannelModel {
  /** The last sequence that a flush has covered. */
  durable = 0;
  last = 0;
  existence: Certainty = "unsure";
  readonly subscriptions = new Map<number, SubscriptionModel>();
  /** The first sequence that it ever had. */
  #since = 1;
  /** Payloads that were ever appended with a sequence; the last one is the one that counts once it is durable. */
  readonly #payloads = new Map<number, string[]>();

  /** What is left of a channel of which nothing is known. */
  static async leftOver(messages: MessageLog): Promise<ChannelModel> {
    const model = new ChannelModel();
    model.#since = Math.max(1, messages.firstSequence);
    for (let s: number = messages.firstSequence; s <= messages.lastSequence; s++) {
      model.#payloads.set(s, [(await read(messages, s)) ?? NOTHING]);
    }
    return model;
  }

  appended(sequence: number, payload: string): void {
    this.last = sequence;
    const known = this.#payloads.get(sequence);
    if (known === undefined) this.#payloads.set(sequence, [payload]);
    else known.push(payload);
  }

  created(id: number): void {
    this.subscriptions.set(id, new SubscriptionModel());
  }

  mark(): ChannelMark {
    return {
      last: this.last,
      subscriptions: [...this.subscriptions].map(([id, { certainty }]) => [id, certainty] as const),
    };
  }

  covered({ last, subscriptions }: ChannelMark): void {
    this.durable = last;
    this.existence = "durable";
    for (const [id, certainty] of subscriptions) {
      const known = this.subscriptions.get(id);
      if (known === undefined || known.certainty !== certainty) continue;
      if (certainty === "unsure") known.certainty = "durable";
      if (certainty === "gone") this.subscriptions.delete(id);
    }
  }

  async check(found: RecoveredChannel, what: string, kept: number, isExact: boolean): Promise<void> {
    await this.#checkMessages(found.messages, what, kept);
    const states = new Map(found.subscriptionStates.map((one) => [one.state.id, one]));
    for (const [id, model] of this.subscriptions) {
      const one = states.get(id);
      if (one !== undefined) model.check(one, `${what}: subscription ${id}`, isExact);
      else if (model.certainty === "durable") throw new Error(`${what}: subscription ${id} is lost`);
      else this.subscriptions.delete(id);
    }
    for (const [id, one] of states) {
      if (this.subscriptions.has(id)) continue;
      const model = new SubscriptionModel();
      model.take(one);
      this.subscriptions.set(id, model);
    }
    this.existence = "durable";
  }

  async #checkMessages(messages: MessageLog, what: string, kept: number): Promise<void> {
    const { firstSequence, lastSequence } = messages;
    if (lastSequence < this.durable)
      throw new Error(`${what}: messages after ${lastSequence} of ${this.durable} are lost`);
    const from = Math.max(this.#since, lastSequence - kept + 1);
    if (firstSequence > from) throw new Error(`${what}: messages from ${from} to ${firstSequence} are lost`);
    for (let s = from; s <= lastSequence; s++) {
      const payload = (await read(messages, s)) ?? NOTHING;
      const known = this.#payloads.get(s) ?? [];
      // Of what was not acknowledged any part may be left, such as a later slice without the end of the one before.
      const isRight = s <= this.durable ? payload === known.at(-1) : payload === NOTHING || known.includes(payload);
      if (!isRight)
        throw new Error(`${what}: message ${s} is ${payload.slice(0, 40)}, not ${known.at(-1)?.slice(0, 40)}`);
      this.#payloads.set(s, [payload]);
    }
    for (const s of [...this.#payloads.keys()]) if (s > lastSequence) this.#payloads.delete(s);
    this.durable = this.last = lastSequence;
  }
}

/** What is known of a subscription. Acks, positions and counts may be lost, but never be other than they ever were. */
export class SubscriptionModel {
  certainty: Certainty = "unsure";
  /** Count of redeliveries by sequence; 0 for none. */
  readonly pending = new Map<number, number>();
  /** Counts that a sequence ever had while it was pending. */
  readonly #ever = new Map<number, Set<number>>();

  added(sequence: number): void {
    if (!this.pending.has(sequence)) this.noted(sequence, 0);
  }

  noted(sequence: number, count: number): void {
    this.pending.set(sequence, count);
    const ever = this.#ever.get(sequence);
    if (ever === undefined) this.#ever.set(sequence, new Set([0, count]));
    else ever.add(count);
  }

  check(found: RecoveredSubscription, what: string, isExact: boolean): void {
    if (isExact && this.certainty === "gone") throw new Error(`${what}: it was removed, and is back`);
    for (const sequence of found.pending) {
      const count = found.redeliveries?.get(sequence) ?? 0;
      if (isExact ? this.pending.get(sequence) === count : this.#ever.get(sequence)?.has(count) === true) continue;
      throw new Error(`${what}: message ${sequence} is pending with ${count} redeliveries`);
    }
    if (isExact && found.pending.length !== this.pending.size) throw new Error(`${what}: lost what is pending`);
    for (const sequence of found.redeliveries?.keys() ?? []) {
      if (!found.pending.includes(sequence)) throw new Error(`${what}: ${sequence} has a count and is not pending`);
    }
    this.take(found);
  }

  take(found: RecoveredSubscription): void {
    this.certainty = "durable";
    this.pending.clear();
    this.#ever.clear();
    for (const sequence of found.pending) this.noted(sequence, found.redeliveries?.get(sequence) ?? 0);
  }
}

/** What a flush has covered is certain, unless it has changed since. */
export function keepSettled(target: Map<string, Certainty>, covered: Iterable<readonly [string, Certainty]>): void {
  for (const [key, certainty] of covered) {
    if (target.get(key) !== certainty) continue;
    if (certainty === "unsure") target.set(key, "durable");
    if (certainty === "gone") target.delete(key);
  }
}

const NOTHING = "nothing";
