import { BusError, type BusMessage, type BusReply, type BusStatus } from "@nats-streaming/kernel";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { LiveClock } from "../testing/live-clock.ts";
import { RawClient } from "../testing/raw-client.ts";
import { type Broker, createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";

const running: Broker[] = [];

afterEach(async () => {
  for (const broker of running.splice(0)) await broker.close();
});

function make(options: BrokerOptions = {}): Broker {
  const broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200, ...options });
  running.push(broker);
  return broker;
}

async function start(options: BrokerOptions = {}): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = make(options);
  const { port } = await broker.listen();
  return { broker, port };
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

function textOf(message: BusMessage): string {
  return Buffer.from(message.bytes.subarray(message.start, message.end)).toString();
}

describe("localBus().subscribe()", () => {
  it("hears what clients publish, with subject, reply and body", async () => {
    const { broker, port } = await start();
    const heard: string[] = [];
    broker.localBus("b").subscribe("orders.*", (message) => {
      heard.push(`${message.subject}|${message.reply}|${textOf(message)}`);
    });
    const client = await RawClient.connected(port, { headers: true });
    client.send("PUB orders.new 3\r\none\r\nPUB orders.new r.1 3\r\ntwo\r\nPUB orders.old r.1 0\r\n\r\n");
    client.send(
      "HPUB orders.x 12 17\r\nNATS/1.0\r\n\r\nthree\r\nPUB other 1\r\nx\r\nPUB orders.größe 1\r\nx\r\n".replace(
        "größe",
        "gr\xc3\xb6\xc3\x9fe",
      ),
    );
    await client.synced();
    expect(heard).toEqual([
      "orders.new||one",
      "orders.new|r.1|two",
      "orders.old|r.1|",
      "orders.x||three",
      "orders.gr\xc3\xb6\xc3\x9fe||x",
    ]);
    client.close();
  });

  it("gives the right subject and reply whichever of several publishers' messages came before", async () => {
    const { broker, port } = await start();
    const heard: string[] = [];
    const bus = broker.localBus("b");
    bus.subscribe("p.>", (message) => {
      heard.push(`${message.subject} ${message.reply} ${textOf(message)}`);
    });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connected(port)));
    const expected: string[] = [];
    for (let n = 0; n < 30; n++) {
      for (const [i, client] of clients.entries()) {
        // What this bus does not hear of still changes what the publisher's last subject was.
        client.send(
          `PUB silent.${i} 1\r\nx\r\nPUB p.${i}.${n % 3} r.${i} 2\r\n${10 + n}\r\nPUB p.${i}.${n % 3} r.${i} 2\r\n${10 + n}\r\n`,
        );
        await client.synced();
        const line = `p.${i}.${n % 3} r.${i} ${10 + n}`;
        expected.push(line, line);
      }
    }
    expect(heard).toEqual(expected);
    for (const client of clients) client.close();
  });

  it("is a member of queue groups beside clients and other buses", async () => {
    const { broker, port } = await start();
    const client = await RawClient.connected(port);
    client.send("SUB work group 1\r\n");
    await client.synced();
    let local = 0;
    const bus = broker.localBus("b");
    bus.subscribe("work", () => local++, { queue: "group" });
    bus.subscribe("work", () => local++, { queue: "group" });
    for (let i = 0; i < 200; i++) client.send("PUB work 1\r\nx\r\n");
    const remote = (await client.synced()).split("MSG work").length - 1;
    expect(local + remote).toBe(200);
    expect(local).toBeGreaterThan(80);
    expect(remote).toBeGreaterThan(20);
    client.close();
  });

  it("hears nothing more once it is unsubscribed, not even of what is under way", async () => {
    const broker = make({ clock: new FakeClock() });
    const bus = broker.localBus("b");
    const heard: string[] = [];
    const subscription = bus.subscribe("a", (message) => heard.push(textOf(message)));
    bus.publish("a", bytesOf("under way"));
    subscription.unsubscribe();
    subscription.unsubscribe();
    await bus.flush();
    expect(heard).toEqual([]);
    expect(broker.statistics().subscriptions).toBe(0);
  });

  it("unsubscribes another from within a handler in time for the same message", async () => {
    const { broker, port } = await start();
    const bus = broker.localBus("b");
    let calls = 0;
    const subscriptions = [0, 1].map(() =>
      bus.subscribe("a", () => {
        calls++;
        for (const subscription of subscriptions) subscription.unsubscribe();
      }),
    );
    const client = await RawClient.connected(port);
    client.send("PUB a 1\r\nx\r\nPUB a 1\r\nx\r\n");
    await client.synced();
    expect(calls).toBe(1);
    client.close();
  });

  it("refuses subjects and queue groups that are not valid", () => {
    const bus = make().localBus("b");
    for (const subject of ["", "a..b", "a b", "a.>.b", ".a", "a\r\n"]) {
      expect(() => bus.subscribe(subject, () => {}), subject).toThrow(expect.objectContaining({ code: "bad_subject" }));
    }
    expect(() => bus.subscribe("a", () => {}, { queue: "x y" })).toThrow(
      expect.objectContaining({ code: "bad_subject" }),
    );
  });
});

describe("localBus().publish()", () => {
  it("reaches clients by the end of the turn, with reply and any range of bytes", async () => {
    const { broker, port } = await start();
    const client = await RawClient.connected(port);
    client.send("SUB a.* 1\r\nSUB > 22\r\n");
    await client.synced();
    const bus = broker.localBus("b");
    const scratch = bytesOf("__hello__");
    bus.publish("a.b", scratch, "r.1", 2, 7);
    // The range was copied: what happens to it now is of no account.
    scratch.fill(0);
    bus.publish("a.c", bytesOf(""));
    bus.publish("gr\xc3\xb6\xc3\x9fe", bytesOf("ü"));
    const text = await client.synced();
    const messages = text.split(/(?=MSG )/).sort();
    expect(messages).toEqual([
      "MSG a.b 1 r.1 5\r\nhello\r\n",
      "MSG a.b 22 r.1 5\r\nhello\r\n",
      "MSG a.c 1 0\r\n\r\n",
      "MSG a.c 22 0\r\n\r\n",
      "MSG gr\xc3\xb6\xc3\x9fe 22 2\r\n\xc3\xbc\r\n",
    ]);
    client.close();
  });

  it("sends payloads of every size unharmed", async () => {
    const { broker, port } = await start();
    const client = await RawClient.connected(port);
    client.send("SUB a 1\r\n");
    await client.synced();
    const bus = broker.localBus("b");
    let expected = "";
    for (const size of [0, 1, 7, 8, 191, 192, 193, 4_000, 4_096, 65_400, 65_500, 65_536, 65_537, 200_000, 1_048_576]) {
      const payload = new Uint8Array(size).map((_, i) => 97 + (i % 26));
      bus.publish("a", payload, "r");
      expected += `MSG a 1 r ${size}\r\n${Buffer.from(payload).toString("latin1")}\r\n`;
    }
    expect((await client.synced()) === expected).toBe(true);
    client.close();
  });

  it("reaches local handlers at the end of the turn, in order, and never from within a handler", () => {
    const clock = new FakeClock();
    const bus = make({ clock }).localBus("b");
    const events: string[] = [];
    bus.subscribe("first", (message) => {
      events.push(`first ${textOf(message)}`);
      bus.publish("second", bytesOf("2"), "reply");
      events.push(`first done with ${message.subject}`);
    });
    bus.subscribe("second", (message) => events.push(`second ${textOf(message)} ${message.reply}`));
    bus.publish("first", bytesOf("1"));
    events.push("published");
    clock.runDeferred();
    expect(events).toEqual(["published", "first 1", "first done with first", "second 2 reply"]);
  });

  it("copies what local handlers hear of later, also out of a Buffer", () => {
    const clock = new FakeClock();
    const bus = make({ clock }).localBus("b");
    const heard: string[] = [];
    bus.subscribe("a", (message) => heard.push(textOf(message)));
    const scratch = Buffer.from("__hello__");
    bus.publish("a", scratch, "", 2, 7);
    scratch.fill(0);
    clock.runDeferred();
    expect(heard).toEqual(["hello"]);
  });

  it("lets time pass between two handlers that answer each other for ever", () => {
    const pending: (() => void)[] = [];
    class StepClock extends FakeClock {
      override defer(callback: () => void): void {
        pending.push(callback);
      }
    }
    const bus = make({ clock: new StepClock() }).localBus("b");
    let calls = 0;
    bus.subscribe("ping", () => {
      calls++;
      bus.publish("ping", bytesOf(""));
    });
    bus.publish("ping", bytesOf(""));
    for (let turn = 1; turn <= 5; turn++) {
      for (const callback of pending.splice(0)) callback();
      expect(calls).toBe(turn);
    }
  });

  it("refuses what cannot be sent", async () => {
    const bus = make({ maxPayload: 10 }).localBus("b");
    const code = (action: () => void): string => {
      try {
        action();
      } catch (error) {
        if (error instanceof BusError) return error.code;
      }
      return "none";
    };
    expect(bus.maxPayload).toBe(10);
    expect(code(() => bus.publish("a", new Uint8Array(11)))).toBe("max_payload");
    expect(code(() => bus.publish("a", new Uint8Array(20), "", 5, 15))).toBe("none");
    expect(code(() => bus.publish("", new Uint8Array(1)))).toBe("bad_subject");
    expect(code(() => bus.publish("a b", new Uint8Array(1)))).toBe("bad_subject");
    expect(code(() => bus.publish("a", new Uint8Array(1), "r\r\n"))).toBe("bad_subject");
    await bus.close();
    expect(code(() => bus.publish("a", new Uint8Array(1)))).toBe("closed");
    expect(code(() => bus.subscribe("a", () => {}))).toBe("closed");
    await expect(bus.flush()).rejects.toMatchObject({ code: "closed" });
  });

  it("refuses when too much waits for local handlers", () => {
    const bus = make({ clock: new FakeClock() }).localBus("b");
    bus.subscribe("a", () => {});
    const payload = new Uint8Array(1_000_000);
    expect(() => {
      for (let i = 0; i < 100; i++) bus.publish("a", payload);
    }).toThrow(expect.objectContaining({ code: "disconnected" }));
  });
});

describe("localBus().request()", () => {
  it("resolves with a client's answer", async () => {
    const { broker, port } = await start();
    const client = await RawClient.connected(port);
    client.send("SUB ask 1\r\n");
    await client.synced();
    const reply = broker.localBus("b").request("ask", bytesOf("?"), 1_000);
    const message = await client.take("?\r\n");
    const inbox = /^MSG ask 1 (_INBOX\.[0-9A-Za-z]{22}\.\w+) 1\r\n/.exec(message)?.[1];
    expect(inbox).toBeDefined();
    client.send(`PUB ${inbox} 2\r\n42\r\nPUB ${inbox} 4\r\nlate\r\n`);
    expect(await reply).toEqual({ kind: "reply", payload: bytesOf("42") });
    client.close();
  });

  it("resolves with the answer of a handler on another bus", async () => {
    const broker = make();
    const server = broker.localBus("server");
    server.subscribe("ask", (message) => server.publish(message.reply, bytesOf(`${textOf(message)}!`)));
    const bus = broker.localBus("client");
    const replies = await Promise.all(["a", "b", "c"].map((text) => bus.request("ask", bytesOf(text), 1_000)));
    expect(replies.map((reply) => reply.kind === "reply" && Buffer.from(reply.payload).toString())).toEqual([
      "a!",
      "b!",
      "c!",
    ]);
  });

  it("knows at once that nobody listens", async () => {
    const clock = new FakeClock();
    const reply = await make({ clock }).localBus("b").request("nobody", bytesOf(""), 1_000);
    expect(reply).toEqual({ kind: "no_responders" });
    expect(clock.timerCount).toBe(0);
  });

  it("gives up after its time", async () => {
    const clock = new LiveClock();
    const bus = make({ clock }).localBus("b");
    bus.subscribe("ask", () => {});
    let reply: BusReply | undefined;
    const done = bus.request("ask", bytesOf(""), 1_000).then((result) => {
      reply = result;
    });
    await clock.advanceAsync(999);
    expect(reply).toBeUndefined();
    await clock.advanceAsync(1);
    await done;
    expect(reply).toEqual({ kind: "timeout" });
  });

  it("fails as a value when it cannot be sent, or when the bus is closed meanwhile", async () => {
    const bus = make({ clock: new FakeClock() }).localBus("b");
    expect(await bus.request("a b", bytesOf(""), 1_000)).toMatchObject({ kind: "failed" });
    bus.subscribe("ask", () => {});
    const open = bus.request("ask", bytesOf(""), 1_000);
    await bus.close();
    expect(await open).toEqual({ kind: "failed", reason: "bus is closed" });
    expect(await bus.request("ask", bytesOf(""), 1_000)).toEqual({ kind: "failed", reason: "bus is closed" });
  });
});

describe("localBus()", () => {
  it("tells its listeners that it was closed, once, also by its broker", async () => {
    const broker = make();
    const statuses: BusStatus[] = [];
    const [one, two] = [broker.localBus("one"), broker.localBus("two")];
    one.onStatus((status) => statuses.push(status));
    two.onStatus((status) => statuses.push(status));
    await one.close();
    await one.close();
    await broker.close();
    expect(statuses).toEqual([{ kind: "closed" }, { kind: "closed" }]);
  });

  it("is listed with its name and subjects", () => {
    const broker = make();
    const bus = broker.localBus("_NSS-test-cluster-general");
    bus.subscribe("_STAN.pub.test-cluster.>", () => {});
    bus.subscribe("gr\xc3\xb6\xc3\x9fe", () => {});
    broker.localBus("other");
    const listed = broker
      .localBuses()
      .map(({ name, subscriptionCount, subscriptions }) => [
        name,
        subscriptionCount,
        [...subscriptions()].map(({ subject, sid }) => `${subject}${sid}`),
      ]);
    expect(listed).toEqual([
      ["_NSS-test-cluster-general", 2, ["_STAN.pub.test-cluster.>", "größe"]],
      ["other", 0, []],
    ]);
  });

  it("says where its broker listens", async () => {
    const { broker, port } = await start();
    expect(broker.localBus("b").url).toBe(`nats://127.0.0.1:${port}`);
  });

  it("is a responder in the eyes of clients", async () => {
    const { broker, port } = await start();
    const bus = broker.localBus("b");
    bus.subscribe("ask", (message) => bus.publish(message.reply, bytesOf("yes")));
    const client = await RawClient.connected(port, { headers: true, no_responders: true });
    client.send("SUB in 1\r\nPUB ask in 0\r\n\r\nPUB nobody in 0\r\n\r\n");
    await client.synced();
    client.send("PUB ask in 0\r\n\r\n");
    expect(await client.take("yes\r\n")).toBe("MSG in 1 3\r\nyes\r\n");
    client.close();
  });

  it("hands what a handler throws to the broker's owner, and goes on with the next receiver and message", async () => {
    const errors: unknown[] = [];
    const { broker, port } = await start({ onHandlerError: (error) => errors.push(error) });
    const bus = broker.localBus("b");
    const broken = new Error("broken");
    let calls = 0;
    bus.subscribe("a", () => {
      throw broken;
    });
    bus.subscribe("a", () => calls++);
    const client = await RawClient.connected(port);
    client.send("PUB a 1\r\nx\r\nPUB a 1\r\nx\r\n");
    await client.synced();
    expect(calls).toBe(2);
    expect(errors).toEqual([broken, broken]);
    client.close();
  });
});
