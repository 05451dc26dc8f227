import type { Sequence, Timestamp, TimestampNanos } from "@nats-streaming/kernel";
import type { ChannelLimits, StoreLimits } from "./limits.ts";
import type { ClientInfo, ServerInfo, SubState } from "./records.ts";

/** As logs and monitoring show it. */
export type StoreKind = "MEMORY" | "FILE" | "SQL";

/**
 * What a store promises to the engine.
 *
 * Everything that changes state is **synchronous and buffered**; {@link Store.flush} makes it durable. So one batch, not
 * one message, crosses an `await`. Between an append and its flush a message can be looked up, but the engine neither
 * delivers nor acknowledges it.
 *
 * @see store-interface.md, and the design's durability rules
 */
export interface Store {
  readonly kind: StoreKind;

  /**
   * Takes the advisory lock that keeps other servers off the same data, for the whole life of the store.
   * @throws StoreError `not_supported` (memory store), `lock_failed` when trying again is hopeless
   */
  acquireLock(): Promise<LockOutcome>;

  /** Records who this server is, in place of what was there. Durable when it settles. */
  init(info: ServerInfo): Promise<void>;

  /**
   * What an earlier server left, or undefined when there is nothing or the store does not persist.
   * @throws StoreError `no_server_info` when channels exist without server information; `corrupt` when state cannot be read
   */
  recover(): Promise<RecoveredState | undefined>;

  /**
   * Replaces the limits; affects channels created afterwards.
   * @throws StoreError `invalid_limits`; the former limits stay in force then
   */
  setLimits(limits: StoreLimits): void;

  /** Limits in force, after inheritance; 0 means unlimited. */
  readonly limits: StoreLimits;

  /** The limits in force for an existing channel, after inheritance (0: unlimited); undefined for an unknown channel. */
  channelLimits(channel: string): ChannelLimits | undefined;

  /**
   * Makes message log and subscription log of a new channel. Durable with the next flush.
   * @throws StoreError `already_exists`, `too_many_channels`, `write_failed` (the text is the operating system's)
   */
  createChannel(channel: string): ChannelStore;

  /**
   * Forgets the channel. When it settles, the channel is not recovered after a restart.
   * @throws StoreError `not_found`, `write_failed`
   */
  deleteChannel(channel: string): Promise<void>;

  /** Records a client; for an ID that exists the new record wins. Durable with the next flush. */
  addClient(client: ClientInfo): void;

  /** Forgets a client. An unknown ID is no error. Durable with the next flush. */
  deleteClient(clientId: string): void;

  /**
   * Makes everything that was done before this call durable, with the store's sync setting. A call while an earlier flush
   * is under way covers what that one does not, and settles after it.
   * @returns undefined when there was nothing to wait for, so that a store without disk costs no promise.
   * @throws (rejects) StoreError
   * `write_failed`: nothing that was not durable is kept; each log has taken back the messages of the batch and of all
   * that were appended meanwhile, so sequences stay gap-free; the store stays readable and goes on.
   * `sync_failed`: what is durable is unknown; nothing may be acknowledged any more, the server has to stop.
   */
  flush(): Promise<void> | undefined;

  /** Messages and bytes over all channels, as counted by this store. */
  totals(): { readonly messages: number; readonly bytes: number };

  /** Flushes, stops timers, closes all channels, lets go of the lock. Idempotent. */
  close(): Promise<void>;
}

/** What became of an attempt to get the exclusive lock. */
export type LockOutcome =
  | { readonly kind: "acquired" }
  /** Somebody else has it; `holder` describes them if it is known. */
  | { readonly kind: "busy"; readonly holder?: string };

/** What a store holds of an earlier run. */
export interface RecoveredState {
  readonly serverInfo: ServerInfo;
  readonly clients: readonly ClientInfo[];
  readonly channels: ReadonlyMap<string, RecoveredChannel>;
}

/** A channel of an earlier run. */
export interface RecoveredChannel extends ChannelStore {
  readonly subscriptionStates: readonly RecoveredSubscription[];
}

/** A subscription of an earlier run, with what is not acknowledged. */
export interface RecoveredSubscription {
  readonly state: SubState;
  /** Sequences sent and not acknowledged, ascending. */
  readonly pending: readonly number[];
  /** What {@link SubscriptionLog.noteRedelivery} noted of them; sequence to count. */
  readonly redeliveries?: ReadonlyMap<number, number>;
}

/** What is stored of a channel. */
export interface ChannelStore {
  readonly messages: MessageLog;
  readonly subscriptions: SubscriptionLog;
}

/** Ranges of a buffer that the caller owns; the log copies what it keeps before `append` returns. */
export interface IncomingMessage {
  readonly bytes: Uint8Array;
  /**
   * Where the channel's name stands in `bytes`, if it does, as in a publish: it is at hand there, while a log's own copy of it has
   * to be fetched from far away when there are many channels. Both or none.
   */
  readonly subjectStart?: number;
  readonly subjectEnd?: number;
  readonly replyStart: number;
  readonly replyEnd: number;
  readonly dataStart: number;
  readonly dataEnd: number;
}

/**
 * A stored message: `bytes[start, end)` is its encoded `MsgProto`, exactly what a subscriber receives. The log overwrites
 * the object at each lookup; the bytes belong to the log and stay as they are until the caller gives up its turn.
 */
export interface StoredMessage {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Never stored, removed or expired. */
export const LOOKUP_NONE = 0;
/** It is in memory; `out` has its place. */
export const LOOKUP_FOUND = 1;
/** It exists, but not in memory: {@link MessageLog.load} brings it. */
export const LOOKUP_COLD = 2;
/** What {@link MessageLog.lookup} found. */
export type Lookup = typeof LOOKUP_NONE | typeof LOOKUP_FOUND | typeof LOOKUP_COLD;

/** The messages of one channel. */
export interface MessageLog {
  readonly channel: string;
  /** 0 for a log that never had a message; last + 1 when all messages are gone. */
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly count: number;
  /** Total size, by the store's own rule (store-interface.md 7). */
  readonly bytes: number;

  /**
   * Adds a message, then enforces max_msgs and max_bytes; at least one message is kept. A sequence not above the last is
   * taken as a repeat: nothing happens. One above last + 1 leaves a gap.
   * @param sequence as assigned by the caller; the first of a log may be any.
   */
  append(sequence: Sequence, message: IncomingMessage, timestamp: Timestamp): void;

  /** Looks for a message without waiting. `out` is written only for {@link LOOKUP_FOUND}. */
  lookup(sequence: number, out: StoredMessage): Lookup;

  /**
   * Brings messages from `from` on, at most `count`, into memory, where a following lookup in the same turn finds them.
   * The store bounds how much it brings at once; at least the message at `from` comes.
   * @throws StoreError `read_failed`
   */
  load(from: number, count: number): Promise<void>;

  /**
   * 0 if nothing was ever stored; last + 1 if everything is gone or `timestamp` is after the last message; otherwise the
   * first sequence whose timestamp is not before `timestamp` (ties: store-interface.md 8).
   */
  sequenceFromTimestamp(timestamp: TimestampNanos): number | Promise<number>;

  /** Removes all messages and resets the log as if it had never been used. */
  empty(): void;
}

/**
 * The subscriptions of one channel. No operation checks that the subscription still exists.
 * Acks and positions may be written lazily, at most one second late: losing them costs a redelivery, never a message.
 */
export interface SubscriptionLog {
  /** How many are recorded, recovered ones included. */
  readonly count: number;
  /**
   * Records a new subscription.
   * @returns its ID: above every ID that was used before, never reused while the store runs.
   * @throws StoreError `too_many_subscriptions`
   */
  create(state: SubState): number;
  /** Replaces the record with that ID, or records it as new without a limit check. The pending set is kept. */
  update(state: SubState): void;
  /** Forgets the subscription and its pending set. Unknown, or twice, is fine. */
  delete(id: number): void;
  /** Adds to the pending set and raises lastSent to `sequence` if it is lower. Twice is fine. */
  addPending(id: number, sequence: number): void;
  /** Removes from the pending set, with its count of redeliveries. Unknown is fine. */
  ackPending(id: number, sequence: number): void;
  /**
   * Notes how often a pending message has been redelivered, on channels where that ends redelivering one day. The original
   * keeps no such count: a store keeps it beside what the original reads. As lazy as a position. Left out by a store that
   * does not persist.
   */
  noteRedelivery?(id: number, sequence: number, count: number): void;
}

/** Why a store could not do what it was asked. How each reaches users stands in docs/errors.md. */
export type StoreErrorCode =
  /** A new channel would be more than `max_channels`. Remedy: Raise `max_channels`, or use fewer channels. */
  | "too_many_channels"
  /**
   * A new subscription would be more than `max_subs` of its channel.
   * Remedy: Raise `max_subs`, or unsubscribe durables that nobody comes back for.
   */
  | "too_many_subscriptions"
  /** The channel to be created exists already. Remedy: A fault of the caller: look it up first. */
  | "already_exists"
  /** The channel to be deleted does not exist. Remedy: Nothing to do. */
  | "not_found"
  /** The store cannot do it, such as the exclusive lock of a memory store. Remedy: Use a file or SQL store. */
  | "not_supported"
  /**
   * The store holds channels but no record of the server that they belong to.
   * Remedy: Restore `server.dat` (or the table ServerInfo) from a backup.
   */
  | "no_server_info"
  /** Limits contradict each other or are negative; the text names the limit. Remedy: Correct it in `store_limits`. */
  | "invalid_limits"
  /**
   * An option of the store cannot be used; the text names it.
   * Remedy: Correct it in `file_options` or `sql_options`.
   */
  | "invalid_options"
  /**
   * What is stored cannot be read as it was written; the text names file and place, or the channel in quarantine.
   * Remedy: See docs/operations-handbook.md#damaged-files.
   */
  | "corrupt"
  /**
   * Whether another server has the store cannot be found out.
   * Remedy: See that directory or database can be reached and written to.
   */
  | "lock_failed"
  /**
   * Messages cannot be read; the text has the words of the system or database.
   * Remedy: Look at the disk or the database; reading is tried again with the next request.
   */
  | "read_failed"
  /**
   * A write was refused: no space, a lost database, a message that the database cannot take. Its publishes are refused,
   * nothing of them is kept.
   * Remedy: Make room, or bring the database back; service goes on by itself.
   */
  | "write_failed"
  /**
   * A sync failed, so nobody knows what is durable: the server ends itself.
   * Remedy: Check the disk, then start again: what was acknowledged is recovered. See
   * docs/operations-handbook.md#damaged-files.
   */
  | "sync_failed"
  /** The store was closed, or has failed before. Remedy: Look for the first error in the log. */
  | "closed";

/** A store that could not do what it was asked. Matched by `code`; some texts reach clients and are exact (errors.ts). */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
