import type { Clock, Logger, Timer } from "@nats-streaming/kernel";
import {
  type ChannelLimits,
  type ChannelStore,
  type ClientInfo,
  defaultStoreLimits,
  type LimitsInForce,
  type LockOutcome,
  limitsInForce,
  type RecoveredChannel,
  type RecoveredState,
  type RecoveredSubscription,
  type ServerInfo,
  type Store,
  StoreError,
  type StoreKind,
  type StoreLimits,
  storeError,
} from "@nats-streaming/store";
import type { StoreSetup } from "../src/store-under-test.ts";
import { type LogState, ModelLog, NEW_LOG } from "./model-log.ts";
import { type IdSource, ModelSubscriptions } from "./model-subscriptions.ts";

interface ChannelState {
  readonly log: LogState;
  readonly subscriptions: readonly RecoveredSubscription[];
}

/** What a "disk" holds, and the faults that wait for the next flush of whoever has it open. */
export interface Disk {
  serverInfo: ServerInfo | undefined;
  clients: ReadonlyMap<string, ClientInfo>;
  channels: ReadonlyMap<string, ChannelState>;
  highestId: number;
  fault: "write_failed" | "sync_failed" | undefined;
  holder: Store | undefined;
}

export function newDisk(): Disk {
  const nothing = { serverInfo: undefined, fault: undefined, holder: undefined, highestId: 0 };
  return { ...nothing, clients: new Map(), channels: new Map() };
}

interface ModelChannel extends ChannelStore {
  readonly messages: ModelLog;
  readonly subscriptions: ModelSubscriptions;
  readonly limits: ChannelLimits;
}

/** How often the model looks for expired messages. */
export const MODEL_AGE_GRANULARITY_MILLIS = 100;

/**
 * A store with every capability that the memory store lacks, on a disk made of maps: it shows that the suite's rows can
 * be fulfilled, and that they say what the contract says.
 */
export class ModelStore implements Store {
  readonly kind: StoreKind = "FILE";
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #channels = new Map<string, ModelChannel>();
  readonly #clients: Map<string, ClientInfo>;
  readonly #ids: IdSource;
  #limits: LimitsInForce;
  #timer: Timer;
  #batch = 0;
  #writing: Promise<void> = Promise.resolve();
  #syncFailed = false;
  #closed = false;

  constructor(disk: Disk, setup: StoreSetup) {
    this.#limits = limitsInForce(setup.limits ?? defaultStoreLimits);
    this.#disk = disk;
    this.#clock = setup.clock;
    this.#logger = setup.logger;
    this.#clients = new Map(disk.clients);
    this.#ids = { highest: disk.highestId };
    this.#timer = this.#watchAge();
  }

  async acquireLock(): Promise<LockOutcome> {
    this.#disk.holder ??= this;
    return this.#disk.holder === this ? { kind: "acquired" } : { kind: "busy" };
  }

  async init(info: ServerInfo): Promise<void> {
    this.#disk.serverInfo = info;
  }

  async recover(): Promise<RecoveredState | undefined> {
    const { serverInfo, channels: stored } = this.#disk;
    if (serverInfo === undefined) return undefined;
    const channels = new Map<string, RecoveredChannel>();
    for (const [name, { log, subscriptions }] of stored) {
      const channel = this.#addChannel(name, log, subscriptions);
      channels.set(name, { ...channel, subscriptionStates: subscriptions });
    }
    return { serverInfo, clients: [...this.#clients.values()], channels };
  }

  setLimits(limits: StoreLimits): void {
    this.#limits = limitsInForce(limits);
  }

  get limits(): StoreLimits {
    return this.#limits.limits;
  }

  channelLimits(channel: string): ChannelLimits | undefined {
    const limits = this.#channels.get(channel)?.limits;
    return limits === undefined ? undefined : { ...limits };
  }

  createChannel(channel: string): ChannelStore {
    const { maxChannels } = this.limits;
    if (this.#channels.has(channel)) throw storeError("already_exists");
    if (maxChannels > 0 && this.#channels.size >= maxChannels) throw storeError("too_many_channels");
    return this.#addChannel(channel, NEW_LOG, []);
  }

  async deleteChannel(channel: string): Promise<void> {
    if (!this.#channels.delete(channel)) throw storeError("not_found");
    await this.flush();
  }

  addClient(client: ClientInfo): void {
    this.#clients.set(client.id, client);
  }

  deleteClient(clientId: string): void {
    this.#clients.delete(clientId);
  }

  flush(): Promise<void> {
    const batch = this.#batch;
    const clients = new Map(this.#clients);
    const highestId = this.#ids.highest;
    const channels = new Map<string, ChannelState>();
    for (const [name, { messages, subscriptions }] of this.#channels) {
      channels.set(name, { log: messages.state(), subscriptions: subscriptions.states() });
    }
    const write = async (): Promise<void> => {
      if (this.#syncFailed) throw new StoreError("sync_failed", "an earlier sync has failed");
      if (batch !== this.#batch) throw new StoreError("write_failed", "the batch was taken back");
      const { fault } = this.#disk;
      this.#disk.fault = undefined;
      if (fault === "sync_failed") this.#syncFailed = true;
      if (fault === "write_failed") this.#takeBack();
      if (fault !== undefined) throw new StoreError(fault, "the disk says no");
      Object.assign(this.#disk, { clients, highestId, channels });
    };
    const written = this.#writing.then(write);
    this.#writing = written.catch(() => {});
    return written;
  }

  totals(): { readonly messages: number; readonly bytes: number } {
    const logs = [...this.#channels.values()].map((channel) => channel.messages);
    const messages = logs.reduce((sum, log) => sum + log.count, 0);
    return { messages, bytes: logs.reduce((sum, log) => sum + log.bytes, 0) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer.cancel();
    if (this.#disk.holder === this) this.#disk.holder = undefined;
    await this.flush();
  }

  #takeBack(): void {
    this.#batch++;
    for (const [name, { messages }] of this.#channels) {
      messages.restore(this.#disk.channels.get(name)?.log ?? NEW_LOG);
    }
  }

  #addChannel(name: string, log: LogState, recovered: readonly RecoveredSubscription[]): ModelChannel {
    const limits = this.#limits.forChannel(name);
    const messages = new ModelLog(name, limits, this.#clock, this.#logger, log);
    const subscriptions = new ModelSubscriptions(limits.maxSubscriptions, this.#ids, recovered);
    const channel = { messages, subscriptions, limits };
    this.#channels.set(name, channel);
    return channel;
  }

  #watchAge(): Timer {
    return this.#clock.setTimer(MODEL_AGE_GRANULARITY_MILLIS, () => {
      for (const { messages } of this.#channels.values()) messages.expire();
      this.#timer = this.#watchAge();
    });
  }
}
