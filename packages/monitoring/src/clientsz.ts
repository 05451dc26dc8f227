import type { JsonValue } from "./json.ts";
import { toJson } from "./json.ts";
import { ELEMENT_INDENT, type Listing } from "./listing.ts";
import { compareNames } from "./name-index.ts";
import type { ClientDirectory, MonitoredClient } from "./source.ts";
import { subscriptionJson } from "./subscription-json.ts";

/** @see monitoring.md 5 */
export function clientsListing(clients: ClientDirectory, withSubscriptions: boolean): Listing {
  return {
    key: "clients",
    whenEmpty: "shown",
    list: clients,
    element(id): string | undefined {
      const client = clients.find(id);
      return client && clientJson(client, withSubscriptions, ELEMENT_INDENT);
    },
  };
}

export function clientJson(client: MonitoredClient, withSubscriptions: boolean, indent = ""): string {
  return toJson(
    {
      id: client.id,
      hb_inbox: client.heartbeatInbox,
      subs_count: client.subscriptionCount,
      subscriptions: withSubscriptions ? byChannel(client) : undefined,
    },
    indent,
  );
}

function byChannel(client: MonitoredClient): ReadonlyMap<string, JsonValue> | undefined {
  const channels = new Map<string, JsonValue[]>();
  for (const { channel, subscription } of client.subscriptions()) {
    const list = channels.get(channel);
    if (list === undefined) channels.set(channel, [subscriptionJson(subscription)]);
    else list.push(subscriptionJson(subscription));
  }
  if (channels.size === 0) return undefined;
  return new Map([...channels].sort(([a], [b]) => compareNames(a, b)));
}
