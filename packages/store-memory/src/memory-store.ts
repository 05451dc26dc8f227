import type { Clock, Logger } from "@nats-streaming/kernel";
import {
  type ChannelLimits,
  type ChannelStore,
  type ClientInfo,
  cloneChannelLimits,
  defaultStoreLimits,
  type LimitsInForce,
  type LockOutcome,
  limitsInForce,
  type RecoveredState,
  type ServerInfo,
  type Store,
  type StoreKind,
  type StoreLimits,
  storeError,
} from "@nats-streaming/store";
import { createMemoryMessageLog, type MemoryMessageLog } from "./memory-message-log.ts";
import { createMemorySubscriptionLog } from "./memory-subscription-log.ts";

/** What a memory store is made from. */
export interface MemoryStoreOptions {
  /** As configured; the default limits when left out. */
  readonly limits?: StoreLimits;
  /** For max_age. */
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A store that lives as long as its process. What is appended is as durable as it will ever be: `flush` has nothing to
 * wait for and never fails.
 * @throws StoreError `invalid_limits`
 */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  return new MemoryStore(options);
}

interface Channel extends ChannelStore {
  readonly messages: MemoryMessageLog;
  readonly limits: ChannelLimits;
}

class MemoryStore implements Store {
  readonly kind: StoreKind = "MEMORY";
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #channels = new Map<string, Channel>();
  #limits: LimitsInForce;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#limits = limitsInForce(options.limits ?? defaultStoreLimits);
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  async acquireLock(): Promise<LockOutcome> {
    throw storeError("not_supported");
  }

  async init(_info: ServerInfo): Promise<void> {}

  async recover(): Promise<RecoveredState | undefined> {
    return undefined;
  }

  setLimits(limits: StoreLimits): void {
    this.#limits = limitsInForce(limits);
  }

  get limits(): StoreLimits {
    return this.#limits.limits;
  }

  channelLimits(channel: string): ChannelLimits | undefined {
    const limits = this.#channels.get(channel)?.limits;
    return limits === undefined ? undefined : cloneChannelLimits(limits);
  }

  createChannel(channel: string): ChannelStore {
    if (this.#closed) throw storeError("closed");
    if (this.#channels.has(channel)) throw storeError("already_exists");
    const { maxChannels } = this.#limits.limits;
    if (maxChannels > 0 && this.#channels.size >= maxChannels) throw storeError("too_many_channels");
    const limits = this.#limits.forChannel(channel);
    const messages = createMemoryMessageLog({ channel, limits, clock: this.#clock, logger: this.#logger });
    const created = { messages, subscriptions: createMemorySubscriptionLog(limits.maxSubscriptions), limits };
    this.#channels.set(channel, created);
    return created;
  }

  async deleteChannel(channel: string): Promise<void> {
    const found = this.#channels.get(channel);
    if (found === undefined) throw storeError("not_found");
    this.#channels.delete(channel);
    found.messages.close();
  }

  addClient(_client: ClientInfo): void {}

  deleteClient(_clientId: string): void {}

  flush(): undefined {
    return undefined;
  }

  totals(): { readonly messages: number; readonly bytes: number } {
    let messages = 0;
    let bytes = 0;
    for (const channel of this.#channels.values()) {
      messages += channel.messages.count;
      bytes += channel.messages.bytes;
    }
    return { messages, bytes };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.messages.close();
    this.#channels.clear();
  }
}
