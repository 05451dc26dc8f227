import { describe, expect, it } from "vitest";
import { FakeSource, fakeBacklog, fakeChannel, fakeSubscription, UNLIMITED } from "../test-support/fake-source.ts";
import { get } from "../test-support/get.ts";

const json = async (source: FakeSource, query: string): Promise<Record<string, unknown>> =>
  JSON.parse((await get(source, `/streaming/channelsz?${query}`)).body);

describe("/streaming/channelsz?details=1", () => {
  it("adds limits and backlogs to one channel, and to those of a list", async () => {
    const source = new FakeSource();
    const nowMillis = Date.parse("2026-11-22T13:57:50.633Z");
    const backlog = fakeBacklog({
      lastSent: 7,
      pendingCount: 2,
      lagMessages: 5,
      lagBytes: 500,
      oldestSequence: 6,
      oldestMillis: nowMillis - 1_500,
      stalledCount: 1,
      stalledMillis: 1_234.5,
      redelivering: 1,
    });
    source.channels.set("foo", {
      ...fakeChannel("foo", {}, [fakeSubscription()], [backlog]),
      limits: () => ({ ...UNLIMITED, maxMessages: 10 }),
    });
    const shown = {
      limits: { max_msgs: 10, max_bytes: 0, max_age: 0, max_subscriptions: 0, max_inactivity: 0 },
      backlogs: [
        {
          kind: "durable",
          name: "dur",
          client_id: "client-A",
          is_durable: true,
          is_offline: false,
          members: 1,
          last_sent: 7,
          pending_count: 2,
          lag_msgs: 5,
          lag_bytes: 500,
          oldest_seq: 6,
          oldest_age_ms: 1_500,
          redelivering: 1,
          stalled_count: 1,
          stalled_ms: 1_235,
        },
      ],
    };
    const one = await json(source, "channel=foo&details=1");
    expect(one).toMatchObject(shown);
    expect(one).not.toHaveProperty("subscriptions");
    expect((await json(source, "details=1"))["channels"]).toEqual([expect.objectContaining(shown)]);
  });

  it("leaves them out unless asked", async () => {
    const source = new FakeSource();
    source.channels.set("foo", fakeChannel("foo", {}, [], [fakeBacklog()]));
    for (const query of ["channel=foo", "channel=foo&details=true", "subs=1"]) {
      expect(JSON.stringify(await json(source, query))).not.toContain("backlogs");
    }
  });

  it("finds out of one channel what only the disk knows; what cannot be read stays unknown", async () => {
    const source = new FakeSource();
    const backlogs = [
      fakeBacklog({
        name: "slow",
        oldestSequence: 1,
        load: async () => {
          const { load: _, ...known } = { ...backlogs[0]!, oldestMillis: 0 };
          backlogs[0] = known;
        },
      }),
      fakeBacklog({ name: "broken", oldestSequence: 1, load: () => Promise.reject(new Error("input/output error")) }),
    ];
    source.channels.set("foo", fakeChannel("foo", {}, [], backlogs));
    expect((await json(source, "channel=foo&details=1"))["backlogs"]).toEqual([
      expect.objectContaining({ name: "slow", oldest_age_ms: expect.any(Number) }),
      expect.not.objectContaining({ oldest_age_ms: expect.anything() }),
    ]);
  });
});

describe("/streaming/channelsz?match=", () => {
  it("lists the channels whose names contain the text, and counts those alone", async () => {
    const source = new FakeSource();
    for (const name of ["orders.eu", "orders.us", "news"]) source.channels.set(name, fakeChannel(name));
    expect(await json(source, "match=orders&limit=1&offset=1")).toMatchObject({
      count: 1,
      total: 2,
      names: ["orders.us"],
    });
    expect(await json(source, "match=nothing")).toMatchObject({ count: 0, total: 0 });
    expect(await json(source, "match=")).toMatchObject({ total: 3 });
  });
});
