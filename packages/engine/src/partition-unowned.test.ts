import { encodePubMsg } from "@nats-streaming/protocol/stan";
import { beforeEach, describe, expect, it } from "vitest";
import { type Cluster, createCluster } from "../test/cluster.ts";
import { CLUSTER } from "../test/harness.ts";

const ERROR = 'stan: no server of this cluster owns channel "qux"';

let cluster: Cluster;
beforeEach(() => {
  cluster = createCluster();
});

const failFast = { stage: { unowned: "error" } } as const;

describe("a channel that no server of the cluster owns", () => {
  it("gets an error for a publish and for a subscription within a second, from exactly one server", async () => {
    await cluster.start(["foo"], failFast);
    await cluster.start(["bar"], failFast);
    await cluster.start(["baz"]);
    const client = await cluster.client("me");
    const errors: string[] = [];
    const payload = encodePubMsg({ clientId: "me", guid: "g", subject: "qux", connId: client.connId });
    client.send(`_STAN.pub.${CLUSTER}.qux`, payload, (bytes) => errors.push(Buffer.from(bytes).toString()));
    const subscription = client.subscribeLater("qux");
    await cluster.pass(999);
    expect(errors).toEqual([expect.stringContaining(ERROR)]);
    expect(subscription.error).toBe(ERROR);
    await cluster.pass(5_000);
    expect(errors).toHaveLength(1);
  });

  it("gets none by default", async () => {
    await cluster.start(["foo"]);
    const client = await cluster.client("me");
    const errors: string[] = [];
    client.publishLater("qux", "x", (error) => errors.push(error));
    const subscription = client.subscribeLater("qux");
    await cluster.pass(5_000);
    expect(errors).toEqual([]);
    expect(subscription.error).toBe("no answer");
  });

  it("is told apart from one that another server owns, with or without that option", async () => {
    await cluster.start(["foo", "*.x"], failFast);
    const owner = await cluster.start(["bar.*.z", "qux"]);
    const client = await cluster.client("me");
    const answers: string[] = [];
    for (const channel of ["foo", "a.x", "bar.y.z", "qux"])
      client.publishLater(channel, "1", (error) => answers.push(error));
    const subscription = client.subscribeLater("qux");
    await cluster.pass(5_000);
    expect(answers).toEqual(["", "", "", ""]);
    expect(subscription.error).toBe("");
    expect(owner.stage.engine.inspection.channelNames()).toEqual(["bar.y.z", "qux"]);
  });

  it("is owned as soon as somebody serves it, and no more when that one has gone", async () => {
    await cluster.start(["foo"], failFast);
    const client = await cluster.client("me");
    const publish = async (): Promise<string> => {
      let answer = "no answer";
      client.publishLater("qux", "x", (error) => {
        answer = error;
      });
      await cluster.pass(999);
      return answer;
    };
    expect(await publish()).toBe(ERROR);
    const owner = await cluster.start(["qux"]);
    expect(await publish()).toBe("");
    await owner.stop();
    await cluster.pass(11_000);
    expect(await publish()).toBe(ERROR);
  });

  it("does not change what is said about requests that are wrong in themselves", async () => {
    const { stage } = await cluster.start(["foo"], failFast);
    const client = await cluster.client("me");
    expect((await client.subscribe("qux.*")).error).toBe("stan: invalid subject");
    const seen: string[] = [];
    const empty = encodePubMsg({ subject: "qux", clientId: "me" });
    const elsewhere = encodePubMsg({ subject: "foo", guid: "g", clientId: "me" });
    for (const payload of [empty, elsewhere, new Uint8Array(0), Buffer.from("hello")]) {
      client.send(`_STAN.pub.${CLUSTER}.qux`, payload, (bytes) => seen.push(String(bytes)));
    }
    client.publishQuietly("qux");
    await cluster.pass(2_000);
    expect(seen).toEqual([]);
    expect(stage.engine.inspection.channelNames()).toEqual([]);
  });

  it("is not asked for again and again", async () => {
    await cluster.start(["foo"], failFast);
    const client = await cluster.client("me");
    let questions = 0;
    cluster.network.connect().subscribe(`_STAN.part.${CLUSTER}`, () => questions++);
    let errors = 0;
    for (let i = 0; i < 500; i++) client.publishLater("qux", "x", () => errors++);
    await cluster.pass(900);
    expect([errors, questions]).toEqual([500, 1]);
  });
});
