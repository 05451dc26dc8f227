import { byteStringBytes } from "@nats-streaming/protocol";
import { encodePubMsg } from "@nats-streaming/protocol/stan";
import { StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { CLUSTER, type Stage, setStage, TestClient } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";
import { createClients } from "./clients.ts";

const newcomer = (stage: Stage, id: string): TestClient => new TestClient(id, stage.network.connect(), stage.clock);

interface Heard {
  readonly size: number;
  readonly reply: string;
}

/** A client that keeps what comes on its heartbeat inbox and answers it by its own means. */
async function listener(stage: Stage, id: string, answer: (reply: string) => void): Promise<Heard[]> {
  const heard: Heard[] = [];
  const client = newcomer(stage, id);
  const inbox = `_INBOX.custom.${id}`;
  client.bus.subscribe(inbox, ({ start, end, reply }) => {
    heard.push({ size: end - start, reply });
    answer(reply);
  });
  expect(await client.connect({ heartbeatInbox: inbox })).toBe("");
  return heard;
}

describe("a heartbeat", () => {
  it("PROTO 8.1.1 is an empty request, and whatever comes to its reply subject answers it", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 0 });
    const bus = stage.network.connect();
    const heard = await listener(stage, "me", (reply) => bus.publish(reply, byteStringBytes("\xffanything")));
    await stage.pass(5500);
    expect(heard).toHaveLength(5);
    for (const { size, reply } of heard) {
      expect(size).toBe(0);
      expect(reply).toMatch(/^_INBOX\../);
    }
    expect(stage.engine.inspection.clientIds()).toEqual(["me"]);
  });

  it("PROTO 8.1.5 that is missed leaves no trace at the client when too many were: nothing is sent to it", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 0 });
    const heard = await listener(stage, "me", () => {});
    await stage.pass(5000);
    expect(stage.engine.inspection.clientCount).toBe(0);
    expect(heard).toHaveLength(1);
  });

  it("PROTO 8.1.6 flags the subscriptions of that moment; those made while it is missed start unflagged", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 100,
      heartbeatFailCount: 50,
    });
    const pub = await stage.client("pub");
    const client = await stage.client("me");
    const flagged = await client.subscribe("foo", { startPosition: 0 });
    client.isAlive = false;
    await stage.pass(1200);
    const unflagged = await client.subscribe("foo", { startPosition: 0 });
    await pub.publish("foo");
    await stage.pass(3000);
    expect([flagged.order, unflagged.order]).toEqual(["1", "1 1R1 1R2 1R3"]);
    client.isAlive = true;
    await stage.pass(2500);
    expect(flagged.seen.length).toBeGreaterThan(1);
  });

  it("PROTO 8.2.2 goes to a failing client at its ping, which by itself clears nothing", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 2 });
    const client = await stage.client("me");
    client.isAlive = false;
    await stage.pass(1150);
    expect(await client.ping()).toBe("");
    await stage.pass(1);
    expect(client.heartbeats).toEqual([1000, 1151]);
    await stage.pass(1099);
    expect(stage.engine.inspection.clientCount).toBe(1);
    await stage.pass(200);
    expect(stage.engine.inspection.clientCount).toBe(0);
  });

  it("PROTO 8.1.8 PROTO 8.2.3 is all that counts: a client that never pings stays", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 30_000 });
    await stage.client("me", { pingInterval: 1, pingMaxOut: 2 });
    await stage.pass(600_000);
    expect(stage.engine.inspection.clientCount).toBe(1);
  });

  it("DLV-C9 that is answered after a ping clears client and subscriptions", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 10_000, heartbeatTimeoutMillis: 100 });
    const pub = await stage.client("pub");
    const client = await stage.client("me");
    const subscription = await client.subscribe("foo");
    client.isAlive = false;
    await stage.pass(10_200);
    await pub.publish("foo");
    client.isAlive = true;
    await client.ping();
    await stage.pass(1100);
    expect(subscription.order).toBe("1 1R1");
  });
});

describe("a connect", () => {
  it("PROTO 7.2.1 is answered once its record is durable; its heartbeats count from its registration", async () => {
    const stage = await setPersistentStage({ heartbeatIntervalMillis: 1000 });
    stage.store.holding.add("flush");
    const client = newcomer(stage, "me");
    let isAnswered = false;
    client.send(`_STAN.discover.${CLUSTER}`, client.connectRequest(), () => {
      isAnswered = true;
    });
    await stage.pass(400);
    expect(isAnswered).toBe(false);
    stage.store.holding.clear();
    stage.store.release("flush");
    await stage.pass(599);
    expect([isAnswered, client.heartbeats]).toEqual([true, []]);
    await stage.pass(1);
    expect(client.heartbeats).toEqual([1000]);
    expect([...stage.store.disk.durable.clients.keys()]).toEqual(["me"]);
  });
});

describe("a second connect for a client ID", () => {
  it("PROTO 7.3.1 PROTO 7.3.2 makes the server ask the first connection, by an empty request to its heartbeat inbox", async () => {
    const stage = await setStage();
    const bus = stage.network.connect();
    const heard = await listener(stage, "me", (reply) => bus.publish(reply, byteStringBytes("alive")));
    const second = newcomer(stage, "me");
    expect(await second.connect()).toBe("stan: clientID already registered");
    expect(heard).toMatchObject([{ size: 0 }]);
    expect(second.heartbeats).toEqual([]);
    expect(stage.logger.lines).toContain("DBG [Client:me] Connect failed; already connected");
  });

  it("PROTO 7.3.6 that arrives right behind the first goes through the same check", async () => {
    const stage = await setStage();
    const answers: number[] = [];
    const clients = [newcomer(stage, "me"), newcomer(stage, "me")];
    for (const [i, client] of clients.entries()) {
      client.send(`_STAN.discover.${CLUSTER}`, client.connectRequest(), (bytes) => {
        if (Buffer.from(bytes).includes("already registered")) answers.push(i);
      });
    }
    await stage.clock.settle();
    expect(answers).toEqual([1]);
    expect(stage.engine.inspection.client("me")?.heartbeatInbox).toBe(clients[0]!.heartbeatInbox);
  });

  it("PROTO 7.3.3 registers it though the first one closes by itself meanwhile", async () => {
    const stage = await setStage();
    const first = await stage.client("me");
    first.isAlive = false;
    const second = newcomer(stage, "me");
    second.send(`_STAN.discover.${CLUSTER}`, second.connectRequest());
    await stage.pass(200);
    expect(await first.close()).toBe("");
    await stage.pass(301);
    expect(stage.engine.inspection.client("me")?.heartbeatInbox).toBe(second.heartbeatInbox);
    await stage.pass(30_000);
    expect([first.heartbeats.length, second.heartbeats.length]).toEqual([1, 1]);
  });

  it("PROTO 7.4 PK1 leaves the first one's publishes without connection ID and its subscription requests to the second", async () => {
    const stage = await setStage();
    const first = await stage.client("me");
    first.crash();
    const second = newcomer(stage, "me");
    expect(await second.connect()).toBe("");
    const payload = encodePubMsg({ clientId: "me", guid: "g", subject: "foo" });
    expect(await first.ask(`_STAN.pub.${CLUSTER}.foo`, payload)).toHaveLength(3);
    expect((await first.subscribe("foo")).error).toBe("");
    expect(stage.engine.inspection.client("me")?.subscriptionCount).toBe(1);
    await second.close();
    expect(stage.engine.inspection.subscriptionCount()).toBe(0);
  });
});

describe("a connection ID", () => {
  it("PROTO 7.5.1 may be empty: then the client is known by its client ID only", async () => {
    const stage = await setStage();
    const client = await stage.client("old", { protocol: 0, connId: new Uint8Array(0) });
    const ping = await client.ask(`_STAN.discover.${CLUSTER}.pings`, byteStringBytes("\xf8\x07\x01"));
    expect(Buffer.from(ping!).toString()).toContain("client has been replaced or is no longer registered");
    const payload = encodePubMsg({ clientId: "old", guid: "g", subject: "foo" });
    expect(await client.ask(`_STAN.pub.${CLUSTER}.foo`, payload)).toHaveLength(3);
    expect(stage.engine.inspection.channel("foo")?.messages).toBe(1);
  });
});

describe("the table of clients", () => {
  const info = (id: string, connId: string) => ({
    id,
    hbInbox: `hb.${id}`,
    connId: byteStringBytes(connId),
    protocol: 1,
    pingInterval: 5,
    pingMaxOut: 88,
  });

  it("DLV-C12 takes no harm from removing a client twice, or after its successor came", () => {
    const clients = createClients();
    const first = clients.add(info("me", "one"));
    clients.remove(first);
    clients.remove(first);
    const second = clients.add(info("me", "two"));
    clients.remove(first);
    expect([clients.get("me"), clients.size]).toEqual([second, 1]);
    expect(clients.byConnection(byteStringBytes("one"), 0, 3)).toBeUndefined();
    expect(clients.byConnection(byteStringBytes("two"), 0, 3)).toBe(second);
    expect(clients.sortedIds()).toEqual(["me"]);
  });

  it("DLV-C12 keeps every subscription of a client that goes, or refuses it", async () => {
    const stage = await setPersistentStage();
    stage.store.isAsync = true;
    for (let round = 0; round < 10; round++) {
      const client = await stage.client("me");
      const before = client.subscribeLater("foo");
      const closing = client.close();
      const after = client.subscribeLater("foo");
      expect(await closing).toBe("");
      expect([before.error, after.error]).toEqual(["stan: unknown clientID", "stan: unknown clientID"]);
      expect(stage.engine.inspection.subscriptionCount()).toBe(0);
      expect(stage.store.disk.recorded("foo")).toEqual([]);
    }
  });
});

describe("a store that cannot keep clients", () => {
  const full = new StoreError("write_failed", "no space left on device");

  it("PROTO 7.1.4 DLV-C13 refuses the connect with its own text, and registers nothing", async () => {
    const stage = await setPersistentStage();
    stage.store.failing.set("addClient", full);
    const client = newcomer(stage, "me");
    expect(await client.connect()).toBe("no space left on device");
    expect(stage.logger.lines).toContain("ERR [Client:me] Error registering client: no space left on device");
    expect([stage.engine.inspection.clientCount, await client.ping()]).toEqual([
      0,
      "client has been replaced or is no longer registered",
    ]);
    stage.store.failing.clear();
    expect(await client.connect()).toBe("");
  });

  it("DLV-C13 refuses the connect, too, when only the flush fails", async () => {
    const stage = await setPersistentStage();
    stage.store.failing.set("flush", full);
    const client = newcomer(stage, "me");
    expect(await client.connect()).toBe("no space left on device");
    expect(stage.engine.inspection.clientCount).toBe(0);
    stage.store.failing.clear();
    expect(stage.store.disk.clients.size).toBe(0);
    expect(await client.connect()).toBe("");
  });

  it("DLV-C13 DLV-X10 lets a close succeed and the client go, whether the record or its flush fails", async () => {
    const stage = await setPersistentStage();
    for (const operation of ["deleteClient", "flush"] as const) {
      const client = await stage.client("me");
      const plain = await client.subscribe("foo");
      await client.subscribe("foo", { durableName: "dur" });
      stage.store.failing.set(operation, full);
      expect(await client.close()).toBe("");
      expect(stage.engine.inspection.clientCount).toBe(0);
      expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([{ isOffline: true }]);
      expect(stage.logger.lines.filter((line) => line.includes("no space left on device")).length).toBeGreaterThan(0);
      stage.store.failing.clear();
      stage.logger.lines.length = 0;
      expect(plain.seen).toEqual([]);
    }
  });
});
