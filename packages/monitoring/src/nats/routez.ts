import { type Clock, nowNanos } from "@nats-streaming/kernel";
import type { BrokerDirectory } from "../broker-directory.ts";
import { toJson } from "../json.ts";
import { formatTime } from "../time.ts";
import { trafficJson } from "./connz.ts";
import { boolParameter } from "./query.ts";

/** `/routez`: the routes to other NATS servers. @throws MonitoringError `bad_request` */
export function routezJson(broker: BrokerDirectory, clock: Clock, query: URLSearchParams): string {
  const withSubscriptions = query.get("subs") === "detail" || boolParameter(query, "subs");
  const routes = broker.routes();
  const now = nowNanos(clock);
  return toJson({
    server_id: broker.statistics().serverId,
    now: formatTime(now),
    num_routes: routes.length,
    routes: routes.map((route) => ({
      rid: route.id,
      remote_id: route.remoteId,
      remote_name: route.remoteName || undefined,
      did_solicit: route.isSolicited,
      is_configured: route.isConfigured,
      ...trafficJson(route, now, "pending_size"),
      subscriptions: route.subscriptionCount,
      subscriptions_list: withSubscriptions && route.subscriptionCount > 0 ? route.subscriptions() : undefined,
    })),
  });
}
