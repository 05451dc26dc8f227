import { type Clock, durationFromMillis, formatDuration, nowNanos, sortInSteps } from "@nats-streaming/kernel";
import { elementWithArray } from "../array-texts.ts";
import type { BrokerConnection, BrokerDirectory, BrokerSubscription, BrokerTraffic } from "../broker-directory.ts";
import { type JsonValue, toJson, withoutEnd } from "../json.ts";
import { ELEMENT_INDENT } from "../listing.ts";
import type { LongDocument, LongElement } from "../long-document.ts";
import { formatTime, formatUptime } from "../time.ts";
import { inTurns, type Turns } from "../turns.ts";
import { badRequest, boolParameter, intParameter, isOwnAccount, pageParameters } from "./query.ts";
import { before } from "./varz.ts";

type Compare = (a: BrokerConnection, b: BrokerConnection) => number;

/** Orders of `sort`. Those that count something begin with the most. */
const ORDERS: ReadonlyMap<string, Compare> = new Map<string, Compare>([
  ["cid", (a, b) => a.id - b.id],
  ["start", (a, b) => a.id - b.id],
  ["subs", (a, b) => b.subscriptionCount - a.subscriptionCount],
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
 * `state=closed` is an empty list, and so is `mqtt_client` anything. As there, `user` and `cid` leave `total` alone.
 * @throws (rejects) MonitoringError `bad_request`
 */
export async function connzDocument(
  broker: BrokerDirectory,
  clock: Clock,
  query: URLSearchParams,
  turns: Turns,
): Promise<LongDocument> {
  const detail = query.get("subs") === "detail";
  const view: ConnectionView = {
    subscriptions: detail ? "detail" : boolParameter(query, "subs") ? "subjects" : "none",
    withUser: boolParameter(query, "auth"),
  };
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

  const user = query.get("user") ?? "";
  const isMqtt = (query.get("mqtt_client") ?? "") !== "";
  const wanted: BrokerConnection[] = [];
  let total = 0;
  for (const connection of state === "closed" || !isOwnAccount(query) ? [] : broker.connections()) {
    total++;
    if ((cid === 0 || connection.id === cid) && (user === "" || connection.user === user) && !isMqtt) {
      wanted.push(connection);
    }
    if (turns.isOver()) await turns.next();
  }
  const ordered = await inTurns(sortInSteps(wanted, compare), turns);
  const shown = ordered.slice(page.offset, page.offset + page.limit);
  const now = nowNanos(clock);
  const opening = toJson({
    server_id: broker.statistics().serverId,
    now: formatTime(now),
    num_connections: shown.length,
    total,
    offset: page.offset,
    limit: page.limit,
  });
  return {
    head: () => `${withoutEnd(opening)},\n  "connections": [`,
    elements: connectionElements(shown, now, view),
    expected: shown.length,
    tail: () => (shown.length === 0 ? "]\n}" : "\n  ]\n}"),
  };
}

interface ConnectionView {
  readonly subscriptions: "none" | "subjects" | "detail";
  readonly withUser: boolean;
}

function* connectionElements(
  connections: readonly BrokerConnection[],
  now: bigint,
  { subscriptions, withUser }: ConnectionView,
): Iterable<LongElement> {
  for (const connection of connections) {
    const value: JsonValue = {
      cid: connection.id,
      kind: "Client",
      type: "nats",
      ...trafficJson(connection, now, "pending_bytes"),
      subscriptions: connection.subscriptionCount,
      name: connection.name || undefined,
      lang: connection.language || undefined,
      version: connection.version || undefined,
      authorized_user: (withUser && connection.user) || undefined,
    };
    if (subscriptions === "none" || connection.subscriptionCount === 0) {
      yield `\n${ELEMENT_INDENT}${toJson(value, ELEMENT_INDENT)}`;
    } else if (subscriptions === "detail") {
      yield* elementWithArray(value, "subscriptions_list_detail", connection.subscriptions(), (subscription) => ({
        ...subscriptionJson(subscription),
        cid: connection.id,
      }));
    } else {
      yield* elementWithArray(value, "subscriptions_list", connection.subscriptions(), ({ subject }) => subject);
    }
  }
}

/** A subscription as nats-server shows it. */
export function subscriptionJson(subscription: BrokerSubscription): { readonly [key: string]: JsonValue | undefined } {
  return {
    subject: subscription.subject,
    qgroup: subscription.queue || undefined,
    sid: subscription.sid || undefined,
    msgs: subscription.delivered,
    max: subscription.max || undefined,
  };
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
