import { type Clock, nowNanos } from "@nats-streaming/kernel";
import type { BrokerDirectory } from "../broker-directory.ts";
import { type JsonValue, toJson } from "../json.ts";
import { formatTime } from "../time.ts";
import { boolParameter, pageParameters } from "./query.ts";

/**
 * `/subsz`: how many subscriptions the NATS server has, and with `subs=1` which. The numbers of nats-server's subject cache have
 * no counterpart here and are left out.
 * @throws MonitoringError `bad_request`
 */
export function subszJson(broker: BrokerDirectory, clock: Clock, query: URLSearchParams): string {
  const withSubscriptions = boolParameter(query, "subs");
  const page = pageParameters(query);
  const statistics = broker.statistics();
  if (!withSubscriptions) return toJson({ num_subscriptions: statistics.subscriptions });
  const all = subscriptions(broker);
  return toJson({
    server_id: statistics.serverId,
    now: formatTime(nowNanos(clock)),
    num_subscriptions: statistics.subscriptions,
    total: all.length,
    offset: page.offset,
    limit: page.limit,
    subscriptions_list: all.slice(page.offset, page.offset + page.limit),
  });
}

/** Those of clients, then those of this process, which have the name of their connection instead of a number. */
function subscriptions(broker: BrokerDirectory): JsonValue[] {
  const account = "$G";
  return [
    ...broker
      .connections()
      .flatMap(({ id, subscriptions: subjects }) => subjects.map((subject) => ({ account, subject, cid: id }))),
    ...broker
      .localBuses()
      .flatMap(({ name, subscriptions: subjects }) => subjects.map((subject) => ({ account, subject, name }))),
  ];
}
