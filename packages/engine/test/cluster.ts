import { silentLogger } from "@nats-streaming/kernel";
import { FakeClock, seededRandom, type TestBus, TestNetwork } from "@nats-streaming/kernel/testing";
import { type Partition, type PartitionOptions, startPartition } from "../../partition/src/index.ts";
import type { ClientPeers } from "../src/index.ts";
import { CLUSTER, type Stage, type StageOptions, setStage, TestClient } from "./harness.ts";

/** Several partition servers on one network, each with an engine and a coordinator as the composition root puts them together. */
export interface Cluster {
  readonly clock: FakeClock;
  readonly network: TestNetwork;
  start(entries: readonly string[], options?: MemberOptions): Promise<Member>;
  client(id: string): Promise<TestClient>;
  /** Lets `millis` pass. */
  pass(millis: number): Promise<void>;
}

export interface MemberOptions {
  readonly partition?: Partial<PartitionOptions>;
  /** What the engine gets instead of the coordinator's line to the others. */
  readonly mapPeers?: (peers: ClientPeers) => ClientPeers;
  readonly stage?: Omit<StageOptions, "scope" | "peers" | "beside">;
}

export interface Member {
  readonly stage: Stage;
  readonly partition: Partition;
  readonly partitionBus: TestBus;
  readonly serverId: string;
  /** Stops in the order of the composition root. */
  stop(): Promise<void>;
}

export function createCluster(): Cluster {
  const clock = new FakeClock();
  const network = new TestNetwork(clock);
  let count = 0;

  return {
    clock,
    network,
    pass: (millis) => clock.advanceAsync(millis),
    async client(id): Promise<TestClient> {
      const client = new TestClient(id, network.connect(), clock);
      const error = await client.connect();
      if (error !== "") throw new Error(error);
      return client;
    },
    async start(entries, options = {}): Promise<Member> {
      const serverId = `server${++count}`.padEnd(22, "x");
      const partitionBus = network.connect();
      const starting = startPartition({
        clusterId: CLUSTER,
        serverId,
        entries,
        bus: partitionBus,
        clock,
        logger: silentLogger,
        random: seededRandom(1_000 + count),
        onConflict: () => {},
        ...options.partition,
      });
      await clock.advanceAsync(2_000);
      const outcome = await starting;
      if (outcome.kind !== "serving") throw new Error(JSON.stringify(outcome));
      const { partition } = outcome;
      const peers = options.mapPeers?.(partition.peers) ?? partition.peers;
      const stage = await setStage({
        ...options.stage,
        scope: partition.scope,
        peers,
        beside: { clock, network },
      });
      partition.onScopeChange(() => stage.engine.rescope());
      return {
        stage,
        partition,
        partitionBus,
        serverId,
        async stop(): Promise<void> {
          partition.close();
          await Promise.all([stage.engine.close(), clock.settle()]);
          await stage.serverBus.close();
          await partitionBus.close();
        },
      };
    },
  };
}
