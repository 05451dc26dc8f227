import { monitorEventLoopDelay } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { type Clock, nextTurn } from "@nats-streaming/kernel";
import { Counter, Gauge, Registry } from "prom-client";
import type { PartitionSnapshot } from "../partition-snapshot.ts";
import type { MonitoringSource, ServerPhase, StoreTotals } from "../source.ts";
import { formatTime } from "../time.ts";
import { setCounter } from "./set-counter.ts";
import { createStorageMetrics } from "./storage-metrics.ts";

/** Servers of a partitioned cluster that have a series of their own; more are counted in `nss_partition_servers_left_out`. */
const PARTITION_SERVERS_MAX = 256;

/** What is measured of the server as a whole, of its partition, its store and its process. */
export interface ServerMetrics {
  /** In the exposition format, as it is now. */
  text(source: MonitoringSource): Promise<string>;
  close(): void;
}

const PHASES: readonly ServerPhase[] = ["starting", "recovering", "standby", "active", "failed", "stopped"];

export function createServerMetrics(clock: Clock): ServerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const labelNames = ["server"];
  const gauge = (name: string, help: string, more: readonly string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames, ...more], registers });
  const counter = (name: string, help: string): Counter => new Counter({ name, help, labelNames, registers });
  const processGauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });

  const stored = {
    bytes: gauge("nss_server_bytes_total", "Bytes stored in all channels"),
    messages: gauge("nss_server_msgs_total", "Messages stored in all channels"),
    channels: gauge("nss_server_channels", "Channels"),
    subscriptions: gauge("nss_server_subscriptions", "Subscriptions, offline durables included"),
    clients: gauge("nss_server_clients", "Registered clients"),
  };
  const info = gauge("nss_server_info", "Always 1; the labels tell about the server", [
    "cluster_id",
    "server_id",
    "version",
    "go_version",
    "state",
    "role",
    "start_time",
  ]);
  const traffic = {
    inMessages: counter("nss_server_in_msgs_total", "Publishes received"),
    inBytes: counter("nss_server_in_bytes_total", "Bytes of the publishes received"),
    outMessages: counter("nss_server_out_msgs_total", "Messages sent to subscribers, redeliveries included"),
    outBytes: counter("nss_server_out_bytes_total", "Bytes of the messages sent to subscribers"),
    redelivered: counter("nss_server_redelivered_msgs_total", "Messages sent to subscribers again"),
  };
  const uptime = gauge("nss_server_uptime_seconds", "Seconds since the start");
  const phase = gauge("nss_server_role", "1 for what the server is doing now, 0 for everything else", ["role"]);
  const quarantined = gauge("nss_quarantined_channels", "Channels that are damaged and not served");
  const storage = createStorageMetrics(registry);
  const partition = {
    entries: gauge("nss_partition_entries", "Entries in the channel list of a server of the cluster", [
      "owner",
      "kind",
      "state",
    ]),
    servers: gauge("nss_partition_servers", "Servers of the cluster that are known, this one included"),
    conflicts: gauge("nss_partition_conflicts", "Overlaps between the lists of two servers"),
    unowned: gauge("nss_partition_unowned_channels", "Stored channels that no list covers"),
    leftOut: gauge("nss_partition_servers_left_out", "Servers of the cluster without a series of their own"),
  };
  const processMetrics = {
    cpu: new Counter({ name: "process_cpu_seconds_total", help: "CPU seconds, user and system", registers }),
    memory: processGauge("process_resident_memory_bytes", "Resident memory"),
    start: processGauge("process_start_time_seconds", "Start of the server, in seconds since 1970"),
    openFiles: processGauge("process_open_fds", "Open file descriptors"),
    maxFiles: processGauge("process_max_fds", "Most open file descriptors"),
    heap: processGauge("nodejs_heap_size_used_bytes", "Memory of live JavaScript objects"),
    lag: processGauge("nodejs_eventloop_lag_p99_seconds", "Delay of the event loop since the last scrape, 99 of 100"),
  };
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();

  const readProcess = async ({ fileDescriptors }: MonitoringSource): Promise<void> => {
    const { user, system } = process.cpuUsage();
    setCounter(processMetrics.cpu, {}, (user + system) / 1_000_000);
    // `memoryUsage()` itself goes through the whole heap.
    processMetrics.memory.set(process.memoryUsage.rss());
    processMetrics.heap.set(getHeapStatistics().used_heap_size);
    processMetrics.lag.set(delay.percentile(99) / 1e9);
    delay.reset();
    if (fileDescriptors === undefined) return;
    // A failure to count them must not cost everything else.
    const [open, max] = await Promise.allSettled([fileDescriptors.open(), fileDescriptors.max()]);
    if (open.status === "fulfilled") processMetrics.openFiles.set(open.value);
    if (max.status === "fulfilled") processMetrics.maxFiles.set(max.value);
  };

  const readPartition = (map: PartitionSnapshot | undefined, server: string): void => {
    partition.entries.reset();
    if (map === undefined) return;
    for (const one of map.servers.slice(0, PARTITION_SERVERS_MAX)) {
      partition.entries.set({ server, owner: one.serverId, kind: one.kind, state: one.phase }, one.entries.length);
    }
    partition.servers.set({ server }, map.servers.length);
    partition.conflicts.set({ server }, map.conflicts.length);
    partition.unowned.set({ server }, map.unowned.length);
    partition.leftOut.set({ server }, Math.max(0, map.servers.length - PARTITION_SERVERS_MAX));
  };

  const readServer = (source: MonitoringSource, totals: StoreTotals): string => {
    const snapshot = source.server();
    const { name: server } = snapshot;
    const labels = { server };
    stored.bytes.set(labels, Number(totals.bytes));
    stored.messages.set(labels, Number(totals.messages));
    stored.channels.set(labels, snapshot.channels);
    stored.subscriptions.set(labels, totals.subscriptions);
    stored.clients.set(labels, snapshot.clients);
    info.reset();
    info.set(
      {
        server,
        cluster_id: snapshot.clusterId,
        server_id: snapshot.serverId,
        version: snapshot.version,
        go_version: snapshot.runtime,
        state: snapshot.state,
        role: snapshot.role ?? "",
        start_time: formatTime(snapshot.startTime),
      },
      1,
    );
    setCounter(traffic.inMessages, labels, snapshot.inMessages);
    setCounter(traffic.inBytes, labels, snapshot.inBytes);
    setCounter(traffic.outMessages, labels, snapshot.outMessages);
    setCounter(traffic.outBytes, labels, snapshot.outBytes);
    setCounter(traffic.redelivered, labels, source.work?.()?.redelivered ?? 0);
    uptime.set(labels, snapshot.uptimeMillis / 1_000);
    for (const role of PHASES) phase.set({ server, role }, role === snapshot.phase ? 1 : 0);
    quarantined.set(labels, source.store().quarantined?.length ?? 0);
    processMetrics.start.set(Number(snapshot.startTime / 1_000_000n) / 1_000);
    return server;
  };

  return {
    async text(source): Promise<string> {
      await readProcess(source);
      const server = readServer(source, await source.totals());
      await nextTurn(clock);
      readPartition(await source.partitions?.(), server);
      storage.read(source.storage?.(), server);
      await nextTurn(clock);
      return registry.metrics();
    },
    close: () => delay.disable(),
  };
}
