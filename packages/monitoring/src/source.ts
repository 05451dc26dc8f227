import type { TimestampNanos } from "@nats-streaming/kernel";
import type { BacklogSnapshot } from "./backlog-snapshot.ts";
import type { BrokerDirectory } from "./broker-directory.ts";
import type { MessageLimits, MessagePage, MessageStart } from "./message-page.ts";
import type { PartitionSnapshot } from "./partition-snapshot.ts";
import type { StorageSnapshot, WorkSnapshot } from "./work-snapshot.ts";

/**
 * What monitoring shows, as the server offers it. The composition root implements it over engine and store.
 *
 * Every function answers from memory, at once, in every state of the server (starting, standby, recovering, failed
 * included), and never waits for another server. What is not known yet is an empty string, zero or an empty list. What a
 * function returns is not changed afterwards. Functions that can fail say so; they throw, and the text of the error
 * reaches the client of the HTTP request.
 *
 * Lists come in byte order of their names; a page costs only its own elements ({@link createNameIndex} does this).
 */
export interface MonitoringSource {
  server(): ServerSnapshot;
  store(): StoreSnapshot;
  /**
   * Messages, bytes and subscriptions over all channels. It may take a few turns, as it goes through the channels; it waits for
   * nothing else. May reject.
   */
  totals(): Promise<StoreTotals>;
  readonly clients: ClientDirectory;
  readonly channels: ChannelDirectory;
  /** Absent where the system does not tell. */
  readonly fileDescriptors?: FileDescriptors;
  /**
   * Undefined without partitioning, and until it has begun. It may take a few turns, as lists may be long; it waits for nothing
   * else.
   */
  partitions?(): Promise<PartitionSnapshot | undefined>;
  /** Undefined while nothing is served. */
  work?(): WorkSnapshot | undefined;
  /** Undefined when the store tells nothing more than its totals. */
  storage?(): StorageSnapshot | undefined;
  /** For the NATS endpoints; without it they do not exist. */
  readonly broker?: BrokerDirectory;
}

/** A count or size that fits 64 bits; above 2^53 it has to be a bigint to be exact. Never negative, never a fraction. */
export type Integer = number | bigint;

/** A server's state in the original's words. @see monitoring.md 3 */
export type ServerState = "STANDALONE" | "FT_ACTIVE" | "FT_STANDBY" | "FAILED" | "SHUTDOWN" | "CLUSTERED";

/** What a server is doing; finer than its state. */
export type ServerPhase =
  /** It connects, and checks its channel list with others. */
  | "starting"
  /** It reads its store. */
  | "recovering"
  /** It waits for the store's lock. */
  | "standby"
  | "active"
  | "failed"
  | "stopped";

/** The server at this moment. @see monitoring.md 2 */
export interface ServerSnapshot {
  /** Empty until the store is recovered. */
  readonly clusterId: string;
  /** 22 characters, new at each start. */
  readonly serverId: string;
  readonly version: string;
  /** Name and version of the runtime; shown under the key `go`. */
  readonly runtime: string;
  readonly state: ServerState;
  readonly phase: ServerPhase;
  /** What metrics call this server: stays the same over restarts. */
  readonly name: string;
  /** Only in a cluster. */
  readonly role?: "Leader" | "Follower" | "Candidate";
  /** Only in a cluster. */
  readonly nodeId?: string;
  readonly startTime: TimestampNanos;
  /** Milliseconds since the start by a clock that nobody sets; a fraction is ignored. */
  readonly uptimeMillis: number;
  /** Registered clients. */
  readonly clients: number;
  /** Existing channels. */
  readonly channels: number;
  /** Publishes received since the start, counted before validation. */
  readonly inMessages: Integer;
  readonly inBytes: Integer;
  /** Messages sent to subscribers since the start, redeliveries included. */
  readonly outMessages: Integer;
  readonly outBytes: Integer;
}

/** Of all channels. */
export interface StoreTotals {
  /** As counted by the store. */
  readonly messages: Integer;
  readonly bytes: Integer;
  /** An offline durable counts, so does a durable queue group without members, once. */
  readonly subscriptions: number;
}

/** What one channel holds, by the store's own rule. */
export interface ChannelTotals {
  readonly messages: Integer;
  readonly bytes: Integer;
}

/** @see monitoring.md 3 */
export interface StoreSnapshot {
  /** `MEMORY`, `FILE`, `SQL`; in a cluster with `RAFT_` in front. */
  readonly type: string;
  readonly limits: StoreLimitsSnapshot;
  /** Channels whose files are damaged, and which are not served. */
  readonly quarantined?: readonly QuarantinedChannel[];
}

/** A channel that exists and is not served. */
export interface QuarantinedChannel {
  readonly name: string;
  /** Why, in the words of the log. */
  readonly reason: string;
}

/** Limits as in force; 0 means unlimited. */
export interface ChannelLimitsSnapshot {
  readonly maxMessages: Integer;
  readonly maxBytes: Integer;
  /** Nanoseconds. */
  readonly maxAge: Integer;
  readonly maxSubscriptions: Integer;
  /** Nanoseconds. */
  readonly maxInactivity: Integer;
}

export interface StoreLimitsSnapshot extends ChannelLimitsSnapshot {
  readonly maxChannels: Integer;
  /** Per entry of the channels section, in byte order of the entries, after inheritance (raw on a standby). */
  readonly channels: LimitsList;
}

/**
 * Limits per entry. Going through them may make each only then: a turn does a part of it. Undefined where nothing is ready yet:
 * they may have to be put in order first.
 */
export interface LimitsList extends Iterable<NamedChannelLimits | undefined> {
  readonly length: number;
}

export interface NamedChannelLimits extends ChannelLimitsSnapshot {
  /** A channel name or a pattern. */
  readonly name: string;
}

/** The clients that are registered at a server. */
export interface ClientDirectory {
  readonly count: number;
  /** The client IDs `[offset, offset + limit)` in byte order; fewer or none at the end. */
  page(offset: number, limit: number): NameList;
  find(clientId: string): MonitoredClient | undefined;
}

/** A registered client; read in the turn in which it was found, but for its subscriptions. */
export interface MonitoredClient {
  readonly id: string;
  readonly heartbeatInbox: string;
  readonly subscriptionCount: number;
  /** In any order; offline durables belong to no client. Each is made as it is reached; some may come and go meanwhile. */
  subscriptions(): Iterable<ClientSubscription>;
}

/** A subscription of a client, with its channel. */
export interface ClientSubscription {
  readonly channel: string;
  readonly subscription: SubscriptionSnapshot;
}

/** Names as they were when the list was made. Going through it may make each name only then: a turn does a part of it. */
export interface NameList extends Iterable<string> {
  readonly length: number;
}

/** The channels of a server. */
export interface ChannelDirectory {
  readonly count: number;
  /** The channel names `[offset, offset + limit)` in byte order; fewer or none at the end. */
  page(offset: number, limit: number): NameList;
  find(channel: string): MonitoredChannel | undefined;
}

/** An existing channel; read in the turn in which it was found, but for its subscriptions. */
export interface MonitoredChannel {
  readonly name: string;
  /** Messages held and their size by the store's own rule. May throw. */
  messageState(): ChannelTotals;
  /** May throw. */
  sequences(): { readonly first: Integer; readonly last: Integer };
  readonly subscriptionCount: number;
  /**
   * Plain and online durable subscriptions, then offline durables, then queue members per group; a durable group without
   * members contributes one entry for its stored state. Shown in this order, each made as it is reached; some may come and go
   * meanwhile.
   */
  subscriptions(): Iterable<SubscriptionSnapshot>;
  /** How far each subscription, and each queue group as a whole, is behind. */
  backlogs(): readonly BacklogSnapshot[];
  /** In force for this channel, after inheritance; undefined when the store does not say. */
  limits(): ChannelLimitsSnapshot | undefined;
  /** Reads messages, from the disk where they are not in memory. May reject. */
  readMessages(start: MessageStart, limits: MessageLimits): Promise<MessagePage>;
}

/** @see monitoring.md 7 */
export interface SubscriptionSnapshot {
  /** For offline durables the last owner. */
  readonly clientId: string;
  readonly inbox: string;
  readonly ackInbox: string;
  /** Of a plain durable; "" for none. */
  readonly durableName: string;
  /** Group name, of a durable group `<durable>:<group>`; "" for none. */
  readonly queueName: string;
  readonly isDurable: boolean;
  readonly isOffline: boolean;
  readonly maxInFlight: number;
  readonly ackWaitSeconds: number;
  readonly lastSent: Integer;
  /** Sent, not acknowledged. */
  readonly pendingCount: number;
  /** Delivery has stopped because `pendingCount` reached `maxInFlight`. */
  readonly isStalled: boolean;
}

/** Both may reject. */
export interface FileDescriptors {
  open(): Promise<number>;
  /** The limit of this process. */
  max(): Promise<number>;
}
