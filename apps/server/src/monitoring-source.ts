import type { InspectedChannel, InspectedSubscription, Inspection } from "@nats-streaming/engine";
import type { Clock } from "@nats-streaming/kernel";
import { nowNanos } from "@nats-streaming/kernel";
import {
  type BrokerDirectory,
  type ChannelDirectory,
  type ClientDirectory,
  type MonitoredChannel,
  type MonitoringSource,
  type NameList,
  type PartitionSnapshot,
  processFileDescriptors,
  type StorageSnapshot,
  type StoreLimitsSnapshot,
  type SubscriptionSnapshot,
} from "@nats-streaming/monitoring";
import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import type { ChannelLimits, StoreLimits } from "@nats-streaming/store";
import { SERVER_VERSION } from "./options/version.ts";
import { reportedPhase, reportedState, type ServerState } from "./server-state.ts";
import type { ChannelLeftOut } from "./store/open-store.ts";

/** Putting a partition map together takes a while when lists are long: one is shown for so long. */
const PARTITION_MAP_MILLIS = 2_000;

/** What monitoring shows of a server, whatever it is just doing: before and after it serves there is nothing to count. */
export function monitoringSource(options: {
  readonly serverId: string;
  readonly clusterId: string;
  readonly storeType: string;
  readonly limits: StoreLimits;
  readonly leftOut: () => readonly ChannelLeftOut[];
  readonly clock: Clock;
  readonly state: () => ServerState;
  /** What metrics call this server; its cluster ID when left out. */
  readonly name?: string;
  /** The partition map as it is now; undefined until the list is exchanged. Left out without partitioning. */
  readonly partitions?: () => PartitionSnapshot | undefined;
  /** Left out when the store tells nothing more than its totals. */
  readonly storage?: () => StorageSnapshot | undefined;
  /** For the NATS endpoints. */
  readonly broker?: BrokerDirectory;
}): MonitoringSource {
  const { serverId, clock } = options;
  const startTime = nowNanos(clock);
  const startedAt = clock.monotonicMillis();
  const descriptors = processFileDescriptors();

  const inspection = (): Inspection | undefined => {
    const state = options.state();
    return state.kind === "active" ? state.engine.inspection : undefined;
  };

  const clients: ClientDirectory = {
    get count() {
      return inspection()?.clientCount ?? 0;
    },
    page: (offset, limit) =>
      inspection()
        ?.clientIds()
        .slice(offset, offset + limit) ?? [],
    find(clientId) {
      const client = inspection()?.client(clientId);
      if (client === undefined) return undefined;
      return {
        ...client,
        subscriptions: () =>
          client.subscriptions().map((subscription) => ({
            channel: subscription.channel,
            subscription: snapshot(subscription),
          })),
      };
    },
  };

  const channels: ChannelDirectory = {
    get count() {
      return inspection()?.channelCount ?? 0;
    },
    page: (offset, limit) =>
      asTexts(
        inspection()
          ?.channelNames()
          .slice(offset, offset + limit) ?? [],
      ),
    find(name) {
      const channel = inspection()?.channel(textToByteString(name));
      return channel === undefined ? undefined : monitoredChannel(channel);
    },
  };

  let map: { readonly at: number; readonly value: PartitionSnapshot | undefined } | undefined;
  const partitions = (): PartitionSnapshot | undefined => {
    const now = clock.monotonicMillis();
    if (map?.value === undefined || now - map.at >= PARTITION_MAP_MILLIS) {
      map = { at: now, value: options.partitions?.() };
    }
    return map.value;
  };

  return {
    server() {
      const current = inspection();
      return {
        clusterId: current === undefined ? "" : options.clusterId,
        serverId,
        version: SERVER_VERSION,
        runtime: `node${process.version}`,
        state: reportedState(options.state()),
        phase: reportedPhase(options.state()),
        name: options.name ?? options.clusterId,
        startTime,
        uptimeMillis: clock.monotonicMillis() - startedAt,
        clients: clients.count,
        // Goes through all channels: only who shows it pays for it.
        get subscriptions() {
          return current?.subscriptionCount() ?? 0;
        },
        channels: channels.count,
        inMessages: current?.statistics.inMessages ?? 0,
        inBytes: current?.statistics.inBytes ?? 0,
        outMessages: current?.statistics.outMessages ?? 0,
        outBytes: current?.statistics.outBytes ?? 0,
      };
    },
    store: () => ({
      type: options.storeType,
      limits: limitsSnapshot(options.limits),
      quarantined: options.leftOut().map(({ channel, reason }) => ({ name: byteStringToText(channel), reason })),
    }),
    totals: () => inspection()?.totals() ?? { messages: 0, bytes: 0 },
    clients,
    channels,
    partitions,
    work: () => inspection()?.statistics,
    ...(options.storage === undefined ? {} : { storage: options.storage }),
    ...(options.broker === undefined ? {} : { broker: options.broker }),
    ...(descriptors === undefined ? {} : { fileDescriptors: descriptors }),
  };
}

/** Makes the texts one by one: 100,000 at a time would hold up a turn. */
function asTexts(byteStrings: readonly string[]): NameList {
  return {
    length: byteStrings.length,
    *[Symbol.iterator]() {
      for (const name of byteStrings) yield byteStringToText(name);
    },
  };
}

function monitoredChannel(channel: InspectedChannel): MonitoredChannel {
  return {
    name: channel.name,
    subscriptionCount: channel.subscriptionCount,
    messageState: () => ({ messages: channel.messages, bytes: channel.bytes }),
    sequences: () => ({ first: channel.firstSequence, last: channel.lastSequence }),
    subscriptions: () => channel.subscriptions().map(snapshot),
    backlogs: () => channel.backlogs(),
    limits: () => channel.limits(),
    readMessages: (start, limits) => channel.readMessages(start, limits),
  };
}

function snapshot(subscription: InspectedSubscription): SubscriptionSnapshot {
  const { durableName, queueName, channel: _, ...rest } = subscription;
  return {
    ...rest,
    ...(durableName === "" ? {} : { durableName }),
    ...(queueName === "" ? {} : { queueName }),
  };
}

function limitsSnapshot(limits: StoreLimits): StoreLimitsSnapshot {
  const byName = [...limits.channels].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    maxChannels: limits.maxChannels,
    ...channelSnapshot(limits),
    channels: byName.map(([name, channel]) => ({ name: byteStringToText(name), ...channelSnapshot(channel) })),
  };
}

function channelSnapshot(limits: ChannelLimits): Omit<StoreLimitsSnapshot, "maxChannels" | "channels"> {
  return {
    maxMessages: limits.maxMessages,
    maxBytes: limits.maxBytes,
    maxAge: limits.maxAge,
    maxSubscriptions: limits.maxSubscriptions,
    maxInactivity: limits.maxInactivity,
  };
}
