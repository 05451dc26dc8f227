import { type Clock, durationFromMillis, formatDuration, nowNanos } from "@nats-streaming/kernel";
import type { BrokerConnection, BrokerDirectory, BrokerTraffic } from "../broker-directory.ts";
import { type JsonValue, toJson } from "../json.ts";
import { formatTime, formatUptime } from "../time.ts";
import { badRequest, boolParameter, intParameter, pageParameters } from "./query.ts";
import { before } from "./varz.ts";

type Compare = (a: BrokerConnection, b: BrokerConnection) => number;

/** Orders of `sort`. Those that count something begin with the most. */
const ORDERS: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ["cid", (a, b) => a.id - b.id],
  ["start", (a, b) => a.id - b.id],
  ["subs", (a, b) => b.subscriptions.length - a.subscriptions.length],
  ["pending", (a, b) => b.pendingBytes - a.pendingBytes],
  ["msgs_to", (a, b) => b.outMessages - a.outMessages],
  ["msgs_from", (a, b) => b.inMessages - a.inMessages],
  ["bytes_to", (a, b) => b.outBytes - a.outBytes],
  ["bytes_from", (a, b) => b.inBytes - a.inBytes],
  ["last", (a, b) => a.idleMillis - b.idleMillis],
  ["idle", (a, b) => b.idleMillis - a.idleMillis],
  ["uptime", (a, b) => b.uptimeMillis - a.uptimeMillis],
  ["rtt", (a, b) => b.roundTripMillis - a.roundTripMillis],
]);

/** Orders of connections that are closed: there is nothing to order, for those are not kept. */
const ORDERS_OF_CLOSED: readonly string[] = ["stop", "reason"];

/**
 * `/connz`: the connections of clients. Parameters and keys are those of nats-server 2.9.10; closed connections are not kept, so
 * `state=closed` is an empty list.
 * @throws MonitoringError `bad_request`
 */
export function connzJson(broker: BrokerDirectory, clock: Clock, query: URLSearchParams): string {
  const detail = query.get("subs") === "detail";
  const withSubscriptions = detail || boolParameter(query, "subs");
  const withUser = boolParameter(query, "auth");
  const sort = query.get("sort") ?? "";
  const compare = ORDERS.get(sort === "" ? "cid" : sort);
  const cid = intParameter(query, "cid");
  const page = pageParameters(query);
  const state = (query.get("state") ?? "").toLowerCase();
  if (!["", "open", "closed", "any", "all"].includes(state)) throw badRequest(`Error decoding state for ${state}`);
  if (compare === undefined) {
    const isOfClosed = ORDERS_OF_CLOSED.includes(sort);
    throw badRequest(
      isOfClosed ? `sort by ${sort} only valid on closed connections` : `invalid sorting option: ${sort}`,
    );
  }

  const open = state === "closed" ? [] : broker.connections();
  const wanted = cid === 0 ? open.toSorted(compare) : open.filter(({ id }) => id === cid);
  const shown = wanted.slice(page.offset, page.offset + page.limit);
  const now = nowNanos(clock);
  return toJson({
    server_id: broker.statistics().serverId,
    now: formatTime(now),
    num_connections: shown.length,
    total: wanted.length,
    offset: page.offset,
    limit: page.limit,
    connections: shown.map((connection) => ({
      cid: connection.id,
      kind: "Client",
      type: "nats",
      ...trafficJson(connection, now, "pending_bytes"),
      subscriptions: connection.subscriptions.length,
      name: connection.name || undefined,
      lang: connection.language || undefined,
      version: connection.version || undefined,
      authorized_user: (withUser && connection.user) || undefined,
      subscriptions_list: withSubscriptions && !detail ? listed(connection.subscriptions) : undefined,
      subscriptions_list_detail: detail
        ? connection.subscriptions.map((subject) => ({ subject, cid: connection.id }))
        : undefined,
    })),
  });
}

function listed(subjects: readonly string[]): readonly string[] | undefined {
  return subjects.length === 0 ? undefined : subjects;
}

/** The members that connections and routes share, `ip` to `out_bytes`. */
export function trafficJson(
  traffic: BrokerTraffic,
  now: bigint,
  pendingKey: "pending_bytes" | "pending_size",
): { readonly [key: string]: JsonValue } {
  return {
    ip: traffic.address,
    port: traffic.port,
    start: formatTime(before(now, traffic.uptimeMillis)),
    last_activity: formatTime(before(now, traffic.idleMillis)),
    rtt: formatDuration(durationFromMillis(traffic.roundTripMillis)),
    uptime: formatUptime(traffic.uptimeMillis),
    idle: formatUptime(traffic.idleMillis),
    [pendingKey]: traffic.pendingBytes,
    in_msgs: traffic.inMessages,
    out_msgs: traffic.outMessages,
    in_bytes: traffic.inBytes,
    out_bytes: traffic.outBytes,
  };
}
