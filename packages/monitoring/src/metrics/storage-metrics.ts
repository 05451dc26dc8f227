import { Counter, Gauge, type Registry } from "prom-client";
import type { StorageSnapshot } from "../work-snapshot.ts";
import { setCounter } from "./set-counter.ts";

/** What is measured of a store beyond its totals. */
export interface StorageMetrics {
  /** @param storage undefined when the store tells nothing */
  read(storage: StorageSnapshot | undefined, server: string): void;
}

interface StorageMetric {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly help: string;
  /** Undefined where the store has no such thing. */
  readonly of: (storage: StorageSnapshot) => number | undefined;
}

const METRICS: readonly StorageMetric[] = [
  {
    name: "nss_store_commit_log_bytes",
    kind: "gauge",
    help: "Bytes in the commit log since the last checkpoint",
    of: ({ commitLogBytes }) => commitLogBytes,
  },
  {
    name: "nss_store_commit_log_disk_bytes",
    kind: "gauge",
    help: "Bytes that the segments of the commit log take on disk",
    of: ({ commitLogDiskBytes }) => commitLogDiskBytes,
  },
  {
    name: "nss_store_checkpoints_total",
    kind: "counter",
    help: "Checkpoints of the commit log since the start",
    of: ({ checkpoints }) => checkpoints,
  },
  {
    name: "nss_store_checkpoint_failures_total",
    kind: "counter",
    help: "Checkpoints since the start that could not be completed",
    of: ({ failedCheckpoints }) => failedCheckpoints,
  },
  {
    name: "nss_store_checkpoint_age_seconds",
    kind: "gauge",
    help: "Seconds since the last checkpoint, or the start",
    of: ({ checkpointAgeMillis }) => checkpointAgeMillis && checkpointAgeMillis / 1_000,
  },
  {
    name: "nss_store_open_files",
    kind: "gauge",
    help: "Files that the store has open",
    of: ({ openFiles }) => openFiles,
  },
  {
    name: "nss_store_cached_bytes",
    kind: "gauge",
    help: "Bytes of messages in memory beside the disk",
    of: ({ cachedBytes }) => cachedBytes,
  },
];

/** A metric is registered with its first value: a store that has no commit log has no family for one either. */
export function createStorageMetrics(registry: Registry): StorageMetrics {
  const registered = new Map<string, (server: string, value: number) => void>();

  const register = ({ name, kind, help }: StorageMetric): ((server: string, value: number) => void) => {
    const configuration = { name, help, labelNames: ["server"], registers: [registry] };
    if (kind === "gauge") {
      const gauge = new Gauge(configuration);
      return (server, value) => gauge.set({ server }, value);
    }
    const counter = new Counter(configuration);
    return (server, value) => setCounter(counter, { server }, value);
  };

  return {
    read(storage, server): void {
      for (const metric of METRICS) {
        const value = storage && metric.of(storage);
        let set = registered.get(metric.name);
        if (value === undefined) {
          // What was true of another moment is not shown as if it were still.
          if (set !== undefined) registry.removeSingleMetric(metric.name);
          registered.delete(metric.name);
          continue;
        }
        if (set === undefined) {
          set = register(metric);
          registered.set(metric.name, set);
        }
        set(server, value);
      }
    },
  };
}
