import { createSubjectTree, isLiteralSubject, overlaps, type SubjectTree } from "@nats-streaming/subject";
import { canHaveShortcut, PrefixShortcut, SHORTCUTS_MAX } from "./prefix-shortcuts.ts";
import { type Receivers, receiversOf, withoutDenied } from "./receivers.ts";
import type { SubjectStatistics } from "./statistics.ts";
import type { Subscription } from "./subscription.ts";
import { hashKey, type KeyTopic, KeyTopics, type Topic, TopicTable } from "./topic.ts";

/** Hears of every subscription on this server, of clients and of local buses, as it begins and as it ends. */
export type InterestWatcher = (subscription: Subscription, change: 1 | -1) => void;

/**
 * Literal subjects share this many version numbers. A new or ended literal subscription outdates what is cached for the
 * subjects of its number only; one with wildcards outdates everything.
 */
const LITERAL_VERSIONS = 4_096;

/** Cached subjects that are counted in one step: well below a millisecond of work. */
const STEP_TOPICS = 1_024;

/** Which subscriptions a subject has. Subjects are keys; see `subject-key.ts`. */
export class Router {
  /** Changes with every subscription: what was looked up under the same number still holds. */
  version = 1;
  readonly #tree: SubjectTree<Subscription>;
  readonly #topics = new TopicTable();
  readonly #textTopics = new KeyTopics();
  readonly #shortcuts: PrefixShortcut[] = [];
  #watcher: InterestWatcher | undefined;
  /** Subscriptions of other servers. */
  #remotes = 0;
  #hasFilters = false;
  #wildcardVersion = 1;
  #lookups = 0;
  readonly #literalVersions: Uint32Array = new Uint32Array(LITERAL_VERSIONS);

  /** @param hashSeed an unguessable int32. */
  constructor(hashSeed: number) {
    // Results are cached in topics, where they are found by bytes; a second cache by text would only cost.
    this.#tree = createSubjectTree<Subscription>({ cacheSize: 0, hashSeed });
  }

  /** Subscriptions in force. */
  get count(): number {
    return this.#tree.count;
  }

  /** From now on there are connections that some messages are kept from, or one more. */
  filtered(): void {
    this.#hasFilters = true;
    this.version++;
    this.#wildcardVersion++;
  }

  /** From now on `watcher` hears of interest here. */
  watch(watcher: InterestWatcher): void {
    this.#watcher = watcher;
  }

  /**
   * Adds a subscription. False when its subject is not valid: an empty token, or a token after `>`.
   * @param weight how many members of its queue group it stands for.
   */
  add(subscription: Subscription, weight = 1): boolean {
    const outcome = this.#tree.insert(subscription.subject, subscription, { queue: subscription.queue, weight });
    if (outcome.kind !== "inserted") return false;
    this.#changed(subscription);
    if (subscription.route !== undefined) this.#remotes++;
    else this.#watcher?.(subscription, 1);
    this.#countForShortcuts(subscription, 1);
    if (isForShortcut(subscription)) this.#addToShortcut(subscription);
    return true;
  }

  /** From now on the subscription stands for so many members of its queue group. */
  setWeight(subscription: Subscription, weight: number): void {
    this.#tree.setWeight(subscription.subject, subscription, { queue: subscription.queue, weight });
    this.#changed(subscription);
  }

  /** Takes a subscription out and marks it closed. Idempotent. */
  remove(subscription: Subscription): void {
    if (subscription.closed) return;
    subscription.closed = true;
    this.#tree.remove(subscription.subject, subscription, { queue: subscription.queue });
    this.#changed(subscription);
    if (subscription.route !== undefined) this.#remotes--;
    else this.#watcher?.(subscription, -1);
    this.#countForShortcuts(subscription, -1);
    if (isForShortcut(subscription)) this.#removeFromShortcut(subscription);
  }

  /** Who gets a message on the subject `bytes[start, end)`. */
  receivers(bytes: Uint8Array, view: DataView, start: number, end: number): Receivers {
    for (const shortcut of this.#shortcuts) {
      if (!shortcut.covers(bytes, view, start, end)) continue;
      this.#lookups++;
      return shortcut.receivers;
    }
    return this.receiversOf(this.#topics.find(bytes, view, start, end));
  }

  /** Who gets a message on the subject of a topic. */
  receiversOf(topic: Topic): Receivers {
    this.#lookups++;
    const literalVersion = this.#literalVersions[topic.hash & (LITERAL_VERSIONS - 1)]!;
    if (
      topic.receivers !== undefined &&
      topic.wildcardVersion === this.#wildcardVersion &&
      topic.literalVersion === literalVersion
    ) {
      return topic.receivers;
    }
    topic.receivers = receiversOf(this.#tree.matchGroups(topic.key), this.#remotes > 0);
    if (this.#hasFilters) topic.receivers = withoutDenied(topic.receivers, topic.key);
    topic.wildcardVersion = this.#wildcardVersion;
    topic.literalVersion = literalVersion;
    return topic.receivers;
  }

  /** The bytes as text: of a subject seen before always the same string, so that maps find it fast. */
  textOf(bytes: Uint8Array, view: DataView, start: number, end: number): string {
    return start === end ? "" : this.#topics.find(bytes, view, start, end).key;
  }

  /** What is known of a subject given as text. */
  topicOf(text: string): KeyTopic {
    return this.#textTopics.find(text);
  }

  /** Goes through what is cached in steps of {@link STEP_TOPICS} subjects. */
  *counting(): Generator<void, SubjectStatistics> {
    const { inserts, removes, matches } = this.#tree.statistics();
    let cached = 0;
    let fanoutMax = 0;
    let fanoutSum = 0;
    const count = (topic: Topic): void => {
      const { receivers, hash } = topic;
      const isCurrent =
        topic.wildcardVersion === this.#wildcardVersion &&
        topic.literalVersion === this.#literalVersions[hash & (LITERAL_VERSIONS - 1)];
      if (receivers === undefined || !isCurrent) return;
      const fanout = receivers.values.length + receivers.routes.length + receivers.queues.length;
      cached++;
      fanoutMax = Math.max(fanoutMax, fanout);
      fanoutSum += fanout;
    };
    let looked = 0;
    for (const topics of [this.#topics.all(), this.#textTopics.all()]) {
      for (const topic of topics) {
        count(topic);
        if (++looked % STEP_TOPICS === 0) yield;
      }
    }
    return {
      count: this.count,
      inserts,
      removes,
      lookups: this.#lookups,
      cacheHitRate: this.#lookups === 0 ? 0 : Math.max(0, 1 - matches / this.#lookups),
      cached,
      fanoutMax,
      fanoutAverage: cached === 0 ? 0 : fanoutSum / cached,
    };
  }

  #changed(subscription: Subscription): void {
    this.version++;
    if (isLiteralSubject(subscription.subject)) {
      const place = hashKey(subscription.subject) & (LITERAL_VERSIONS - 1);
      this.#literalVersions[place] = this.#literalVersions[place]! + 1;
    } else {
      this.#wildcardVersion++;
    }
  }

  #countForShortcuts(subscription: Subscription, change: 1 | -1): void {
    for (const shortcut of this.#shortcuts) {
      if (isForShortcut(subscription) && subscription.subject === shortcut.pattern) continue;
      if (overlaps(shortcut.pattern, subscription.subject)) shortcut.others += change;
    }
  }

  #addToShortcut(subscription: Subscription): void {
    let shortcut = this.#shortcuts.find((candidate) => candidate.pattern === subscription.subject);
    if (shortcut === undefined) {
      if (this.#shortcuts.length >= SHORTCUTS_MAX) return;
      shortcut = new PrefixShortcut(subscription.subject);
      shortcut.others = this.#tree.reverseMatch(subscription.subject).length - 1;
      this.#shortcuts.push(shortcut);
    }
    shortcut.add(subscription);
  }

  #removeFromShortcut(subscription: Subscription): void {
    const place = this.#shortcuts.findIndex((candidate) => candidate.pattern === subscription.subject);
    const shortcut = this.#shortcuts[place];
    if (shortcut === undefined) return;
    shortcut.remove(subscription);
    if (shortcut.own.length === 0) this.#shortcuts.splice(place, 1);
  }
}

/** Only what a local bus listens to by itself: its handlers are few, long-lived, and hear most of the traffic. */
function isForShortcut(subscription: Subscription): boolean {
  return subscription.handler !== undefined && subscription.queue === "" && canHaveShortcut(subscription.subject);
}
