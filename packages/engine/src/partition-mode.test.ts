import { encodePubMsg } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, setStage, TestClient } from "../test/harness.ts";
import type { ChannelScope } from "./scope.ts";

/** A scope by the letter of the rule; the real one is the partition coordinator's. */
function scopeOf(...entries: string[]): ChannelScope {
  const matches = (entry: string, channel: string): boolean => {
    const want = entry.split(".");
    const have = channel.split(".");
    for (const [i, token] of want.entries()) {
      if (token === ">") return i < have.length;
      if (i >= have.length || (token !== "*" && token !== have[i])) return false;
    }
    return want.length === have.length;
  };
  return {
    entries,
    selfOverlaps: true,
    firstMatch: (channel) => entries.findIndex((entry) => matches(entry, channel)),
  };
}

const ghost = (stage: Awaited<ReturnType<typeof setStage>>, id: string): TestClient =>
  new TestClient(id, stage.network.connect(), stage.clock);

describe("a partitioned engine", () => {
  it("PART-05 DLV-P4 serves listed channels and leaves all others unanswered", async () => {
    const stage = await setStage({ scope: scopeOf("foo", "baz.*") });
    const client = await stage.client("me");
    expect([await client.publish("foo"), await client.publish("baz.one")]).toEqual(["", ""]);
    expect((await client.subscribe("foo")).order).toBe("1");
    expect([await client.publish("qux"), await client.publish("baz.one.two")]).toEqual(["no answer", "no answer"]);
    expect((await client.subscribe("qux")).error).toBe("no answer");
    const elsewhere = await client.subscribe("foo");
    const strange = Object.assign(elsewhere, { channel: "qux" });
    expect([await strange.close(), await strange.unsubscribe()]).toEqual(["no answer", "no answer"]);
    expect(stage.engine.inspection.channelNames()).toEqual(["baz.one", "foo"]);
  });

  it("PART-10 DLV-P7 refuses a wildcard channel at once", async () => {
    const stage = await setStage({ scope: scopeOf("foo.*", "bar.>") });
    const client = await stage.client("me");
    expect((await client.subscribe("foo.*")).error).toBe("stan: invalid subject");
    for (const channel of ["foo.bar", "bar.foo", "bar.foo.baz"]) {
      expect((await client.subscribe(channel)).error).toBe("");
    }
    expect((await client.subscribe("foo.bar.baz")).error).toBe("no answer");
  });

  it("PART-D1 stores a publish once however many of its entries match", async () => {
    const stage = await setStage({ scope: scopeOf("foo.*", "foo.bar", "foo.>") });
    const client = await stage.client("me");
    let acks = 0;
    client.publishLater("foo.bar", "x", () => acks++);
    client.publishLater("foo.a.b", "y", () => acks++);
    await stage.clock.settle();
    expect(acks).toBe(2);
    expect(stage.engine.inspection.channel("foo.bar")?.messages).toBe(1);
    expect(stage.engine.inspection.channel("foo.a.b")?.messages).toBe(1);
    expect(stage.engine.inspection.statistics.inMessages).toBe(2);
  });

  it("PART-D7 refuses a message that names a channel outside the list", async () => {
    const stage = await setStage({ scope: scopeOf("foo") });
    const client = await stage.client("me");
    const payload = encodePubMsg({ guid: "g", subject: "sneaky", connId: client.connId });
    const answer = await client.ask(`_STAN.pub.${CLUSTER}.foo`, payload);
    expect(Buffer.from(answer!).toString()).toContain("stan: invalid publish request");
    expect(stage.engine.inspection.channelNames()).toEqual([]);
  });

  it("PART-11 DLV-P8 lets a publish that overtakes its connect wait, and refuses it after a second", async () => {
    const stage = await setStage({ scope: scopeOf("foo") });
    for (let round = 0; round < 5; round++) {
      const client = ghost(stage, `race${round}`);
      const errors: string[] = [];
      client.publishLater("foo", "early", (error) => errors.push(error));
      await stage.pass(999);
      expect(errors).toEqual([]);
      await stage.pass(1);
      expect(errors).toEqual(["stan: invalid publish request"]);
      expect(await client.publish("foo")).toBe("stan: invalid publish request");
      expect(await client.connect()).toBe("");
      expect(await client.publish("foo")).toBe("");
    }
  });

  it("PART-D8 lets several publishes of one client wait without holding up others", async () => {
    const stage = await setStage({ scope: scopeOf("foo") });
    const client = ghost(stage, "early");
    const other = await stage.client("other");
    const order: string[] = [];
    for (const data of ["1", "2", "3"]) client.publishLater("foo", data, (error) => order.push(`${data}${error}`));
    await stage.clock.settle();
    expect(await other.publish("foo", "other")).toBe("");
    expect(order).toEqual([]);
    await client.connect();
    expect(order).toEqual(["1", "2", "3"]);
    expect((await other.subscribe("foo")).seen.map(({ data }) => data)).toEqual(["other", "1", "2", "3"]);
  });

  it("PART-12 DLV-P8 lets a subscription request that overtakes its connect wait, and refuses it after a second", async () => {
    const stage = await setStage({ scope: scopeOf("foo") });
    const client = ghost(stage, "early");
    const refused = client.subscribe("foo");
    expect((await refused).error).toBe("no answer");
    await stage.pass(1000);
    expect(stage.logger.lines).toContain(
      'ERR [Client:early] Rejecting subscription on "foo": connection not created yet',
    );
    expect((await client.subscribe("foo")).error).toBe("stan: invalid subscription request");
    await client.connect();
    expect((await client.subscribe("foo")).error).toBe("");
  });

  it("PART-15 DLV-P8 remembers at most 256 invalid clients", async () => {
    const stage = await setStage({ scope: scopeOf("foo") });
    let answers = 0;
    const clients = Array.from({ length: 300 }, (_, i) => ghost(stage, `ghost${i}`));
    for (const client of clients) client.publishLater("foo", "", () => answers++);
    await stage.pass(1000);
    expect(answers).toBe(300);
    // Those that are remembered are refused at once; the others wait again.
    for (const client of clients) client.publishLater("foo", "", () => answers++);
    await stage.clock.settle();
    expect(answers - 300).toBeGreaterThan(0);
    expect(answers - 300).toBeLessThanOrEqual(256);
  });

  it("PART-16 DLV-P9 replaces a durable when that is asked for", async () => {
    const stage = await setStage({ scope: scopeOf("foo"), replaceDurable: true });
    const client = await stage.client("me");
    const first = await client.subscribe("foo", { durableName: "dur" });
    expect((await client.subscribe("foo", { durableName: "dur" })).error).toBe("");
    expect(await first.close()).toBe("stan: invalid subscription");
  });
});
