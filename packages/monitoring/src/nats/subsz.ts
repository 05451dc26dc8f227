import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { arrayTexts } from "../array-texts.ts";
import type { BrokerDirectory, BrokerSubjects } from "../broker-directory.ts";
import { type JsonValue, toJson, withoutEnd } from "../json.ts";
import type { LongDocument } from "../long-document.ts";
import { formatTime } from "../time.ts";
import { inTurns, type Turns } from "../turns.ts";
import { subscriptionJson } from "./connz.ts";
import { boolParameter, pageParameters } from "./query.ts";

/** There is one account. */
const ACCOUNT = "$G";

/**
 * `/subsz`: the index of subscriptions in numbers, and with `subs=1` which subscriptions there are: those of clients, then those
 * of this process, which have the name of their connection instead of a number. Keys are those of nats-server 2.9.10.
 * @throws (rejects) MonitoringError `bad_request`
 */
export async function subszDocument(
  broker: BrokerDirectory,
  clock: Clock,
  query: URLSearchParams,
  turns: Turns,
): Promise<LongDocument> {
  const withSubscriptions = boolParameter(query, "subs");
  const page = pageParameters(query);
  const numbers = numbersJson(await inTurns(broker.subjects(), turns));
  if (!withSubscriptions) return { head: () => toJson(numbers), elements: [], expected: 0, tail: () => "" };
  const total = countSubscriptions(broker);
  const opening = toJson({
    server_id: broker.statistics().serverId,
    now: formatTime(nowNanos(clock)),
    ...numbers,
    total,
    offset: page.offset,
    limit: page.limit,
  });
  return {
    head: () => `${withoutEnd(opening)},\n  "subscriptions_list": `,
    elements: [],
    expected: 0,
    *tail(): Iterable<string> {
      yield* arrayTexts(cut(subscriptions(broker), page.offset, page.limit), "  ", (subscription) => subscription);
      yield "\n}";
    },
  };
}

function numbersJson(subjects: BrokerSubjects): { readonly [key: string]: JsonValue } {
  return {
    num_subscriptions: subjects.count,
    num_cache: subjects.cached,
    num_inserts: subjects.inserts,
    num_removes: subjects.removes,
    num_matches: subjects.lookups,
    cache_hit_rate: subjects.cacheHitRate,
    max_fanout: subjects.fanoutMax,
    avg_fanout: subjects.fanoutAverage,
  };
}

function countSubscriptions(broker: BrokerDirectory): number {
  let count = 0;
  for (const { subscriptionCount } of broker.connections()) count += subscriptionCount;
  for (const { subscriptionCount } of broker.localBuses()) count += subscriptionCount;
  return count;
}

function* subscriptions(broker: BrokerDirectory): Iterable<JsonValue> {
  for (const { id, subscriptions } of broker.connections()) {
    for (const one of subscriptions()) yield { account: ACCOUNT, ...subscriptionJson(one), cid: id };
  }
  for (const { name, subscriptions } of broker.localBuses()) {
    for (const one of subscriptions()) yield { account: ACCOUNT, ...subscriptionJson(one), name };
  }
}

function* cut<T>(items: Iterable<T>, offset: number, limit: number): Iterable<T> {
  let place = 0;
  for (const item of items) {
    if (place >= offset + limit) return;
    if (place >= offset) yield item;
    place++;
  }
}
