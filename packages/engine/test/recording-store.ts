import type { Clock, Logger, Sequence, Timestamp, TimestampNanos } from "@nats-streaming/kernel";
import { byteStringBytes } from "@nats-streaming/protocol";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import {
  type ChannelLimits,
  type ChannelStore,
  type ClientInfo,
  type IncomingMessage,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  LOOKUP_NONE,
  type LockOutcome,
  type Lookup,
  type MessageLog,
  type RecoveredChannel,
  type RecoveredState,
  type RecoveredSubscription,
  type ServerInfo,
  type Store,
  type StoredMessage,
  StoreError,
  type StoreKind,
  type StoreLimits,
  type SubState,
  type SubscriptionLog,
  storeError,
} from "@nats-streaming/store";
import { createMemoryStore } from "@nats-streaming/store-memory";

interface Row {
  state: SubState;
  readonly pending: Set<number>;
  readonly redeliveries: Map<number, number>;
}

interface DiskChannel {
  readonly messages: MessageLog;
  readonly rows: Map<number, Row>;
  highestId: number;
}

/** What a flush has made durable: as much of it as the engine can tell apart. */
interface Durable {
  readonly clients: Map<string, ClientInfo>;
  readonly channels: Map<string, { readonly last: number; readonly rows: Map<number, Row> }>;
}

/** What outlives an engine: the logs of a memory store, and what was recorded beside them. */
export class Disk {
  readonly memory: Store;
  readonly clock: Clock;
  serverInfo: ServerInfo | undefined;
  clients = new Map<string, ClientInfo>();
  readonly channels = new Map<string, DiskChannel>();
  durable: Durable = { clients: new Map(), channels: new Map() };

  constructor(clock: Clock, logger: Logger, limits: StoreLimits) {
    this.clock = clock;
    this.memory = createMemoryStore({ clock, logger, limits });
  }

  snapshot(): Durable {
    const channels: Durable["channels"] = new Map();
    for (const [name, { messages, rows }] of this.channels) {
      channels.set(name, { last: messages.lastSequence, rows: copyRows(rows) });
    }
    return { clients: new Map(this.clients), channels };
  }

  /** Takes back every message that no flush has covered, as the contract says of a flush that failed to write. */
  takeBackMessages(): void {
    for (const [name, { messages }] of this.channels) {
      truncate(messages, this.durable.channels.get(name)?.last ?? 0);
    }
  }

  /** The machine has died: what no flush has covered is gone. */
  async loseUnflushed(): Promise<void> {
    this.takeBackMessages();
    this.clients = new Map(this.durable.clients);
    for (const [name, channel] of [...this.channels]) {
      const kept = this.durable.channels.get(name);
      if (kept === undefined) {
        this.channels.delete(name);
        await this.memory.deleteChannel(name);
        continue;
      }
      channel.rows.clear();
      for (const [id, row] of copyRows(kept.rows)) channel.rows.set(id, row);
    }
  }

  /** The subscriptions of a channel as an engine that starts now would find them. */
  recorded(channel: string): RecoveredSubscription[] {
    return [...(this.channels.get(channel)?.rows.values() ?? [])].map(({ state, pending, redeliveries }) => ({
      state,
      pending: [...pending].sort((a, b) => a - b),
      redeliveries: new Map(redeliveries),
    }));
  }
}

function copyRows(rows: ReadonlyMap<number, Row>): Map<number, Row> {
  return new Map(
    [...rows].map(([id, { state, pending, redeliveries }]) => [
      id,
      { state, pending: new Set(pending), redeliveries: new Map(redeliveries) },
    ]),
  );
}

function truncate(log: MessageLog, last: number): void {
  if (log.lastSequence <= last) return;
  const kept: { sequence: Sequence; bytes: Uint8Array }[] = [];
  const out: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  for (let sequence = log.firstSequence; sequence <= last; sequence = (sequence + 1) as Sequence) {
    if (log.lookup(sequence, out) === LOOKUP_FOUND) kept.push({ sequence, bytes: out.bytes.slice(out.start, out.end) });
  }
  log.empty();
  for (const { sequence, bytes } of kept) {
    const decoded = decodeMsgProto(bytes);
    if (decoded.kind === "invalid") throw new Error(decoded.reason);
    const reply = byteStringBytes(decoded.value.reply);
    const payload = Buffer.concat([reply, decoded.value.data]);
    const nanos = Number(decoded.value.timestamp % 1_000_000n);
    const message: IncomingMessage = {
      bytes: payload,
      replyStart: 0,
      replyEnd: reply.length,
      dataStart: reply.length,
      dataEnd: payload.length,
    };
    log.append(sequence, message, { millis: Number(decoded.value.timestamp / 1_000_000n), nanos });
  }
}

/** Operations that take time; a test may hold them and let each end, well or badly. */
export type SlowOperation = "flush" | "load" | "deleteChannel" | "sequenceFromTimestamp";

export type FailingOperation = SlowOperation | "createChannel" | "append" | "create" | "addClient" | "deleteClient";

interface Held {
  readonly operation: SlowOperation;
  readonly succeed: () => void;
  readonly fail: (error: StoreError) => void;
}

/**
 * A store over a {@link Disk} that keeps all an engine tells it and hands it to the next engine, in a test's hands: which
 * operations fail, which wait, and what has to be brought into memory before it can be read.
 */
export class RecordingStore implements Store {
  readonly kind: StoreKind = "FILE";
  readonly disk: Disk;
  /** Flushes end in a later microtask rather than at once. */
  isAsync = false;
  /** Slow operations that wait for {@link release} or {@link refuse}. */
  readonly holding = new Set<SlowOperation>();
  readonly held: Held[] = [];
  /** Operations that fail as long as they are here. A flush that fails to write takes back its messages. */
  readonly failing = new Map<FailingOperation, StoreError>();
  /** Which messages are not in memory unless they were loaded in the same turn. */
  isCold: (channel: string, sequence: number) => boolean = () => false;
  /** Messages that a look-up does not find, and such that it finds empty. */
  isMissing: (sequence: number) => boolean = () => false;
  isEmpty: (sequence: number) => boolean = () => false;
  lookups = 0;
  /** Changes that were asked for after the store was closed: there must not be any. */
  readonly late: string[] = [];
  #isClosed = false;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  /** Lets the longest-held operation of that kind succeed. */
  release(operation: SlowOperation): void {
    this.#takeHeld(operation).succeed();
  }

  /** Lets the longest-held operation of that kind fail. */
  refuse(operation: SlowOperation, error: StoreError): void {
    this.#takeHeld(operation).fail(error);
  }

  heldCount(operation: SlowOperation): number {
    return this.held.filter((one) => one.operation === operation).length;
  }

  /** The process that uses this store is gone: nothing it still tries has an effect. */
  cutOff(): void {
    this.#isClosed = true;
  }

  async acquireLock(): Promise<LockOutcome> {
    return { kind: "acquired" };
  }

  async init(info: ServerInfo): Promise<void> {
    this.disk.serverInfo = info;
  }

  async recover(): Promise<RecoveredState | undefined> {
    const { serverInfo, clients, channels } = this.disk;
    if (serverInfo === undefined) {
      if (channels.size > 0) throw storeError("no_server_info");
      return undefined;
    }
    const recovered = new Map<string, RecoveredChannel>();
    for (const name of channels.keys()) {
      recovered.set(name, { ...this.#channel(name), subscriptionStates: this.disk.recorded(name) });
    }
    return { serverInfo, clients: [...clients.values()], channels: recovered };
  }

  setLimits(limits: StoreLimits): void {
    this.disk.memory.setLimits(limits);
  }

  get limits(): StoreLimits {
    return this.disk.memory.limits;
  }

  channelLimits(channel: string): ChannelLimits | undefined {
    return this.disk.memory.channelLimits(channel);
  }

  createChannel(channel: string): ChannelStore {
    this.fail("createChannel");
    const { messages } = this.disk.memory.createChannel(channel);
    this.disk.channels.set(channel, { messages, rows: new Map(), highestId: 0 });
    return this.#channel(channel);
  }

  deleteChannel(channel: string): Promise<void> {
    return this.slowly("deleteChannel", async () => {
      await this.disk.memory.deleteChannel(channel);
      this.disk.channels.delete(channel);
      this.disk.durable.channels.delete(channel);
    });
  }

  addClient(client: ClientInfo): void {
    this.fail("addClient");
    if (this.changes("addClient")) this.disk.clients.set(client.id, client);
  }

  deleteClient(clientId: string): void {
    this.fail("deleteClient");
    if (this.changes("deleteClient")) this.disk.clients.delete(clientId);
  }

  flush(): Promise<void> | undefined {
    const { disk } = this;
    const written = disk.snapshot();
    const succeed = (): void => {
      if (!this.#isClosed) disk.durable = written;
    };
    if (!this.isAsync && !this.failing.has("flush") && !this.holding.has("flush")) {
      succeed();
      return undefined;
    }
    return this.slowly("flush", async () => succeed());
  }

  totals(): { readonly messages: number; readonly bytes: number } {
    return this.disk.memory.totals();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.disk.durable = this.disk.snapshot();
    this.#isClosed = true;
  }

  /** @internal */
  fail(operation: FailingOperation): void {
    const error = this.failing.get(operation);
    if (error !== undefined) throw error;
  }

  /** @internal Whether a change may be made; notes it when it comes too late. */
  changes(operation: string): boolean {
    if (this.#isClosed) this.late.push(operation);
    return !this.#isClosed;
  }

  /** @internal */
  async slowly<T>(operation: SlowOperation, act: () => T | Promise<T>): Promise<T> {
    try {
      if (this.holding.has(operation)) {
        await new Promise<void>((succeed, fail) => this.held.push({ operation, succeed, fail }));
      }
      this.fail(operation);
    } catch (error) {
      if (operation === "flush" && error instanceof StoreError && error.code === "write_failed") {
        this.disk.takeBackMessages();
      }
      throw error;
    }
    return act();
  }

  #takeHeld(operation: SlowOperation): Held {
    const at = this.held.findIndex((one) => one.operation === operation);
    const [held] = at < 0 ? [] : this.held.splice(at, 1);
    if (held === undefined) throw new Error(`no ${operation} is held`);
    return held;
  }

  #channel(name: string): ChannelStore {
    const channel = this.disk.channels.get(name);
    if (channel === undefined) throw new Error(`no channel ${name}`);
    return {
      messages: new RecordingLog(this, channel.messages),
      subscriptions: new RecordingSubscriptions(this, name, channel),
    };
  }
}

class RecordingLog implements MessageLog {
  readonly channel: string;
  readonly #store: RecordingStore;
  readonly #log: MessageLog;
  /** What was loaded, for the rest of the turn. */
  #warm = new Set<number>();

  constructor(store: RecordingStore, log: MessageLog) {
    this.channel = log.channel;
    this.#store = store;
    this.#log = log;
  }

  get firstSequence(): Sequence {
    return this.#log.firstSequence;
  }

  get lastSequence(): Sequence {
    return this.#log.lastSequence;
  }

  get count(): number {
    return this.#log.count;
  }

  get bytes(): number {
    return this.#log.bytes;
  }

  append(sequence: Sequence, message: IncomingMessage, timestamp: Timestamp): void {
    this.#store.fail("append");
    if (this.#store.changes("append")) this.#log.append(sequence, message, timestamp);
  }

  lookup(sequence: number, out: StoredMessage): Lookup {
    this.#store.lookups++;
    const isThere = sequence >= this.firstSequence && sequence <= this.lastSequence;
    if (isThere && this.#store.isCold(this.channel, sequence) && !this.#warm.has(sequence)) return LOOKUP_COLD;
    if (this.#store.isMissing(sequence)) return LOOKUP_NONE;
    const found = this.#log.lookup(sequence, out);
    if (this.#store.isEmpty(sequence)) out.end = out.start;
    return found;
  }

  load(from: number, count: number): Promise<void> {
    return this.#store.slowly("load", () => {
      const warm = this.#warm;
      for (let sequence = from; sequence < from + count; sequence++) warm.add(sequence);
      this.#store.disk.clock.defer(() => {
        if (this.#warm === warm) this.#warm = new Set();
      });
    });
  }

  sequenceFromTimestamp(timestamp: TimestampNanos): number | Promise<number> {
    const { holding, failing } = this.#store;
    if (!holding.has("sequenceFromTimestamp") && !failing.has("sequenceFromTimestamp")) {
      return this.#log.sequenceFromTimestamp(timestamp);
    }
    return this.#store.slowly("sequenceFromTimestamp", () => this.#log.sequenceFromTimestamp(timestamp));
  }

  empty(): void {
    this.#log.empty();
  }
}

class RecordingSubscriptions implements SubscriptionLog {
  readonly #store: RecordingStore;
  readonly #name: string;
  readonly #channel: DiskChannel;

  constructor(store: RecordingStore, name: string, channel: DiskChannel) {
    this.#store = store;
    this.#name = name;
    this.#channel = channel;
  }

  get count(): number {
    return this.#channel.rows.size;
  }

  create(state: SubState): number {
    this.#store.fail("create");
    const limit = this.#store.channelLimits(this.#name)?.maxSubscriptions ?? 0;
    if (limit > 0 && this.count >= limit) throw storeError("too_many_subscriptions");
    const id = this.#channel.highestId + 1;
    this.update({ ...state, id });
    return id;
  }

  update(state: SubState): void {
    if (!this.#store.changes("update")) return;
    const channel = this.#channel;
    channel.highestId = Math.max(channel.highestId, state.id);
    const { pending, redeliveries } = channel.rows.get(state.id) ?? { pending: new Set(), redeliveries: new Map() };
    channel.rows.set(state.id, { state, pending, redeliveries });
  }

  delete(id: number): void {
    if (this.#store.changes("delete")) this.#channel.rows.delete(id);
  }

  addPending(id: number, sequence: number): void {
    const row = this.#channel.rows.get(id);
    if (!this.#store.changes("addPending") || row === undefined) return;
    row.pending.add(sequence);
    if (sequence > row.state.lastSent) row.state = { ...row.state, lastSent: sequence };
  }

  ackPending(id: number, sequence: number): void {
    if (!this.#store.changes("ackPending")) return;
    this.#channel.rows.get(id)?.pending.delete(sequence);
    this.#channel.rows.get(id)?.redeliveries.delete(sequence);
  }

  noteRedelivery(id: number, sequence: number, count: number): void {
    const row = this.#channel.rows.get(id);
    if (this.#store.changes("noteRedelivery") && row?.pending.has(sequence)) row.redeliveries.set(sequence, count);
  }
}
