import { connect, Empty, ErrorCode, headers, type NatsConnection, type NatsError, StringCodec } from "nats";
import { describe, expect, it } from "vitest";
import { type Network, openEmbeddedNetwork } from "../harness/networks.ts";
import type { Stage } from "../harness/stage.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const text = StringCodec();

describe("a plain NATS client (nats 2.29) on the embedded broker", () => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openEmbeddedNetwork(suite);
    await network.startServer();
    return network;
  });

  it("BROKER: publishes to and receives from a literal, * and > subscription", async () => {
    const client = await connected(testStage(), await started());
    const literal = client.subscribe("plain.one.two", { max: 1 });
    const one = client.subscribe("plain.*.two", { max: 1 });
    const rest = client.subscribe("plain.>", { max: 1 });
    client.publish("plain.one.two", text.encode("hello"));
    for (const subscription of [literal, one, rest]) {
      for await (const message of subscription) {
        expect([message.subject, text.decode(message.data)]).toEqual(["plain.one.two", "hello"]);
      }
    }
  });

  it("BROKER: delivers 10,000 messages in order to another connection", async () => {
    const stage = testStage();
    const network = await started();
    const [publisher, subscriber] = [await connected(stage, network), await connected(stage, network)];
    const subscription = subscriber.subscribe("many", { max: 10_000 });
    await subscriber.flush();
    for (let index = 0; index < 10_000; index++) publisher.publish("many", text.encode(String(index)));
    const received: string[] = [];
    for await (const message of subscription) received.push(text.decode(message.data));
    expect(received).toEqual(Array.from({ length: 10_000 }, (_, index) => String(index)));
  });

  it("BROKER: answers a request, and reports at once that nobody listens", async () => {
    const stage = testStage();
    const network = await started();
    const [service, client] = [await connected(stage, network), await connected(stage, network)];
    service.subscribe("service", { callback: (_error, message) => message.respond(text.encode("the answer")) });
    await service.flush();
    const answer = await client.request("service", Empty, { timeout: 10_000 });
    expect(text.decode(answer.data)).toBe("the answer");
    await expect(client.request("no.such.service", Empty, { timeout: 10_000 })).rejects.toMatchObject({
      code: ErrorCode.NoResponders,
    } satisfies Partial<NatsError>);
  });

  it("BROKER: gives each message to one member of a queue group", async () => {
    const stage = testStage();
    const network = await started();
    const received: string[] = [];
    const counts = [0, 0, 0];
    const members = await Promise.all(counts.map(() => connected(stage, network)));
    members.forEach((member, index) => {
      member.subscribe("work", {
        queue: "workers",
        callback: (_error, message) => {
          counts[index] = (counts[index] ?? 0) + 1;
          received.push(text.decode(message.data));
          message.respond();
        },
      });
    });
    await Promise.all(members.map((member) => member.flush()));
    const client = await connected(stage, network);
    for (let index = 0; index < 300; index++) await client.request("work", text.encode(String(index)));
    expect(received).toEqual(Array.from({ length: 300 }, (_, index) => String(index)));
    for (const count of counts) expect(count).toBeGreaterThan(0);
  });

  it("BROKER: carries headers to clients that understand them", async () => {
    const client = await connected(testStage(), await started());
    const subscription = client.subscribe("with.headers", { max: 1 });
    const sent = headers();
    sent.append("Trace", "one");
    sent.append("Trace", "two");
    client.publish("with.headers", text.encode("body"), { headers: sent });
    for await (const message of subscription) {
      expect(message.headers?.values("Trace")).toEqual(["one", "two"]);
      expect(text.decode(message.data)).toBe("body");
    }
  });

  it("BROKER: carries an empty payload and one of the largest size, and announces that size", async () => {
    const client = await connected(testStage(), await started());
    expect(client.info?.max_payload).toBe(1_048_576);
    const subscription = client.subscribe("sizes", { max: 2 });
    const largest = new Uint8Array(1_048_576).map((_, index) => index % 251);
    client.publish("sizes");
    client.publish("sizes", largest);
    const received: Uint8Array[] = [];
    for await (const message of subscription) received.push(message.data);
    expect(received[0]).toHaveLength(0);
    expect(Buffer.compare(received[1] ?? Empty, largest)).toBe(0);
  });

  it("BROKER: keeps a client that does not echo from its own messages", async () => {
    const stage = testStage();
    const network = await started();
    const silent = await connect({ port: network.port, noEcho: true });
    stage.defer(() => silent.close());
    const other = await connected(stage, network);
    const subscription = silent.subscribe("echo", { max: 1 });
    await silent.flush();
    silent.publish("echo", text.encode("own"));
    await silent.flush();
    other.publish("echo", text.encode("other"));
    for await (const message of subscription) expect(text.decode(message.data)).toBe("other");
  });

  it("BROKER: drains a connection without losing a message", async () => {
    const stage = testStage();
    const network = await started();
    const [publisher, subscriber] = [await connected(stage, network), await connected(stage, network)];
    let received = 0;
    subscriber.subscribe("drained", {
      callback: () => {
        received++;
      },
    });
    await subscriber.flush();
    for (let index = 0; index < 1000; index++) publisher.publish("drained");
    await publisher.flush();
    await subscriber.drain();
    expect(received).toBe(1000);
  });

  it("BROKER: tells its clients that it goes before it closes their connections", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    const server = await network.startServer();
    const client = await connect({ port: network.port, reconnect: false });
    const statuses: string[] = [];
    void (async () => {
      for await (const status of client.status()) statuses.push(status.type);
    })();
    await server.child.stop();
    await client.closed();
    await new Promise((resolve) => setImmediate(resolve));
    expect(statuses).toContain("ldm");
    expect(statuses.indexOf("ldm")).toBeLessThan([...statuses, "disconnect"].indexOf("disconnect"));
  });
});

async function connected(stage: Stage, network: Network): Promise<NatsConnection> {
  const client = await connect({ port: network.port });
  stage.defer(() => client.close());
  return client;
}
