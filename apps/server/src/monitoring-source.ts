import type { InspectedChannel, Inspection } from "@nats-streaming/engine";
import { type Clock, nowNanos, runStepsInTurns, sortInSteps } from "@nats-streaming/kernel";
import {
  type BrokerDirectory,
  type ChannelDirectory,
  type ClientDirectory,
  type MonitoredChannel,
  type MonitoringSource,
  type NamedChannelLimits,
  type NameList,
  type PartitionSnapshot,
  processFileDescriptors,
  type StorageSnapshot,
  type StoreLimitsSnapshot,
  type StoreTotals,
} from "@nats-streaming/monitoring";
import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import type { ChannelLimits, StoreLimits } from "@nats-streaming/store";
import { keepMap } from "./monitoring-map.ts";
import { SERVER_VERSION } from "./options/version.ts";
import { reportedPhase, reportedState, type ServerState } from "./server-state.ts";
import type { ChannelLeftOut } from "./store/open-store.ts";

/** What monitoring shows of a server, whatever it is just doing: before and after it serves there is nothing to count. */
export function monitoringSource(options: {
  readonly serverId: string;
  readonly clusterId: string;
  readonly storeType: string;
  /** As in force. */
  readonly limits: () => StoreLimits;
  readonly leftOut: () => readonly ChannelLeftOut[];
  readonly clock: Clock;
  readonly state: () => ServerState;
  /** What metrics call this server; its cluster ID when left out. */
  readonly name?: string;
  /** The partition map as it is now; undefined until the list is exchanged. Left out without partitioning. */
  readonly partitions?: () => Promise<PartitionSnapshot | undefined>;
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
        *subscriptions() {
          for (const one of client.eachSubscription()) yield { channel: one.channel, subscription: one };
        },
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

  const limitsOf = createLimitsReader();
  const countAll = createCounter(clock, inspection);

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
        channels: channels.count,
        inMessages: current?.statistics.inMessages ?? 0,
        inBytes: current?.statistics.inBytes ?? 0,
        outMessages: current?.statistics.outMessages ?? 0,
        outBytes: current?.statistics.outBytes ?? 0,
      };
    },
    store: () => ({
      type: options.storeType,
      limits: limitsOf(options.limits()),
      quarantined: options.leftOut().map(({ channel, reason }) => ({ name: byteStringToText(channel), reason })),
    }),
    totals: countAll,
    clients,
    channels,
    ...(options.partitions === undefined ? {} : { partitions: keepMap(clock, options.partitions) }),
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
    subscriptions: () => channel.eachSubscription(),
    backlogs: () => channel.backlogs(),
    limits: () => channel.limits(),
    readMessages: (start, limits) => channel.readMessages(start, limits),
  };
}

/** Puts the entries of the limits in order once for each set of limits, in steps: there may be 100,000. */
function createLimitsReader(): (limits: StoreLimits) => StoreLimitsSnapshot {
  let ordered: { readonly of: StoreLimits["channels"]; readonly names: readonly string[] } | undefined;

  function* entries({ channels }: StoreLimits): Generator<NamedChannelLimits | undefined, void> {
    let names = ordered?.of === channels ? ordered.names : undefined;
    if (names === undefined) {
      names = yield* sortInSteps([...channels.keys()], (a, b) => (a < b ? -1 : a > b ? 1 : 0));
      ordered = { of: channels, names };
    }
    for (const name of names) {
      const own = channels.get(name);
      if (own !== undefined) yield { name: byteStringToText(name), ...channelSnapshot(own) };
    }
  }

  return (limits) => ({
    maxChannels: limits.maxChannels,
    ...channelSnapshot(limits),
    channels: { length: limits.channels.size, [Symbol.iterator]: () => entries(limits) },
  });
}

/** Counts over all channels in turns; who asks while it is counted gets the same count. */
function createCounter(clock: Clock, inspection: () => Inspection | undefined): () => Promise<StoreTotals> {
  let counting: Promise<StoreTotals> | undefined;

  const count = async (): Promise<StoreTotals> => {
    const steps = inspection()?.counting();
    return steps === undefined ? { messages: 0, bytes: 0, subscriptions: 0 } : runStepsInTurns(steps, clock);
  };

  return () => {
    counting ??= count().finally(() => {
      counting = undefined;
    });
    return counting;
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
