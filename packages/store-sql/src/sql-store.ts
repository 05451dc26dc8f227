import {
  type Clock,
  errorText,
  type Logger,
  nowNanos,
  nuidSource,
  quoteName,
  type Random,
  systemRandom,
  type Timer,
} from "@nats-streaming/kernel";
import { encodeClientInfo, encodeServerInfo } from "@nats-streaming/protocol/spb";
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
  StoreError,
  type StoreKind,
  type StoreLimits,
  storeError,
} from "@nats-streaming/store";
import { type Channel, openChannel } from "./channel.ts";
import { type Database, DatabaseError, type DatabaseFacts, type Operation } from "./database.ts";
import { loadDatabase } from "./drivers.ts";
import { openFailure, readFailure, writeFailure } from "./errors.ts";
import { BatchWriter } from "./flush/batch-writer.ts";
import { createFlushQueue, type FlushQueue } from "./flush/flush-queue.ts";
import { createStoreLock, type StoreLock } from "./lock/store-lock.ts";
import { createMessageCache } from "./messages/message-cache.ts";
import { NO_CONTENT } from "./messages/sql-message-log.ts";
import { type SqlStoreOptions, sqlStoreOptions } from "./options.ts";
import { purgeChannel } from "./purge-channel.ts";
import { recoverStore, SCHEMA_VERSION } from "./recovery/recover-store.ts";
import { lockLost } from "./server-database.ts";
import type { StoreContext } from "./store-context.ts";
import { NO_SUBSCRIPTIONS } from "./subscriptions/sql-subscription-log.ts";
import { createSubscriptionIds } from "./subscriptions/subscription-ids.ts";
import { nameToText } from "./text-names.ts";

/** What an SQL store is opened with. */
export interface SqlStoreSetup extends Partial<SqlStoreOptions> {
  /** As configured; the default limits when left out. */
  readonly limits?: StoreLimits;
  /** Most bytes of messages that are kept in memory once they are durable; {@link CACHE_BYTES_DEFAULT} when left out. */
  readonly cacheBytes?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes the owner ID of the lock; the machine's own when left out. */
  readonly random?: Random;
  /** Makes the database in the driver's place: for tests, and for databases of one's own. */
  readonly openDatabase?: () => Database | Promise<Database>;
  /** Called once when nothing can be made durable any more: the server has to stop. */
  readonly onFailure?: (error: StoreError) => void;
  /** Called once when the exclusive lock is lost, in place of `onFailure`, which is called when this is left out. */
  readonly onLockLost?: (error: StoreError) => void;
}

/** A {@link Store} over an SQL database, and what it has to say beyond that. */
export interface SqlStore extends Store {
  /** Bytes of messages in memory. */
  readonly cachedBytes: number;
}

/** Enough for the live traffic of a busy server; everything else is read when it is asked for. */
export const CACHE_BYTES_DEFAULT: number = 64 * 1024 * 1024;

/** How often it is looked whether messages have expired. @see sql-store.md 5 "lookup" */
const TICK_MILLIS = 1000;

/**
 * Makes a store over a database that this server or an original one has written, or an empty one. The database is opened
 * by the first of {@link Store.acquireLock}, {@link Store.recover} and {@link Store.init}, and each of them fails when it
 * cannot be: the next call tries again.
 * @throws StoreError `invalid_options`, `invalid_limits`
 */
export function createSqlStore(setup: SqlStoreSetup): SqlStore {
  return new DatabaseStore(setup);
}

interface Opened {
  readonly database: Database;
  readonly context: StoreContext;
  readonly queue: FlushQueue;
  readonly writer: BatchWriter;
}

class DatabaseStore implements SqlStore {
  readonly kind: StoreKind = "SQL";
  readonly #setup: SqlStoreSetup;
  readonly #options: SqlStoreOptions;
  readonly #lock: StoreLock;
  readonly #cache: StoreContext["cache"];
  readonly #channels = new Map<string, Channel>();
  readonly #ids = createSubscriptionIds();
  /** Channels whose rows are being deleted, by number. */
  readonly #purges = new Map<number, Promise<void>>();
  #limits: LimitsInForce;
  #highestChannel = 0;
  #opening: Promise<Opened> | undefined;
  #opened: Opened | undefined;
  #tickTimer: Timer | undefined;
  #hasReportedFailure = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  constructor(setup: SqlStoreSetup) {
    this.#setup = setup;
    this.#options = sqlStoreOptions(givenOptions(setup));
    this.#limits = limitsInForce(setup.limits ?? defaultStoreLimits);
    this.#cache = createMessageCache(setup.cacheBytes ?? CACHE_BYTES_DEFAULT, (work) => setup.clock.defer(work));
    this.#lock = createStoreLock({
      database: () => this.#openedParts().database,
      clock: setup.clock,
      logger: setup.logger,
      owner: nuidSource(setup.random ?? systemRandom())(),
      exclusively: (work) => this.#openedParts().queue.exclusively(work),
      confirmedAt: () => this.#opened?.writer.confirmedAt ?? Number.NEGATIVE_INFINITY,
      isDown: () => this.#opened?.writer.isDown ?? false,
      onLost: (error) => this.#opened?.queue.fail(error),
    });
  }

  get cachedBytes(): number {
    return this.#cache.used;
  }

  async acquireLock(): Promise<LockOutcome> {
    if (this.#isClosed) return { kind: "busy" };
    try {
      await this.#open();
    } catch (error) {
      if (error instanceof StoreError && error.code === "invalid_options") throw error;
      throw new StoreError("lock_failed", errorText(error), { cause: error });
    }
    return this.#lock.acquire();
  }

  async init(info: ServerInfo): Promise<void> {
    const { database, queue } = await this.#open();
    const params = [nameToText(info.clusterId), encodeServerInfo(info), SCHEMA_VERSION];
    const guard = this.#lock.guard;
    await queue.exclusively(async () => {
      try {
        await database.transaction(async (session) => {
          if (guard !== "" && (await session.run("guardLock", [guard])) === 0) throw lockLost();
          if ((await session.run("updateServerInfo", params)) === 0) await session.run("insertServerInfo", params);
        });
      } catch (error) {
        throw writeFailure(error);
      }
    });
  }

  async recover(): Promise<RecoveredState | undefined> {
    const opened = await this.#open();
    const { database, context } = opened;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    const ids = this.#ids;
    try {
      const recovery = await recoverStore({
        database,
        hasRedeliveries: context.facts.hasRedeliveries,
        isUncached: context.isUncached,
        guard: this.#lock.guard,
        now: nowNanos(this.#setup.clock),
        limitsOf: (channel) => this.#limits.forChannel(channel),
        open: (found) => openChannel({ ...found, context, ids }),
      });
      this.#highestChannel = Math.max(this.#highestChannel, recovery.highestChannel);
      ids.raise(recovery.highestSubscription);
      for (const [name, channel] of recovery.channels) this.#channels.set(name, channel);
      for (const { name, id } of recovery.halfDeleted) this.#purge(name, id, opened);
      this.#tickTimer ??= this.#setup.clock.setTimer(TICK_MILLIS, () => this.#tick());
      return recovery.state;
    } catch (error) {
      const isLockLost = error instanceof DatabaseError && error.code === "lock_lost";
      throw isLockLost ? writeFailure(error) : readFailure(error);
    }
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
    const { context, queue } = this.#parts();
    if (this.#channels.has(channel)) throw storeError("already_exists");
    const { maxChannels } = this.#limits.limits;
    if (maxChannels > 0 && this.#channels.size >= maxChannels) throw storeError("too_many_channels");
    const name = this.#checkedName(channel, context.facts, "channel");
    const limits = this.#limits.forChannel(channel);
    const id = ++this.#highestChannel;
    const created = openChannel({
      context,
      name: channel,
      id,
      limits,
      ids: this.#ids,
      log: NO_CONTENT,
      subscriptions: NO_SUBSCRIPTIONS,
    });
    const params = [id, name, limits.maxMessages, limits.maxBytes, limits.maxAge];
    queue.record({
      operation: [{ name: "insertChannel", params }],
      undo: [{ name: "deleteChannel", params: [id] }],
      onRejected: (text) => created.messages.reject(text),
    });
    this.#channels.set(channel, created);
    return created;
  }

  async deleteChannel(channel: string): Promise<void> {
    const found = this.#channels.get(channel);
    if (found === undefined) throw storeError("not_found");
    const parts = this.#parts();
    const params = [found.id];
    await parts.queue.writeNow({
      operation: [{ name: "markChannelDeleted", params }],
      undo: [{ name: "unmarkChannelDeleted", params }],
    });
    this.#channels.delete(channel);
    found.close();
    this.#purge(channel, found.id, parts);
  }

  addClient(client: ClientInfo): void {
    const { context, queue } = this.#parts();
    const id = this.#checkedName(client.id, context.facts, "client ID");
    const operation: Operation = [
      { name: "deleteClient", params: [id] },
      { name: "insertClient", params: [id, nameToText(client.hbInbox), encodeClientInfo(client)] },
    ];
    queue.record({ operation });
  }

  deleteClient(clientId: string): void {
    this.#parts().queue.record({ operation: [{ name: "deleteClient", params: [nameToText(clientId)] }] });
  }

  flush(): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(storeError("closed"));
    return this.#opened?.queue.flush();
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

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  // --- opening ---

  #parts(): Opened {
    if (this.#isClosed) throw storeError("closed");
    return this.#openedParts();
  }

  #openedParts(): Opened {
    if (this.#opened === undefined) throw storeError("closed");
    return this.#opened;
  }

  #open(): Promise<Opened> {
    if (this.#isClosed) return Promise.reject(storeError("closed"));
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw openFailure(error);
    });
    return this.#opening;
  }

  async #openNow(): Promise<Opened> {
    const { clock, logger, openDatabase } = this.#setup;
    const options = this.#options;
    const database = await (openDatabase === undefined ? loadDatabase({ ...options, logger }) : openDatabase());
    let facts: DatabaseFacts;
    try {
      facts = await database.open();
    } catch (error) {
      await database.close();
      throw error;
    }
    const isUncached = options.noCaching;
    const { retryMillis } = options;
    const guard = (): string => this.#lock.guard;
    const writer = new BatchWriter({ database, clock, logger, isUncached, retryMillis, guard });
    const queue = createFlushQueue({ writer, clock, logger, onFailure: (error) => this.#failed(error) });
    const context: StoreContext = { database, facts, gathering: queue, cache: this.#cache, clock, logger, isUncached };
    this.#opened = { database, context, queue, writer };
    return this.#opened;
  }

  /** The name as its column takes it. @throws StoreError `write_failed` when it is too long */
  #checkedName(name: string, facts: DatabaseFacts, what: string): string {
    const text = nameToText(name);
    if (text.length <= facts.maxNameLength) return text;
    const rest = `${text.length} characters, the column takes ${facts.maxNameLength}`;
    throw new StoreError("write_failed", `the ${what} is too long for the database: it has ${rest}`);
  }

  // --- in the background ---

  #failed(error: StoreError): void {
    if (this.#hasReportedFailure) return;
    this.#hasReportedFailure = true;
    const { onFailure, onLockLost } = this.#setup;
    const isLockLost = error.message === lockLost().message;
    (isLockLost ? (onLockLost ?? onFailure) : onFailure)?.(error);
  }

  #tick(): void {
    const { clock } = this.#setup;
    const now = nowNanos(clock);
    let isMore = false;
    for (const { messages } of this.#channels.values()) {
      if (messages.expires && messages.expire(now)) isMore = true;
    }
    this.#tickTimer = clock.setTimer(isMore ? 0 : TICK_MILLIS, () => this.#tick());
  }

  #purge(channel: string, id: number, { queue, database, context }: Opened): void {
    if (this.#purges.has(id)) return;
    const { hasRedeliveries } = context.facts;
    const purge = purgeChannel({ id, database, queue, hasRedeliveries, guard: () => this.#lock.guard })
      .catch((error: unknown) => {
        const text = `Unable to completely delete channel ${quoteName(channel)}: ${errorText(error)}`;
        this.#setup.logger.error(text);
      })
      .finally(() => this.#purges.delete(id));
    this.#purges.set(id, purge);
  }

  // --- closing ---

  async #close(): Promise<void> {
    this.#tickTimer?.cancel();
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    let failure: unknown;
    if (opened !== undefined) failure = await this.#writeAll(opened);
    this.#isClosed = true;
    await this.#lock.release();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
    await opened?.database.close();
    if (failure !== undefined) throw failure;
  }

  /** @returns the first failure */
  async #writeAll({ queue, writer }: Opened): Promise<unknown> {
    let failure: unknown;
    const attempt = async (work: () => Promise<unknown> | undefined): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failure ??= error;
      }
    };
    writer.close();
    if (queue.failure === undefined) {
      await attempt(() => queue.flush());
      // Twice: what the messages of the first one let go of is deleted by the second.
      await attempt(() => queue.flushRecords());
      await attempt(() => queue.flushRecords());
      await attempt(() => Promise.all(this.#purges.values()));
    }
    queue.stop();
    return failure;
  }
}

function givenOptions(setup: SqlStoreSetup): Partial<SqlStoreOptions> {
  const { driver, source, noCaching, maxOpenConns, bulkInsertLimit, retryMillis } = setup;
  return Object.fromEntries(
    Object.entries({ driver, source, noCaching, maxOpenConns, bulkInsertLimit, retryMillis }).filter(
      ([, value]) => value !== undefined,
    ),
  );
}
