import { sortInSteps } from "@nats-streaming/kernel";
import { jsonString, toJson, withoutEnd } from "./json.ts";
import { ELEMENT_INDENT, type Listing } from "./listing.ts";
import type { LongDocument, LongElement } from "./long-document.ts";
import { compareNames } from "./name-index.ts";
import type { ClientDirectory, ClientSubscription, MonitoredClient } from "./source.ts";
import { subscriptionJson } from "./subscription-json.ts";

/** @see monitoring.md 5 */
export function clientsListing(clients: ClientDirectory, withSubscriptions: boolean): Listing {
  return {
    key: "clients",
    whenEmpty: "shown",
    list: clients,
    *element(id): Iterable<LongElement> {
      const client = clients.find(id);
      if (client !== undefined) yield* clientTexts(client, withSubscriptions, ELEMENT_INDENT);
    },
  };
}

/** One client alone. */
export function clientDocument(client: MonitoredClient, withSubscriptions: boolean): LongDocument {
  return { head: () => "", elements: clientTexts(client, withSubscriptions, ""), expected: 1, tail: () => "" };
}

/** A client may have a hundred thousand subscriptions: they are gathered, put in order and printed in parts. */
function* clientTexts(client: MonitoredClient, withSubscriptions: boolean, indent: string): Iterable<LongElement> {
  const { id, heartbeatInbox, subscriptionCount } = client;
  const opening = toJson({ id, hb_inbox: heartbeatInbox, subs_count: subscriptionCount }, indent);
  const subscriptions: ClientSubscription[] = [];
  if (withSubscriptions) {
    for (const one of client.subscriptions()) {
      subscriptions.push(one);
      yield undefined;
    }
  }
  if (subscriptions.length === 0) {
    yield opening;
    return;
  }
  const ordered = yield* sortInSteps(subscriptions, (a, b) => compareNames(a.channel, b.channel));
  yield `${withoutEnd(opening)},\n${indent}  "subscriptions": {`;
  let channel: string | undefined;
  for (const { channel: next, subscription } of ordered) {
    const text = `\n${indent}      ${toJson(subscriptionJson(subscription), `${indent}      `)}`;
    if (next === channel) yield { more: `,${text}` };
    else {
      const end = channel === undefined ? "" : `\n${indent}    ],`;
      yield { more: `${end}\n${indent}    ${jsonString(next)}: [${text}` };
    }
    channel = next;
  }
  yield { more: `\n${indent}    ]\n${indent}  }\n${indent}}` };
}
