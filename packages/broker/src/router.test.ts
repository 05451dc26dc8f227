import { runSteps } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import { matches } from "@nats-streaming/subject";
import { describe, expect, it } from "vitest";
import type { Connection } from "./connection.ts";
import { SHORTCUTS_MAX } from "./prefix-shortcuts.ts";
import { Router } from "./router.ts";
import type { SubjectStatistics } from "./statistics.ts";
import { bytesOfKey } from "./subject-key.ts";
import { Subscription } from "./subscription.ts";

/** Subscriptions only ask whether they have a connection, never for anything of it. */
const CONNECTION: Connection = Object.create(null);

const local = (subject: string, queue = ""): Subscription => new Subscription(subject, queue, "", undefined, () => {});
const remote = (subject: string, queue = ""): Subscription =>
  new Subscription(subject, queue, "1", CONNECTION, undefined);

function routed(router: Router, subject: string): Subscription[] {
  const bytes = bytesOfKey(`PUB ${subject} 1`);
  const receivers = router.receivers(bytes, new DataView(bytes.buffer), 4, 4 + subject.length);
  const byText = router.receiversOf(router.topicOf(subject));
  expect(new Set(byText.values)).toEqual(new Set(receivers.values));
  return [...receivers.values, ...receivers.queues.flatMap((queue) => queue.values)];
}

const counted = (router: Router): SubjectStatistics => runSteps(router.counting());

describe("Router", () => {
  it("finds literal subjects and wildcards", () => {
    const router = new Router(1);
    const all = [remote("a.b"), remote("a.*"), remote(">"), local("a.b")];
    for (const subscription of all) expect(router.add(subscription)).toBe(true);
    expect(new Set(routed(router, "a.b"))).toEqual(new Set(all));
    expect(routed(router, "c")).toEqual([all[2]]);
    expect(router.count).toBe(4);
  });

  it("puts members of a queue group together, whatever pattern each listens to", () => {
    const router = new Router(1);
    const members = [remote("a.b", "q"), remote("a.*", "q"), remote("a.b", "other")];
    for (const member of members) router.add(member);
    const receivers = router.receiversOf(router.topicOf("a.b"));
    expect(receivers.values).toEqual([]);
    expect(receivers.queues.map((queue) => [queue.queue, queue.values.length]).sort()).toEqual([
      ["other", 1],
      ["q", 2],
    ]);
  });

  it("counts look-ups, and what is cached of them as long as it holds", () => {
    const router = new Router(1);
    expect(counted(router)).toMatchObject({ count: 0, lookups: 0, cacheHitRate: 0, cached: 0, fanoutAverage: 0 });
    for (const one of [remote("a"), remote("a"), remote("a", "q"), remote("b")]) router.add(one);
    const gone = remote("c");
    router.add(gone);
    router.remove(gone);
    for (const subject of ["a", "a", "a", "b"]) router.receiversOf(router.topicOf(subject));
    const figures = { count: 4, inserts: 5, removes: 1, lookups: 4, cacheHitRate: 0.5 };
    expect(counted(router)).toEqual({ ...figures, cached: 2, fanoutMax: 3, fanoutAverage: 2 });
    // Another subscriber: what was found for the subject holds no longer.
    router.add(remote("a"));
    expect(counted(router)).toMatchObject({ cached: 1, fanoutMax: 1 });
  });

  it("refuses subjects that are not valid", () => {
    const router = new Router(1);
    for (const subject of ["", "a..b", ".a", "a.", "a.>.b"]) expect(router.add(remote(subject)), subject).toBe(false);
    expect(router.count).toBe(0);
  });

  it("changes its version with every subscription that comes or goes", () => {
    const router = new Router(1);
    const subscription = remote("a");
    const versions = [router.version];
    router.add(subscription);
    versions.push(router.version);
    router.remove(subscription);
    versions.push(router.version);
    router.remove(subscription);
    expect(new Set(versions).size).toBe(3);
    expect(router.version).toBe(versions[2]);
  });

  it("answers by the shortcut of a local pattern, as long as nobody else's overlaps it", () => {
    const router = new Router(1);
    const publishes = local("_STAN.pub.c.>");
    router.add(publishes);
    expect(routed(router, "_STAN.pub.c.orders")).toEqual([publishes]);
    expect(routed(router, "_STAN.pub.c.orders.new")).toEqual([publishes]);
    const spy = remote("_STAN.>");
    router.add(spy);
    expect(new Set(routed(router, "_STAN.pub.c.orders"))).toEqual(new Set([publishes, spy]));
    router.remove(spy);
    expect(routed(router, "_STAN.pub.c.orders")).toEqual([publishes]);
    for (const subject of ["_STAN.pub.c", "_STAN.pub.c.", "_STAN.pub.c..x", "_STAN.pub.c.x.", "_STAN.pub.cc.x"]) {
      expect(routed(router, subject), subject).toEqual([]);
    }
  });

  it("answers by the shortcut of a pattern that ends with *", () => {
    const router = new Router(1);
    const one = local("_STAN.pub.c.foo.*");
    router.add(one);
    expect(routed(router, "_STAN.pub.c.foo.a")).toEqual([one]);
    for (const subject of ["_STAN.pub.c.foo", "_STAN.pub.c.foo.", "_STAN.pub.c.foo.a.b"]) {
      expect(routed(router, subject), subject).toEqual([]);
    }
  });

  it("sees subscriptions that were there before a shortcut", () => {
    const router = new Router(1);
    const spy = remote("a.x");
    router.add(spy);
    const bus = local("a.>");
    router.add(bus);
    expect(new Set(routed(router, "a.x"))).toEqual(new Set([bus, spy]));
    router.remove(spy);
    expect(routed(router, "a.x")).toEqual([bus]);
  });

  it("serves two local subscriptions of one pattern, one after the other gone", () => {
    const router = new Router(1);
    const [first, second] = [local("a.>"), local("a.>")];
    router.add(first);
    router.add(second);
    expect(new Set(routed(router, "a.b"))).toEqual(new Set([first, second]));
    router.remove(first);
    expect(routed(router, "a.b")).toEqual([second]);
    router.remove(second);
    expect(routed(router, "a.b")).toEqual([]);
  });

  it("serves more local patterns than it has shortcuts for", () => {
    const router = new Router(1);
    const patterns = Array.from({ length: 3 * SHORTCUTS_MAX }, (_, i) => local(`part.${i}.>`));
    for (const subscription of patterns) router.add(subscription);
    for (const [i, subscription] of patterns.entries()) expect(routed(router, `part.${i}.x`)).toEqual([subscription]);
    for (const subscription of patterns.slice(0, SHORTCUTS_MAX)) router.remove(subscription);
    const again = local(`part.${2 * SHORTCUTS_MAX}.>`);
    router.add(again);
    expect(new Set(routed(router, again.subject.replace(">", "x")))).toEqual(
      new Set([again, patterns[2 * SHORTCUTS_MAX]]),
    );
    expect(routed(router, "part.0.x")).toEqual([]);
  });

  it("agrees with plain matching while subscriptions of all kinds come and go", () => {
    const random = seededRandom(42);
    const tokens = ["a", "b", "c", "*"];
    const pattern = (): string => {
      const parts = Array.from(
        { length: 1 + Math.floor(random.next() * 3) },
        () => tokens[Math.floor(random.next() * 4)]!,
      );
      if (random.next() < 0.3) parts.push(">");
      return parts.join(".");
    };
    const literal = (): string =>
      Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => tokens[Math.floor(random.next() * 3)]!).join(".");
    const router = new Router(9);
    const present = new Set<Subscription>();
    for (let round = 0; round < 4_000; round++) {
      if (present.size < 3 || (present.size < 25 && random.next() < 0.4)) {
        const queue = random.next() < 0.2 ? "q" : "";
        const subscription = random.next() < 0.5 ? local(pattern(), queue) : remote(pattern(), queue);
        if (router.add(subscription)) present.add(subscription);
      } else if (random.next() < 0.5) {
        const victim = [...present][Math.floor(random.next() * present.size)]!;
        router.remove(victim);
        present.delete(victim);
      }
      const subject = literal();
      const expected = [...present].filter((subscription) => matches(subscription.subject, subject));
      expect(new Set(routed(router, subject)), subject).toEqual(new Set(expected));
    }
  });
});
