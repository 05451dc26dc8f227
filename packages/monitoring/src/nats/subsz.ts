import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { isValidLiteralSubject, matches } from "@nats-streaming/subject";
import { arrayTexts } from "../array-texts.ts";
import {
  type BrokerDirectory,
  type BrokerSubjects,
  type BrokerSubscription,
  NO_SUBJECTS,
} from "../broker-directory.ts";
import { type JsonValue, toJson, withoutEnd } from "../json.ts";
import type { LongDocument } from "../long-document.ts";
import { formatTime } from "../time.ts";
import { inTurns, type Turns } from "../turns.ts";
import { subscriptionJson } from "./connz.ts";
import { ACCOUNT, badRequest, boolParameter, isOwnAccount, type NatsPage, pageParameters } from "./query.ts";

/**
 * `/subsz`: the index of subscriptions in numbers, and with `subs=1` which subscriptions there are, with `test` those that a
 * message on that subject would reach: those of clients, then those of this process, which have the name of their connection
 * instead of a number. Keys and parameters are those of nats-server 2.9.10; where nothing is found, the list is empty rather than
 * left out.
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
  const test = query.get("test") ?? "";
  if (test !== "" && !isValidLiteralSubject(test)) {
    throw badRequest(`invalid test subject, must be valid publish subject: ${test}`);
  }
  const isOurs = isOwnAccount(query);
  const numbers = numbersJson(isOurs ? await inTurns(broker.subjects(), turns) : NO_SUBJECTS);
  if (!withSubscriptions) return { head: () => toJson(numbers), elements: [], expected: 0, tail: () => "" };
  const { total, shown } = isOurs ? await search(broker, test, page, turns) : { total: 0, shown: [] };
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
      yield* arrayTexts(shown, "  ", rowJson);
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

interface Found {
  readonly total: number;
  /** Those of the page. */
  readonly shown: Iterable<Row>;
}

/** Looks at every subscription only where that is asked for: without a test each is read when it is printed. */
async function search(broker: BrokerDirectory, test: string, page: NatsPage, turns: Turns): Promise<Found> {
  if (test === "") {
    return { total: countSubscriptions(broker), shown: cut(rows(broker), page.offset, page.limit) };
  }
  const shown: Row[] = [];
  let total = 0;
  for (const row of rows(broker)) {
    if (matches(row.subscription.subject, test)) {
      if (total >= page.offset && shown.length < page.limit) shown.push(row);
      total++;
    }
    if (turns.isOver()) await turns.next();
  }
  return { total, shown };
}

function countSubscriptions(broker: BrokerDirectory): number {
  let count = 0;
  for (const { subscriptionCount } of broker.connections()) count += subscriptionCount;
  for (const { subscriptionCount } of broker.localBuses()) count += subscriptionCount;
  return count;
}

/** A subscription and whose it is. */
interface Row {
  readonly subscription: BrokerSubscription;
  readonly owner: { readonly cid: number } | { readonly name: string };
}

function* rows(broker: BrokerDirectory): Iterable<Row> {
  for (const { id, subscriptions } of broker.connections()) {
    for (const subscription of subscriptions()) yield { subscription, owner: { cid: id } };
  }
  for (const { name, subscriptions } of broker.localBuses()) {
    for (const subscription of subscriptions()) yield { subscription, owner: { name } };
  }
}

function rowJson({ subscription, owner }: Row): JsonValue {
  return { account: ACCOUNT, ...subscriptionJson(subscription), ...owner };
}

function* cut<T>(items: Iterable<T>, offset: number, limit: number): Iterable<T> {
  let place = 0;
  for (const item of items) {
    if (place >= offset + limit) return;
    if (place >= offset) yield item;
    place++;
  }
}
