import { encodeCloseRequest, encodeUnsubscribeRequest, StartPosition } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, setStage } from "../test/harness.ts";
import type { ChannelScope } from "./scope.ts";

const kinds = [{}, { durableName: "dur" }, { qGroup: "grp" }, { qGroup: "grp", durableName: "dur" }] as const;

const fooOnly: ChannelScope = {
  entries: ["foo"],
  selfOverlaps: false,
  firstMatch: (channel) => (channel === "foo" ? 0 : -1),
};

describe("the end of subscriptions", () => {
  it("DLV-S1 leaves nothing of them behind, nor a timer", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const quiet = stage.clock.timerCount;
    const subscriptions = await Promise.all(
      Array.from({ length: 40 }, (_, i) => client.subscribe("foo", { ...kinds[i % 4], durableName: `d${i}` })),
    );
    await client.publish("foo");
    for (const subscription of subscriptions) expect(await subscription.unsubscribe()).toBe("");
    expect(stage.engine.inspection.client("me")).toMatchObject({ subscriptionCount: 0 });
    expect(stage.engine.inspection.client("me")?.subscriptions()).toEqual([]);
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toEqual([]);
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
    expect(stage.clock.timerCount).toBe(quiet);
  });

  it("PROTO 12.1.7 has the same request on two subjects; success is an empty payload", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    for (const subject of ["unsub", "subclose"]) {
      const { ackInbox } = await client.subscribe("foo");
      const request = encodeUnsubscribeRequest({ clientId: "me", subject: "foo", inbox: ackInbox, durableName: "x" });
      expect(await client.ask(`_STAN.${subject}.${CLUSTER}`, request)).toHaveLength(0);
    }
    expect(await client.ask(`_STAN.close.${CLUSTER}`, encodeCloseRequest({ clientId: "me" }))).toHaveLength(0);
  });

  it("PROTO 12.1.5 is refused for a durable that is offline", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const durable = await client.subscribe("foo", { durableName: "dur" });
    await durable.close();
    expect([await durable.close(), await durable.unsubscribe()]).toEqual([
      "stan: invalid subscription",
      "stan: invalid subscription",
    ]);
    durable.ackInbox = durable.inbox;
    expect(await durable.unsubscribe()).toBe("stan: invalid subscription");
    expect(stage.engine.inspection.subscriptionCount()).toBe(1);
  });

  it("PROTO 12.1 comes from a client library whose request timed out, by delivery inbox and without a reply", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo", { qGroup: "grp" });
    client.bus.publish(
      `_STAN.subclose.${CLUSTER}`,
      encodeUnsubscribeRequest({ clientId: "me", subject: "foo", inbox: subscription.inbox }),
    );
    await stage.clock.settle();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });

  it.each([
    ["", {}],
    [", partitioned", { scope: fooOnly }],
  ])(
    "PROTO 13.5 PROTO 13.6 DLV-G6 comes after the acks sent before it, and before the close of the connection, 50 times%s",
    async (_, options) => {
      const stage = await setStage(options);
      const pub = await stage.client("pub");
      for (const how of ["unsub", "subclose", "close"]) {
        for (let round = 0; round < 50; round++) {
          const client = await stage.client("me");
          const durable = await client.subscribe("foo", { durableName: "dur", startPosition: StartPosition.newOnly });
          await pub.publish("foo");
          const answers: string[] = [];
          const last = durable.sequences.at(-1) ?? 0;
          durable.ack(last);
          const request = encodeUnsubscribeRequest({ clientId: "me", subject: "foo", inbox: durable.ackInbox });
          if (how !== "close") {
            client.send(`_STAN.${how}.${CLUSTER}`, request, (bytes) => answers.push(`${how}${Buffer.from(bytes)}`));
          }
          const close = encodeCloseRequest({ clientId: "me" });
          client.send(`_STAN.close.${CLUSTER}`, close, (bytes) => answers.push(`close${Buffer.from(bytes)}`));
          await stage.clock.settle();
          expect(answers).toEqual(how === "close" ? ["close"] : [how, "close"]);
          expect(durable.seen.map(({ count }) => count)).toEqual([0]);
          const left = stage.engine.inspection.channel("foo")?.subscriptions() ?? [];
          expect(left.map(({ pendingCount }) => pendingCount)).toEqual(how === "unsub" ? [] : [0]);
          await client.bus.close();
        }
      }
    },
  );

  it("PROTO 9.1 rule 1 PROTO 13.4 PK6 DK11 lets publishes before a close be stored, and those after it be refused", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    const errors: string[] = [];
    for (let i = 0; i < 50; i++) client.publishLater("foo", "before", (error) => errors.push(error));
    client.send(`_STAN.close.${CLUSTER}`, encodeCloseRequest({ clientId: "me" }), (bytes) => {
      errors.push(`closed${Buffer.from(bytes)}`);
    });
    client.publishLater("foo", "after", (error) => errors.push(error));
    await stage.clock.settle();
    // The refusal overtakes the others, which wait for their flush.
    expect(errors).toEqual(["stan: invalid publish request", ...new Array(50).fill(""), "closed"]);
    expect(stage.engine.inspection.channel("foo")?.messages).toBe(50);
  });

  it("PROTO 13.3 stores what one client publishes in its order, across channels", async () => {
    const stage = await setStage({ batchSize: 7 });
    const client = await stage.client("me");
    for (let i = 0; i < 60; i++) client.publishQuietly(i % 3 === 0 ? "foo" : "bar", `${i}`);
    await stage.clock.settle();
    const foo = await client.subscribe("foo");
    const bar = await client.subscribe("bar");
    const wanted = Array.from({ length: 60 }, (_, i) => i);
    expect(foo.seen.map(({ data }) => Number(data))).toEqual(wanted.filter((i) => i % 3 === 0));
    expect(bar.seen.map(({ data }) => Number(data))).toEqual(wanted.filter((i) => i % 3 !== 0));
  });
});
