import type { EngineOptions } from "@nats-streaming/engine";
import { type Bus, type Clock, durationToMillis, type Logger, type Random } from "@nats-streaming/kernel";
import type { Partition } from "@nats-streaming/partition";
import type { Store } from "@nats-streaming/store";
import type { StreamingOptions } from "./options/streaming-options.ts";
import { redeliveryRules } from "./redelivery-rules.ts";

export interface EngineSetup {
  readonly streaming: StreamingOptions;
  readonly bus: Bus;
  readonly store: Store;
  /** Undefined without partitioning. */
  readonly partition: Partition | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly onFatal: (error: Error) => void;
}

/** The engine's options from those of the configuration. */
export function engineOptions(setup: EngineSetup): EngineOptions {
  const { streaming, partition, bus, store, clock, random, logger, onFatal } = setup;
  return {
    bus,
    store,
    clock,
    random,
    logger,
    clusterId: streaming.clusterId,
    discoverPrefix: streaming.discoverPrefix,
    ...(partition === undefined ? {} : { scope: partition.scope, peers: partition.peers }),
    unowned: streaming.partitionUnowned === "error" ? "error" : "silent",
    probe: !streaming.partitioning && streaming.ftGroup === "",
    replaceDurable: streaming.replaceDurable,
    honourMaxInFlightOnResume: streaming.delivery.honourMaxInFlightOnResume,
    redeliveryRule: redeliveryRules(streaming.delivery),
    heartbeatIntervalMillis: durationToMillis(streaming.heartbeatInterval),
    heartbeatTimeoutMillis: durationToMillis(streaming.heartbeatTimeout),
    heartbeatFailCount: streaming.heartbeatFailCount,
    batchSize: streaming.ioBatchSize,
    batchSleepMillis: streaming.ioSleepMicros / 1000,
    onFatal,
  };
}
