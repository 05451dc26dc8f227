import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { onBothBuses, type ServerOnNetwork } from "../harness/networks.ts";
import { connectRaw, pub } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import { connectStan, type ReceivedMessage, StartPosition } from "../harness/stan.ts";
import { encodePubMsg } from "../harness/stan-wire.ts";
import { configFile, runServer } from "../harness/streaming-server.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const ACK_WAIT = 1000;

const CONFIG = `
delivery {
  max_redeliveries: 1
  dead_letter: "dead"
  honour_max_in_flight_on_resume: true
  channels {
    "orders.>": { max_redeliveries: 2, dead_letter: "dead.orders" }
    "orders.vip": { dead_letter: "dead.vip" }
    "endless.*": { max_redeliveries: 0 }
    "full": { dead_letter: "does.not.fit" }
  }
}
`;

/** Sequence and redelivery count of each message, in order. */
const trace = (messages: readonly ReceivedMessage[]): string =>
  messages
    .map(({ sequence, redelivered, redeliveryCount }) => `${sequence}${redelivered ? `R${redeliveryCount}` : ""}`)
    .join(" ");

const moved = (client: string, channel: string, sequence: number, to: string, count: number): string =>
  `[Client:${client}] Message subject=${channel}, seq=${sequence} moved to dead-letter channel "${to}" ` +
  `after ${count} redeliveries`;

/** How many messages the only subscription of a channel has not acknowledged. */
async function pendingOf(server: ServerOnNetwork, channel: string): Promise<unknown> {
  const { subscriptions } = await server.monitor.get(`channelsz?channel=${channel}&subs=1`);
  return Array.isArray(subscriptions) ? Reflect.get(Object(subscriptions[0]), "pending_count") : undefined;
}

// Most of these wait for ack waits to pass: they wait at the same time.
onBothBuses("the delivery section", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer({ config: CONFIG }) };
  });

  it.concurrent("DELIVERY: max_redeliveries: what was redelivered once too often goes to the dead-letter channel, as it was, and makes room", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "dead-reader");
    const client = await connectStan(stage, "never-acks", { port: network.port });
    const options = { manualAcks: true, ackWaitMillis: ACK_WAIT, maxInFlight: 1 };
    const poisoned = await client.subscribe("poison", options);
    const healthy = await client.subscribe("poison");
    const data = Buffer.from([0, 255, 13, 10]);
    const { connectionId } = session;
    const message = {
      clientId: "dead-reader",
      guid: newGuid(),
      channel: "poison",
      reply: "answer.me",
      data,
      connectionId,
    };
    raw.write(pub(`${SUBJECTS.publish}.poison`, encodePubMsg(message)));
    await healthy.messages.take();
    await client.publish("poison", "behind it");

    const dead = await session.subscribe("dead");
    const letter = await dead.messages.take();
    expect(letter).toMatchObject({ sequence: 1, channel: "dead", reply: "answer.me", data, redelivered: false });
    await server.child.line(moved("never-acks", "poison", 1, "dead", 1));
    // Only what may not be pending any more makes room for the second message: max in flight is 1.
    const received = await poisoned.messages.takeMany(3);
    expect(trace(received)).toBe("1 1R1 2");
    received[2]?.ack();
    await expect.poll(() => pendingOf(server, "poison")).toBe(0);
    expect(trace(healthy.messages.all)).toBe("1 2");
    expect(dead.messages.all).toHaveLength(1);
    const warnings = server.log.filter(({ text }) => text.includes("subject=poison,"));
    expect(warnings.map(({ level }) => level)).toEqual(["WRN"]);
    await client.close();
  });

  it.concurrent("DELIVERY: max_redeliveries: a channel's own rule counts, with what it leaves out from the rule for all; 0 is without end", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const { network, server } = await started();
    const client = await connectStan(stage, "rules", { port: network.port });
    const options = { manualAcks: true, ackWaitMillis: ACK_WAIT };
    const orders = await client.subscribe("orders.new", options);
    const vip = await client.subscribe("orders.vip", options);
    const endless = await client.subscribe("endless.one", options);
    for (const channel of ["orders.new", "orders.vip", "endless.one"]) await client.publish(channel, `from ${channel}`);
    // Whoever acknowledges in time keeps its messages.
    await client.publish("orders.new", "acknowledged");
    (await orders.messages.take({ where: ({ sequence }) => sequence === 2 })).ack();

    const deadOrders = await client.subscribe("dead.orders");
    const deadVip = await client.subscribe("dead.vip");
    expect((await deadVip.messages.take()).text).toBe("from orders.vip");
    const fromOrders = ({ text }: ReceivedMessage): boolean => text === "from orders.new";
    await deadOrders.messages.take({ where: fromOrders });
    await server.child.line(moved("rules", "orders.new", 1, "dead.orders", 2));
    await server.child.line(moved("rules", "orders.vip", 1, "dead.vip", 1));
    const again = await endless.messages.take({ where: ({ redeliveryCount }) => redeliveryCount === 3 });
    again.ack();
    await expect.poll(() => pendingOf(server, "endless.one")).toBe(0);
    expect(trace(orders.messages.all)).toBe("1 2 1R1 1R2");
    expect(trace(vip.messages.all)).toBe("1 1R1");
    expect(trace(endless.messages.all)).toBe("1 1R1 1R2 1R3");
    expect(deadOrders.messages.all.filter(fromOrders)).toHaveLength(1);
    expect(server.log.filter(({ text }) => text.includes("subject=endless.one,"))).toEqual([]);
    await client.close();
  });

  it.concurrent("DELIVERY: max_redeliveries: the members of a queue group share one count, and one letter", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const { network, server } = await started();
    const members = [
      await connectStan(stage, "member-1", { port: network.port }),
      await connectStan(stage, "member-2", { port: network.port }),
    ];
    const options = { queueGroup: "group", manualAcks: true, ackWaitMillis: ACK_WAIT };
    const shares = await Promise.all(members.map((member) => member.subscribe("orders.shared", options)));
    await members[0]?.publish("orders.shared", "for one of them");
    const line = await server.child.line(/subject=orders\.shared, seq=1 moved to dead-letter channel/);
    expect(line).toContain('moved to dead-letter channel "dead.orders" after 2 redeliveries');
    const counts = shares.flatMap(({ messages }) => messages.all).map(({ redeliveryCount }) => redeliveryCount);
    expect(counts.toSorted()).toEqual([0, 1, 2]);
    for (const member of members) await member.close();
    expect(server.log.filter(({ text }) => text.includes("subject=orders.shared,"))).toHaveLength(1);
  });

  it.concurrent("DELIVERY: max_redeliveries: the count goes on where it was when a durable is closed and resumed", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const { network, server } = await started();
    const client = await connectStan(stage, "resuming", { port: network.port });
    const options = { durableName: "place", manualAcks: true, ackWaitMillis: ACK_WAIT };
    const first = await client.subscribe("orders.resumed", options);
    await client.publish("orders.resumed", "unacknowledged");
    await first.messages.takeMany(2);
    await first.close();
    const second = await client.subscribe("orders.resumed", options);
    expect(trace([await second.messages.take()])).toBe("1R2");
    await server.child.line(moved("resuming", "orders.resumed", 1, "dead.orders", 2));
    await expect.poll(() => pendingOf(server, "orders.resumed")).toBe(0);
    expect(second.messages.all).toHaveLength(1);
    await second.unsubscribe();
    await client.close();
  });

  it.concurrent("DELIVERY: dead_letter: a message that the channel cannot take stays pending and is tried again after the ack wait", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const network = await openNetwork(stage);
    const server = await network.startServer({ config: `store_limits { max_channels: 1 }\n${CONFIG}` });
    const client = await connectStan(stage, "no-room", { port: network.port });
    const full = await client.subscribe("full", { manualAcks: true, ackWaitMillis: ACK_WAIT });
    await client.publish("full", "kept");
    const error =
      '[Client:no-room] Unable to move message subject=full, seq=1 to dead-letter channel "does.not.fit": too many channels';
    const tries = (): number => server.log.filter(({ level, text }) => level === "ERR" && text.includes(error)).length;
    await expect.poll(tries, { timeout: 8000 }).toBeGreaterThanOrEqual(2);
    expect(await pendingOf(server, "full")).toBe(1);
    expect(trace(full.messages.all)).toBe("1 1R1");
    full.messages.all[1]?.ack();
    await expect.poll(() => pendingOf(server, "full")).toBe(0);
    await client.close();
  });

  it.concurrent("DELIVERY: honour_max_in_flight_on_resume: a durable that resumes gets no more than its max in flight, then the rest, then what is new", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const { network, server } = await started();
    const client = await connectStan(stage, "gentle", { port: network.port });
    const options = { durableName: "place", manualAcks: true, maxInFlight: 10 };
    for (let index = 1; index <= 10; index++) await client.publish("endless.resume", String(index));
    const first = await client.subscribe("endless.resume", options);
    await first.messages.takeMany(10);
    await first.close();
    await client.publish("endless.resume", "11");

    const resumed = await client.subscribe("endless.resume", { ...options, maxInFlight: 2 });
    const witness = await client.subscribe("endless.resume", { startPosition: StartPosition.NEW_ONLY });
    await client.publish("endless.resume", "12");
    await witness.messages.take();
    expect(trace(resumed.messages.all)).toBe("1R1 2R1");
    for (let index = 3; index <= 12; index++) {
      (await resumed.messages.take()).ack();
      await expect.poll(() => resumed.messages.all.length).toBe(index);
    }
    expect(trace(resumed.messages.all)).toBe("1R1 2R1 3R1 4R1 5R1 6R1 7R1 8R1 9R1 10R1 11 12");
    for (const message of await resumed.messages.takeMany(2)) message.ack();
    await resumed.unsubscribe();
    await client.close();
    expect((await server.monitor.channel("endless.resume")).subscriptions).toBe(0);
  });

  it.concurrent("DLV-T7: without the section everything pending comes at once, and redelivering has no end", async (context) => {
    const { expect } = context;
    const stage = testStage(context);
    const network = await openNetwork(stage);
    const server = await network.startServer();
    const client = await connectStan(stage, "as-ever", { port: network.port });
    const options = { durableName: "place", manualAcks: true, ackWaitMillis: ACK_WAIT };
    for (let index = 1; index <= 5; index++) await client.publish("plain", String(index));
    const first = await client.subscribe("plain", { ...options, maxInFlight: 3 });
    await first.messages.takeMany(3);
    await first.close();
    const resumed = await client.subscribe("plain", { ...options, maxInFlight: 1 });
    const received = await resumed.messages.takeMany(9);
    expect(trace(received)).toBe("1R1 2R1 3R1 1R2 2R2 3R2 1R3 2R3 3R3");
    expect(await server.monitor.channelNames()).toEqual(["plain"]);
    await client.close();
  });
});

describe("a delivery section that cannot be", () => {
  const refusal = async (config: string): Promise<{ code: number | null; stdout: string; lines: string[] }> => {
    const stage = testStage();
    const path = await configFile(stage, config);
    const end = await runServer(stage, ["-sc", path, "-a", "127.0.0.1", "-p", String(await freePort())]);
    const lines = end.stderr.trimEnd().replaceAll(path, "FILE").split("\n");
    return { code: end.code, stdout: end.stdout, lines };
  };

  it.each([
    [
      "delivery { max_redeliveries: 3 }\n",
      "max_redeliveries of delivery needs a dead_letter channel: without one its messages would be lost",
    ],
    [
      'delivery { channels { "foo.*": { max_redeliveries: 3 } } }\n',
      'max_redeliveries of channel "foo.*" needs a dead_letter channel: without one its messages would be lost',
    ],
    ["delivery { max_redeliveries: -2, dead_letter: dead }\n", "max_redeliveries of delivery must not be negative"],
    [
      'delivery { max_redeliveries: 3, dead_letter: "dead.*" }\n',
      'dead_letter of delivery is no channel name: "dead.*"',
    ],
    [
      "partitioning: true\nstore_limits { channels { foo: {} } }\ndelivery { max_redeliveries: 3, dead_letter: dead }\n",
      'dead_letter of delivery is outside of the channels that this server handles: add "dead" to the list',
    ],
  ])("CONF: %j is refused with the reason and where to read more", async (config, text) => {
    expect(await refusal(config)).toEqual({ code: 1, stdout: "", lines: [text, "see docs/redelivery.md"] });
  });

  it.each([
    [
      "delivery: 5\n",
      [
        "expected delivery options to be a map/struct, got 5",
        "at FILE:1:11",
        "  delivery: 5",
        "            ^",
        "write delivery { … }",
      ],
    ],
    [
      'delivery { max_redeliveries: "three" }\n',
      [
        'parameter "max_redeliveries" value is expected to be int64, got string',
        "at FILE:1:30",
        '  delivery { max_redeliveries: "three" }',
        "                               ^",
        "write a whole number",
      ],
    ],
    [
      'delivery {\n  channels { "a..b": { max_redeliveries: 0 } }\n}\n',
      [
        'invalid channel name "a..b"',
        "at FILE:2:15",
        '    channels { "a..b": { max_redeliveries: 0 } }',
        "                ^",
        'a token is empty at position 2: remove the extra "."',
      ],
    ],
  ])("CONF: %j is refused with place and remedy", async (config, lines) => {
    expect(await refusal(config)).toEqual({ code: 1, stdout: "", lines });
  });
});
