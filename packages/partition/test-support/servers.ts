import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  seededRandom,
  type TestBus,
  TestNetwork,
} from "@nats-streaming/kernel/testing";
import type { ClientInfo } from "@nats-streaming/protocol/spb";
import { type ClientSource, noClients } from "../src/client-source.ts";
import { type Partition, type PartitionOptions, startPartition } from "../src/start-partition.ts";

export const CLUSTER = "test-cluster";

/** Partition servers without engines, on one network and one clock. */
export interface Servers {
  readonly clock: FakeClock;
  readonly network: TestNetwork;
  /** Starts a server and gives it the time it needs; IDs ascend. */
  start(entries: readonly string[], options?: Partial<PartitionOptions>): Promise<Started>;
}

export interface Started {
  readonly serverId: string;
  readonly bus: TestBus;
  readonly logger: RecordingLogger;
  readonly conflicts: string[];
  readonly partition: Partition;
}

export function createServers(maxPayload?: number): Servers {
  const clock = new FakeClock();
  const network = new TestNetwork(clock, maxPayload);
  let count = 0;
  return {
    clock,
    network,
    async start(entries, options = {}): Promise<Started> {
      const serverId = `server${++count}`.padEnd(22, "x");
      const bus = network.connect();
      const logger = recordingLogger();
      const conflicts: string[] = [];
      const starting = startPartition({
        clusterId: CLUSTER,
        serverId,
        entries,
        bus,
        clock,
        logger,
        random: seededRandom(count),
        onConflict: (message) => conflicts.push(message),
        ...options,
      });
      await clock.advanceAsync(3_000);
      const outcome = await starting;
      if (outcome.kind !== "serving") throw new Error(JSON.stringify(outcome));
      return { serverId, bus, logger, conflicts, partition: outcome.partition };
    },
  };
}

/** What an engine with these clients and channels tells. */
export function sourceOf(clients: readonly ClientInfo[], channels: readonly string[] = []): ClientSource {
  const byId = new Map(clients.map((client) => [client.id, client]));
  return {
    ...noClients,
    clientCount: clients.length,
    clientDigest: () => new Uint8Array(8).fill(clients.length),
    clientIds: () => [...byId.keys()].sort(),
    client: (id) => byId.get(id),
    knowledge({ clientId }) {
      const client = byId.get(clientId);
      return client === undefined ? { kind: "unknown" } : { kind: "known", client };
    },
    channelNames: () => channels,
  };
}

export function clientOf(id: string): ClientInfo {
  return { id, hbInbox: `_INBOX.${id}`, connId: Buffer.from(id), protocol: 1, pingInterval: 5, pingMaxOut: 3 };
}
