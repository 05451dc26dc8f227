import { cpus } from "node:os";
import { type Clock, nowNanos, timestampNanos } from "@nats-streaming/kernel";
import type { BrokerDirectory } from "../broker-directory.ts";
import { toJson } from "../json.ts";
import { formatTime, formatUptime } from "../time.ts";

/** Asking the system reads a file of a page for each of them. */
const CORES: number = cpus().length;

/** `/varz`: the NATS server in numbers. Keys and their order are those of nats-server 2.9.10. */
export function varzJson(broker: BrokerDirectory, clock: Clock, requests: ReadonlyMap<string, number>): string {
  const { settings } = broker;
  const statistics = broker.statistics();
  const now = nowNanos(clock);
  const start = formatTime(before(now, statistics.uptimeMillis));
  const { cluster } = statistics;
  return toJson({
    server_id: statistics.serverId,
    server_name: statistics.serverName,
    version: statistics.version,
    proto: 1,
    go: `node${process.version}`,
    host: statistics.host,
    port: statistics.port,
    auth_required: settings.authRequired || undefined,
    tls_required: settings.tlsRequired || undefined,
    max_connections: statistics.maxConnections,
    ping_interval: nanosOf(settings.pingIntervalMillis),
    ping_max: settings.pingMax,
    http_host: settings.httpHost,
    http_port: settings.httpPort,
    http_base_path: "",
    https_port: settings.httpsPort,
    auth_timeout: settings.authTimeoutMillis / 1_000,
    max_control_line: settings.maxControlLine,
    max_payload: statistics.maxPayload,
    max_pending: settings.maxPending,
    cluster:
      cluster === undefined
        ? {}
        : {
            name: cluster.name,
            addr: cluster.host,
            cluster_port: cluster.port,
            urls: cluster.configuredRoutes.length === 0 ? undefined : cluster.configuredRoutes,
          },
    gateway: {},
    leaf: {},
    mqtt: {},
    websocket: {},
    jetstream: {},
    write_deadline: nanosOf(settings.writeDeadlineMillis),
    start,
    now: formatTime(now),
    uptime: formatUptime(statistics.uptimeMillis),
    mem: process.memoryUsage.rss(),
    cores: CORES,
    // JavaScript runs on one.
    gomaxprocs: 1,
    cpu: cpuPercent(),
    connections: statistics.connections,
    total_connections: statistics.totalConnections,
    routes: cluster?.routes ?? 0,
    remotes: cluster?.routes ?? 0,
    leafnodes: 0,
    in_msgs: statistics.inMessages,
    out_msgs: statistics.outMessages,
    in_bytes: statistics.inBytes,
    out_bytes: statistics.outBytes,
    slow_consumers: statistics.slowConsumers,
    subscriptions: statistics.subscriptions,
    http_req_stats: new Map([...requests].sort(([a], [b]) => (a < b ? -1 : 1))),
    config_load_time: start,
  });
}

/** Share of one core that the process has used since its start, in percent. */
function cpuPercent(): number {
  const { user, system } = process.cpuUsage();
  return Math.round((user + system) / 1_000 / Math.max(1, process.uptime() * 10));
}

/** Nanoseconds, as a whole number. */
function nanosOf(millis: number): number {
  return Math.round(millis * 1_000_000);
}

/** The moment so many milliseconds before another one. */
export function before(now: bigint, millis: number): ReturnType<typeof timestampNanos> {
  return timestampNanos(now - BigInt(nanosOf(millis)));
}
