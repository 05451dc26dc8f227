import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { arrayTexts } from "../array-texts.ts";
import type { BrokerDirectory, BrokerRoute } from "../broker-directory.ts";
import { toJson } from "../json.ts";
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
    head: () => `${opening.slice(0, -"\n}".length)},\n  "routes": [`,
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
    const value = toJson(
      {
        rid: route.id,
        remote_id: route.remoteId,
        remote_name: route.remoteName || undefined,
        did_solicit: route.isSolicited,
        is_configured: route.isConfigured,
        ...trafficJson(route, now, "pending_size"),
        subscriptions: route.subscriptionCount,
      },
      ELEMENT_INDENT,
    );
    if (!withSubscriptions || route.subscriptionCount === 0) {
      yield `\n${ELEMENT_INDENT}${value}`;
      continue;
    }
    yield `\n${ELEMENT_INDENT}${value.slice(0, -`\n${ELEMENT_INDENT}}`.length)},\n      "subscriptions_list": `;
    for (const more of arrayTexts(route.subscriptions(), "      ", (subject) => subject)) yield { more };
    yield { more: `\n${ELEMENT_INDENT}}` };
  }
}
