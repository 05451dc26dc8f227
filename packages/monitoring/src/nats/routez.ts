import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { elementWithArray } from "../array-texts.ts";
import type { BrokerDirectory, BrokerRoute } from "../broker-directory.ts";
import { type JsonValue, toJson, withoutEnd } from "../json.ts";
import { ELEMENT_INDENT } from "../listing.ts";
import type { LongDocument, LongElement } from "../long-document.ts";
import { formatTime } from "../time.ts";
import { trafficJson } from "./connz.ts";
import { boolParameter } from "./query.ts";

/** `/routez`: the routes to other NATS servers. @throws MonitoringError `bad_request` */
export function routezDocument(broker: BrokerDirectory, clock: Clock, query: URLSearchParams): LongDocument {
  const withSubscriptions = query.get("subs") === "detail" || boolParameter(query, "subs");
  const routes = broker.routes();
  const now = nowNanos(clock);
  const opening = toJson({
    server_id: broker.statistics().serverId,
    now: formatTime(now),
    num_routes: routes.length,
  });
  return {
    head: () => `${withoutEnd(opening)},\n  "routes": [`,
    elements: routeElements(routes, now, withSubscriptions),
    expected: routes.length,
    tail: () => (routes.length === 0 ? "]\n}" : "\n  ]\n}"),
  };
}

function* routeElements(
  routes: readonly BrokerRoute[],
  now: bigint,
  withSubscriptions: boolean,
): Iterable<LongElement> {
  for (const route of routes) {
    const value: JsonValue = {
      rid: route.id,
      remote_id: route.remoteId,
      remote_name: route.remoteName || undefined,
      did_solicit: route.isSolicited,
      is_configured: route.isConfigured,
      ...trafficJson(route, now, "pending_size"),
      subscriptions: route.subscriptionCount,
    };
    if (withSubscriptions && route.subscriptionCount > 0) {
      yield* elementWithArray(value, "subscriptions_list", route.subscriptions(), (subject) => subject);
    } else yield `\n${ELEMENT_INDENT}${toJson(value, ELEMENT_INDENT)}`;
  }
}
