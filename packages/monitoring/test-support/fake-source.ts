import { type Clock, systemClock, timestampNanos } from "@nats-streaming/kernel";
import {
  type BacklogSnapshot,
  type BrokerDirectory,
  type ChannelTotals,
  type ClientSubscription,
  createNameIndex,
  type FileDescriptors,
  type Integer,
  type MonitoredChannel,
  type MonitoredClient,
  type MonitoringSource,
  type NameIndex,
  type PartitionSnapshot,
  type ServerSnapshot,
  type StorageSnapshot,
  type StoreSnapshot,
  type StoreTotals,
  type SubscriptionSnapshot,
  type WorkSnapshot,
} from "../src/index.ts";

/** The server of the samples in monitoring.md, to be changed at will. */
export class FakeSource implements MonitoringSource {
  serverSnapshot: ServerSnapshot & Pick<StoreTotals, "subscriptions"> = {
    clusterId: "test-cluster",
    serverId: "KUHrGoxQSpXTZBqqMAPA3v",
    version: "0.25.6",
    runtime: "go1.19.8",
    state: "STANDALONE",
    phase: "active",
    name: "test-cluster",
    startTime: nanosOf("2026-11-22T13:57:44.919842039Z"),
    uptimeMillis: 5_713,
    clients: 0,
    subscriptions: 0,
    channels: 0,
    inMessages: 0,
    inBytes: 0,
    outMessages: 0,
    outBytes: 0,
  };
  storeSnapshot: StoreSnapshot = { type: "MEMORY", limits: { maxChannels: 100, ...UNLIMITED, channels: [] } };
  storeTotals: ChannelTotals = { messages: 0, bytes: 0 };
  /** Thrown by {@link totals} when set. */
  totalsFailure: Error | undefined;
  fileDescriptors?: FileDescriptors;
  partitionMap: PartitionSnapshot | undefined;
  workSnapshot: WorkSnapshot | undefined;
  storageSnapshot: StorageSnapshot | undefined;
  broker?: BrokerDirectory;

  readonly clients = new FakeDirectory<MonitoredClient>();
  readonly channels = new FakeDirectory<MonitoredChannel>();

  server(): ServerSnapshot {
    return this.serverSnapshot;
  }

  store(): StoreSnapshot {
    return this.storeSnapshot;
  }

  async partitions(): Promise<PartitionSnapshot | undefined> {
    return this.partitionMap;
  }

  work(): WorkSnapshot | undefined {
    return this.workSnapshot;
  }

  storage(): StorageSnapshot | undefined {
    return this.storageSnapshot;
  }

  async totals(): Promise<StoreTotals> {
    if (this.totalsFailure !== undefined) throw this.totalsFailure;
    return { ...this.storeTotals, subscriptions: this.serverSnapshot.subscriptions };
  }
}

export const UNLIMITED = { maxMessages: 0, maxBytes: 0, maxAge: 0, maxSubscriptions: 0, maxInactivity: 0 };

export class FakeDirectory<T> {
  readonly #index: NameIndex = createNameIndex();
  readonly #items = new Map<string, T>();
  /** Names that were looked up, to see what a request touches. */
  readonly found: string[] = [];

  get count(): number {
    return this.#index.size;
  }

  set(name: string, item: T): void {
    this.#index.add(name);
    this.#items.set(name, item);
  }

  delete(name: string): void {
    this.#index.delete(name);
    this.#items.delete(name);
  }

  /** Lets the item go, but not its name: as if it went between the cutting of a page and its printing. */
  vanish(name: string): void {
    this.#items.delete(name);
  }

  page(offset: number, limit: number): readonly string[] {
    return this.#index.page(offset, limit);
  }

  find(name: string): T | undefined {
    this.found.push(name);
    return this.#items.get(name);
  }
}

export function fakeClient(
  id: string,
  heartbeatInbox: string,
  subscriptions: ClientSubscription[] = [],
): MonitoredClient {
  return { id, heartbeatInbox, subscriptionCount: subscriptions.length, subscriptions: () => subscriptions };
}

export function fakeChannel(
  name: string,
  state: { messages?: Integer; bytes?: Integer; first?: Integer; last?: Integer } = {},
  subscriptions: SubscriptionSnapshot[] = [],
  backlogs: BacklogSnapshot[] = [],
): MonitoredChannel {
  return {
    name,
    messageState: () => ({ messages: state.messages ?? 0, bytes: state.bytes ?? 0 }),
    sequences: () => ({ first: state.first ?? 0, last: state.last ?? 0 }),
    subscriptionCount: subscriptions.length,
    subscriptions: () => subscriptions,
    backlogs: () => backlogs,
    limits: () => undefined,
    readMessages: async () => ({ firstSequence: 0, lastSequence: 0, messages: [], next: 0 }),
  };
}

export function fakeBacklog(changes: Partial<BacklogSnapshot> = {}): BacklogSnapshot {
  return {
    kind: "durable",
    name: "dur",
    clientId: "client-A",
    isDurable: true,
    isOffline: false,
    members: 1,
    lastSent: 0,
    pendingCount: 0,
    lagMessages: 0,
    lagBytes: 0,
    oldestSequence: 0,
    oldestMillis: undefined,
    stalledCount: 0,
    stalledMillis: 0,
    redelivering: 0,
    ...changes,
  };
}

export function fakeSubscription(changes: Partial<SubscriptionSnapshot> = {}): SubscriptionSnapshot {
  return {
    clientId: "client-A",
    inbox: "_INBOX.aSGF008h1vUyNNcMS3xf7q",
    ackInbox: "_INBOX.KUHrGoxQSpXTZBqqMAPA9a",
    durableName: "",
    queueName: "",
    isDurable: false,
    isOffline: false,
    maxInFlight: 1_024,
    ackWaitSeconds: 30,
    lastSent: 0,
    pendingCount: 0,
    isStalled: false,
    ...changes,
  };
}

/** A clock on which it is always the given moment; turns of the event loop are real. */
export function clockAt(time: string): Clock {
  const nanos = nanosOf(time);
  return {
    ...systemClock(),
    read(out): void {
      out.millis = Number(nanos / 1_000_000n);
      out.nanos = Number(nanos % 1_000_000n);
    },
  };
}

/** Nanoseconds since 1970 of a UTC time such as `2026-11-22T13:57:50.633200655Z`. */
export function nanosOf(time: string): ReturnType<typeof timestampNanos> {
  const [seconds, fraction = ""] = time.replace("Z", "").split(".");
  return timestampNanos(BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0")));
}
