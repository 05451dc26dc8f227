import type { Random, Sequence } from "@nats-streaming/kernel";
import type { FakeClock, SimulatedDisk } from "@nats-streaming/kernel/testing";
import type { ChannelStore, RecoveredState, SubState } from "@nats-streaming/store";
import { StoreError } from "@nats-streaming/store";
import type { FileStore } from "../src/file-store.ts";
import { type Certainty, ChannelModel, keepSettled } from "./crash-model-channel.ts";

/** Messages that a channel's limits leave. */
export const KEPT = 30;
const STEPS_MAX = 50;

/** Works on a store from a seed, and knows what must be there after a crash, and what may be. */
export class CrashModel {
  readonly channels = new Map<string, ChannelModel>();
  readonly #clients = new Map<string, Certainty>();
  readonly #deleted = new Set<string>();
  readonly #random: Random;
  #payload = 0;
  /** A sync has failed: the store may not make anything durable any more. */
  isFinal = false;

  constructor(random: Random) {
    this.#random = random;
  }

  upTo(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  /** What a server does from one start to the next. Returns early when the machine stops or a sync fails. */
  async session(
    store: FileStore,
    state: RecoveredState | undefined,
    disk: SimulatedDisk,
    clock: FakeClock,
  ): Promise<void> {
    const logs = new Map<string, ChannelStore>(state?.channels ?? []);
    const steps = this.upTo(STEPS_MAX);
    for (let i = 0; i < steps && disk.isRunning && !this.isFinal; i++) {
      const chance = this.#random.next();
      const name = `c${this.upTo(4)}`;
      if (chance < 0.55) this.#append(store, logs, name, disk);
      else if (chance < 0.72) await this.flush(store, disk);
      else if (chance < 0.85) this.#subscribe(logs.get(name), name);
      else if (chance < 0.9) this.#client(store);
      else if (chance < 0.94) await clock.advanceAsync(700);
      else if (chance < 0.96) {
        // The engine leaves nothing unflushed for so long: what an auto sync refused, nobody would be told.
        await this.flush(store, disk);
        await clock.advanceAsync(61_000);
      } else if (chance < 0.985) await this.#delete(store, logs, name, disk);
      else disk.limitSpace(this.upTo(2) === 0 ? undefined : disk.usedBytes + 4096 * this.upTo(12));
    }
  }

  #append(store: FileStore, logs: Map<string, ChannelStore>, name: string, disk: SimulatedDisk): void {
    let channel = logs.get(name);
    if (channel === undefined) {
      // Even an attempt may leave an empty directory, which is a channel.
      this.#deleted.delete(name);
      try {
        channel = store.createChannel(name);
      } catch (error) {
        const isKnown =
          error instanceof StoreError && (error.code === "write_failed" || error.code === "already_exists");
        // It exists where its deletion has failed half-way.
        if (disk.isRunning && !isKnown) throw error;
        return;
      }
      logs.set(name, channel);
      this.channels.set(name, new ChannelModel());
    }
    const model = this.channels.get(name)!;
    const payload = `${name} ${++this.#payload} ${"x".repeat(this.upTo(this.upTo(10) === 0 ? 6000 : 120))}`;
    const bytes = Buffer.from(payload);
    const sequence = (channel.messages.lastSequence + 1) as Sequence;
    const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length };
    channel.messages.append(sequence, message, { millis: 1_700_000_000_000 + this.#payload, nanos: 5 });
    model.appended(sequence, payload);
  }

  async flush(store: FileStore, disk: SimulatedDisk): Promise<void> {
    const covered = [...this.channels].map(([name, model]) => [name, model, model.mark()] as const);
    const clients = [...this.#clients];
    try {
      await store.flush();
    } catch (error) {
      if (!disk.isRunning) return new Promise<never>(() => {});
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "sync_failed") return this.#refuses(store);
      if (error.code !== "write_failed") throw error;
      // Everything that no flush has covered is taken back.
      for (const model of this.channels.values()) model.last = model.durable;
      return;
    }
    if (!disk.isRunning) return new Promise<never>(() => {});
    for (const [name, model, mark] of covered) if (this.channels.get(name) === model) model.covered(mark);
    keepSettled(this.#clients, clients);
  }

  /** A failed sync is final: nothing is acknowledged after it. */
  async #refuses(store: FileStore): Promise<void> {
    this.isFinal = true;
    try {
      await store.flush();
    } catch (error) {
      if (error instanceof StoreError && error.code === "sync_failed") return;
      throw error;
    }
    throw new Error("a flush succeeds after a sync has failed");
  }

  #subscribe(channel: ChannelStore | undefined, name: string): void {
    if (channel === undefined) return;
    const { subscriptions } = channel;
    const model = this.channels.get(name)!;
    const ids = [...model.subscriptions.keys()].filter((id) => model.subscriptions.get(id)?.certainty !== "gone");
    const id = ids[this.upTo(ids.length)];
    const chance = this.#random.next();
    if (id === undefined || chance < 0.2) {
      model.created(subscriptions.create(subscription(name)));
      return;
    }
    const known = model.subscriptions.get(id)!;
    const pending = [...known.pending.keys()];
    const sequence = pending[this.upTo(pending.length)];
    if (chance < 0.27) {
      subscriptions.delete(id);
      known.certainty = "gone";
      known.pending.clear();
    } else if (sequence === undefined || chance < 0.5) {
      const added = 1 + this.upTo(model.last + 1);
      subscriptions.addPending(id, added);
      known.added(added);
    } else if (chance < 0.75) {
      subscriptions.ackPending(id, sequence);
      known.pending.delete(sequence);
    } else {
      const count = 1 + (known.pending.get(sequence) ?? 0);
      subscriptions.noteRedelivery?.(id, sequence, count);
      known.noted(sequence, count);
    }
  }

  #client(store: FileStore): void {
    const id = `client${this.upTo(5)}`;
    const info = { id, hbInbox: "hb", connId: new Uint8Array(4), protocol: 1, pingInterval: 5, pingMaxOut: 3 };
    if (this.#random.next() < 0.6) {
      store.addClient(info);
      this.#clients.set(id, this.#clients.get(id) === "durable" ? "durable" : "unsure");
    } else {
      store.deleteClient(id);
      this.#clients.set(id, "gone");
    }
  }

  async #delete(store: FileStore, logs: Map<string, ChannelStore>, name: string, disk: SimulatedDisk): Promise<void> {
    if (!logs.has(name)) return;
    // What was in the middle of being deleted may be there in any part.
    this.channels.delete(name);
    logs.delete(name);
    try {
      await store.deleteChannel(name);
    } catch (error) {
      if (!disk.isRunning) return new Promise<never>(() => {});
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "sync_failed") return this.#refuses(store);
      return;
    }
    if (!disk.isRunning) return new Promise<never>(() => {});
    this.#deleted.add(name);
  }

  /**
   * Holds what was recovered against what must be there; from then on that is what must be there.
   * @param isExact the store was closed cleanly: what nobody waited for is there as well
   */
  async check(state: RecoveredState, what: string, isExact: boolean): Promise<void> {
    for (const [name, { messages }] of state.channels) {
      if (this.#deleted.has(name)) throw new Error(`${what}: ${name} was deleted, and is back`);
      // It was being deleted when the machine stopped: any part of it may be left.
      if (!this.channels.has(name)) this.channels.set(name, await ChannelModel.leftOver(messages));
    }
    for (const [name, model] of this.channels) {
      const found = state.channels.get(name);
      if (found !== undefined) await model.check(found, `${what}: ${name}`, KEPT, isExact);
      else if (model.existence === "durable") throw new Error(`${what}: channel ${name} is lost`);
      else this.channels.delete(name);
    }
    const clients = new Set(state.clients.map(({ id }) => id));
    for (const [id, certainty] of this.#clients) {
      if (certainty === "durable" && !clients.has(id)) throw new Error(`${what}: client ${id} is lost`);
      if (isExact && clients.has(id) === (certainty === "gone"))
        throw new Error(`${what}: client ${id} is ${certainty}`);
      if (clients.has(id)) this.#clients.set(id, "durable");
      else this.#clients.delete(id);
    }
  }
}

function subscription(name: string): SubState {
  return {
    id: 0,
    clientId: "c",
    qGroup: "",
    inbox: `inbox ${name}`,
    ackInbox: "acks",
    maxInFlight: 10,
    ackWaitInSecs: 30,
    durableName: "d",
    lastSent: 0,
    isDurable: true,
    isClosed: false,
  };
}
