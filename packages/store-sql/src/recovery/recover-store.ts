import { quoteName, type TimestampNanos } from "@nats-streaming/kernel";
import type { Decoded } from "@nats-streaming/protocol";
import { decodeClientInfo, decodeServerInfo } from "@nats-streaming/protocol/spb";
import {
  type ChannelLimits,
  type ClientInfo,
  type RecoveredChannel,
  type RecoveredState,
  type RecoveredSubscription,
  type ServerInfo,
  storeError,
} from "@nats-streaming/store";
import type { Channel } from "../channel.ts";
import type { Database, SqlRow } from "../database.ts";
import { corrupt } from "../errors.ts";
import type { LogContent } from "../messages/sql-message-log.ts";
import { bytesOf, numberOf, textOf } from "../sql-values.ts";
import { pendingOf } from "../subscriptions/pending-book.ts";
import type { SubscriptionContent } from "../subscriptions/sql-subscription-log.ts";
import { textToName } from "../text-names.ts";
import { contentOf, dropPendingBelow, recoverMessages } from "./recover-messages.ts";
import { type RecoveredSubscriptions, recoverSubscriptions } from "./recover-subscriptions.ts";

/** The version of the tables that this server knows. */
export const SCHEMA_VERSION = 1;

export interface RecoveryOptions {
  readonly database: Database;
  readonly hasRedeliveries: boolean;
  readonly isUncached: boolean;
  /** Owner ID of the exclusive lock; empty without one. */
  readonly guard: string;
  readonly now: TimestampNanos;
  /** @param channel byte string */
  readonly limitsOf: (channel: string) => ChannelLimits;
  /** Takes a channel into service. */
  readonly open: (channel: FoundChannel) => Channel;
}

/** A channel as the tables have it, ready to be opened. */
export interface FoundChannel {
  readonly name: string;
  readonly id: number;
  readonly limits: ChannelLimits;
  readonly log: LogContent;
  readonly subscriptions: SubscriptionContent;
}

export interface StoreRecovery {
  /** undefined when there is nothing. */
  readonly state: RecoveredState | undefined;
  readonly channels: ReadonlyMap<string, Channel>;
  /** Whose deletion was interrupted: some of their rows are there yet. */
  readonly halfDeleted: readonly HalfDeleted[];
  /** No channel has a number above it. */
  readonly highestChannel: number;
  readonly highestSubscription: number;
}

/** A channel that is no longer one, but for rows. */
export interface HalfDeleted {
  /** Byte string. */
  readonly name: string;
  readonly id: number;
}

/**
 * Reads what an earlier server left, and applies the limits of now to it.
 * @throws (rejects) DatabaseError; StoreError `no_server_info`, `corrupt`
 * @see sql-store.md 8
 */
export async function recoverStore(options: RecoveryOptions): Promise<StoreRecovery> {
  const { database } = options;
  const [[highestRow], infoRows] = await Promise.all([
    database.query("selectHighestChannel", []),
    database.query("selectServerInfo", []),
  ]);
  const highestChannel = numberOf(highestRow?.[0]);
  const [infoRow] = infoRows;
  if (infoRow === undefined) {
    if (highestChannel > 0) throw storeError("no_server_info");
    return { state: undefined, channels: new Map(), halfDeleted: [], highestChannel, highestSubscription: 0 };
  }
  const serverInfo = serverInfoOf(infoRow);
  const clients = (await database.query("selectClients", [])).map(clientOf);
  const channels = new Map<string, Channel>();
  const states = new Map<string, RecoveredChannel>();
  const logs = await recoverMessages(options);
  if (options.isUncached) await dropPendingBelow(options, logs);
  const found = await recoverSubscriptions(database, options.hasRedeliveries);
  for (const one of logs) {
    const { row } = one;
    const subscriptions = found.channels.get(row.id) ?? NOTHING;
    const log = contentOf(one, lastSentOf(subscriptions));
    const channel = options.open({ name: row.name, id: row.id, limits: row.limits, log, subscriptions });
    channels.set(row.name, channel);
    states.set(row.name, { ...channel, subscriptionStates: subscriptionStates(subscriptions) });
  }
  const halfDeleted = (await database.query("selectDeletedChannels", [])).map(([id, name]) => ({
    id: numberOf(id),
    name: textToName(textOf(name)),
  }));
  const highestSubscription = found.highest;
  const state = { serverInfo, clients, channels: states };
  return { state, channels, halfDeleted, highestChannel, highestSubscription };
}

const NOTHING: RecoveredSubscriptions = { subscriptions: new Map(), states: new Map(), highestRow: 0 };

function* lastSentOf({ subscriptions }: RecoveredSubscriptions): Iterable<number> {
  for (const { book } of subscriptions.values()) yield book.lastSent;
}

function subscriptionStates({ subscriptions, states }: RecoveredSubscriptions): RecoveredSubscription[] {
  return [...states.values()].map((state) => {
    const recorded = subscriptions.get(state.id);
    const lastSent = recorded?.book.lastSent ?? state.lastSent;
    const pending = recorded === undefined ? [] : pendingOf(recorded.book);
    const counts = new Map(recorded?.redeliveries);
    return { state: { ...state, lastSent }, pending, ...(counts.size > 0 ? { redeliveries: counts } : {}) };
  });
}

/** @throws StoreError `corrupt` */
function serverInfoOf([id, proto, version]: SqlRow): ServerInfo {
  if (numberOf(version) !== SCHEMA_VERSION) {
    throw corrupt(`sql: unsupported version: ${numberOf(version)} (supports [${SCHEMA_VERSION}..${SCHEMA_VERSION}])`);
  }
  // The node ID is that of a clustered server, which this one is not.
  const { nodeId: _, ...info } = decodedValue(decodeServerInfo(bytesOf(proto)), "ServerInfo");
  const clusterId = textToName(textOf(id));
  if (clusterId !== info.clusterId) {
    throw corrupt(
      `sql: id ${quoteName(clusterId)} in column does not match cluster ID in data ${quoteName(info.clusterId)}`,
    );
  }
  return info;
}

/** Rows of older servers have no proto. */
function clientOf([id, inbox, proto]: SqlRow): ClientInfo {
  const bytes = bytesOf(proto);
  if (bytes.length > 0) return decodedValue(decodeClientInfo(bytes), "ClientInfo");
  const nothing = { connId: new Uint8Array(0), protocol: 0, pingInterval: 0, pingMaxOut: 0 };
  return { id: textToName(textOf(id)), hbInbox: textToName(textOf(inbox)), ...nothing };
}

function decodedValue<T>(decoded: Decoded<T>, what: string): T {
  if (decoded.kind === "invalid") throw corrupt(`sql: unable to decode ${what}: proto: ${decoded.reason}`);
  return decoded.value;
}
