import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { toJson } from "./json.ts";
import { awaitSource } from "./monitoring-error.ts";
import type { FileDescriptors, MonitoringSource, StoreTotals } from "./source.ts";
import { formatTime, formatUptime } from "./time.ts";

/**
 * The server in numbers.
 * @throws MonitoringError `source_failed`
 * @see monitoring.md 2
 */
export async function serverzJson(source: MonitoringSource, clock: Clock): Promise<string> {
  const totals = await readTotals(source);
  const descriptors = await readDescriptors(source.fileDescriptors);
  const server = source.server();
  return toJson({
    cluster_id: server.clusterId,
    server_id: server.serverId,
    version: server.version,
    go: server.runtime,
    state: server.state,
    role: server.role,
    node_id: server.nodeId,
    now: formatTime(nowNanos(clock)),
    start_time: formatTime(server.startTime),
    uptime: formatUptime(server.uptimeMillis),
    clients: server.clients,
    subscriptions: totals.subscriptions,
    channels: server.channels,
    total_msgs: totals.messages,
    total_bytes: totals.bytes,
    in_msgs: server.inMessages,
    in_bytes: server.inBytes,
    out_msgs: server.outMessages,
    out_bytes: server.outBytes,
    open_fds: descriptors.open || undefined,
    max_fds: descriptors.max || undefined,
  });
}

/** @throws (rejects) MonitoringError `source_failed` */
export function readTotals(source: MonitoringSource): Promise<StoreTotals> {
  return awaitSource("Error getting information about channels state", source.totals());
}

async function readDescriptors(
  descriptors: FileDescriptors | undefined,
): Promise<{ readonly open: number; readonly max: number }> {
  if (descriptors === undefined) return { open: 0, max: 0 };
  const open = await awaitSource("Error getting file descriptors len", descriptors.open());
  const max = await awaitSource("Error getting process limits", descriptors.max());
  return { open, max };
}
