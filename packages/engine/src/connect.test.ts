import { byteStringBytes } from "@nats-streaming/protocol";
import { decodeConnectResponse, encodeConnectResponse } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { CLUSTER, decodedValue, type Stage, setStage, TestClient } from "../test/harness.ts";

const DISCOVER = `_STAN.discover.${CLUSTER}`;
const newcomer = (stage: Stage, id: string): TestClient => new TestClient(id, stage.network.connect(), stage.clock);

describe("connect requests", () => {
  it("PROTO 7.1.1 are refused when they cannot be decoded or name no heartbeat inbox", async () => {
    const stage = await setStage();
    const client = newcomer(stage, "me");
    const garbage = await client.ask(DISCOVER, byteStringBytes("garbage"));
    expect(decodedValue(decodeConnectResponse(garbage!)).error).toBe("stan: invalid connection request");
    expect(await client.connect({ heartbeatInbox: "" })).toBe("stan: invalid connection request");
    const empty = await client.ask(DISCOVER, new Uint8Array(0));
    expect(decodedValue(decodeConnectResponse(empty!)).error).toBe("stan: invalid connection request");
    expect(stage.logger.lines.filter((line) => line.includes("[Client:?] Invalid conn request"))).toHaveLength(3);
  });

  it.each(["", "a b", "a:b", "a,b", "a.b", "ü", "a\n", "a/b", "*"])(
    "PROTO 7.1.2 DLV-C1 are refused for the client ID %j",
    async (id) => {
      const stage = await setStage();
      const error = await newcomer(stage, id).connect();
      expect(error).toBe("stan: invalid clientID: only alphanumeric and `-` or `_` characters allowed");
      expect(stage.engine.inspection.clientCount).toBe(0);
    },
  );

  it.each(["me", "A-z_09", "-", "x".repeat(5000)])("DLV-C1 are accepted for the client ID %s", async (id) => {
    const stage = await setStage();
    expect(await newcomer(stage, id).connect()).toBe("");
    expect(stage.engine.inspection.clientIds()).toEqual([id]);
  });

  it("PROTO 7.2.2 are answered without ping fields when they are of protocol 0", async () => {
    const stage = await setStage();
    const client = newcomer(stage, "me0");
    const answer = await client.ask(DISCOVER, client.connectRequest({ protocol: 0, connId: new Uint8Array(0) }));
    expect(Buffer.from(answer!).toString("hex")).toBe(
      Buffer.from(
        encodeConnectResponse({
          pubPrefix: `_STAN.pub.${CLUSTER}`,
          subRequests: `_STAN.sub.${CLUSTER}`,
          unsubRequests: `_STAN.unsub.${CLUSTER}`,
          closeRequests: `_STAN.close.${CLUSTER}`,
          subCloseRequests: `_STAN.subclose.${CLUSTER}`,
          protocol: 1,
        }),
      ).toString("hex"),
    );
  });

  it.each([1, 2])(
    "PROTO 7.2.3 PROTO 7.2.4 are answered with ping subject and echoed ping values at protocol %d",
    async (protocol) => {
      const stage = await setStage();
      const client = newcomer(stage, "me");
      const answer = await client.ask(DISCOVER, client.connectRequest({ protocol, pingInterval: 7, pingMaxOut: 9 }));
      expect(decodedValue(decodeConnectResponse(answer!))).toMatchObject({
        pingRequests: `${DISCOVER}.pings`,
        pingInterval: 7,
        pingMaxOut: 9,
        protocol: 1,
        publicKey: "",
        error: "",
      });
    },
  );

  it("PROTO 2.2 are executed without a reply subject, too", async () => {
    const stage = await setStage();
    const client = newcomer(stage, "quiet");
    client.bus.publish(DISCOVER, client.connectRequest());
    await stage.clock.settle();
    expect(stage.engine.inspection.clientIds()).toEqual(["quiet"]);
  });
});

describe("a client ID that is registered already", () => {
  it("PROTO 7.3.2 DLV-C3 is refused to a second connection while the first one lives", async () => {
    const stage = await setStage();
    await stage.client("me");
    expect(await newcomer(stage, "me").connect()).toBe("stan: clientID already registered");
    expect(stage.engine.inspection.clientCount).toBe(1);
  });

  it("PROTO 7.3.3 is given to a second connection when the first one has not answered for 500 ms", async () => {
    const stage = await setStage();
    const old = await stage.client("me");
    old.isAlive = false;
    const next = newcomer(stage, "me");
    let answer: string | undefined;
    next.send(DISCOVER, next.connectRequest(), (bytes) => {
      answer = decodedValue(decodeConnectResponse(bytes)).error;
    });
    await stage.pass(499);
    expect(answer).toBeUndefined();
    await stage.pass(1);
    expect(answer).toBe("");
    expect(stage.engine.inspection.client("me")?.heartbeatInbox).toBe(next.heartbeatInbox);
  });

  it("PROTO 7.3.3 is given at once when nobody listens on the first one's heartbeat inbox", async () => {
    const stage = await setStage();
    const old = await stage.client("me");
    await old.bus.close();
    expect(await newcomer(stage, "me").connect()).toBe("");
  });

  it("PROTO 7.3.4 PROTO 7.3.5 DLV-C6 delays no other client while it is checked, and is refused at once to all others", async () => {
    const stage = await setStage();
    const old = await stage.client("me");
    old.isAlive = false;
    const answers: string[] = [];
    const first = newcomer(stage, "me");
    first.send(DISCOVER, first.connectRequest(), (bytes) =>
      answers.push(decodedValue(decodeConnectResponse(bytes)).error),
    );
    await stage.clock.settle();
    expect(await newcomer(stage, "me").connect()).toBe("stan: clientID already registered");
    expect(await newcomer(stage, "other").connect()).toBe("");
    expect(answers).toEqual([]);
    await stage.pass(500);
    expect(answers).toEqual([""]);
  });

  it("DLV-C2 lets ten clients that died come back in parallel", async () => {
    const stage = await setStage();
    const ids = Array.from({ length: 10 }, (_, i) => `c${i}`);
    const old = await Promise.all(ids.map((id) => stage.client(id)));
    expect(await newcomer(stage, "c3").connect()).toBe("stan: clientID already registered");
    for (const client of old) client.isAlive = false;
    const answers: string[] = [];
    const next = ids.map((id) => newcomer(stage, id));
    for (const client of next) {
      client.send(DISCOVER, client.connectRequest(), (bytes) =>
        answers.push(decodedValue(decodeConnectResponse(bytes)).error),
      );
    }
    await stage.pass(501);
    expect(answers).toEqual(ids.map(() => ""));
    for (const client of next) {
      expect(stage.engine.inspection.client(client.id)?.heartbeatInbox).toBe(client.heartbeatInbox);
    }
  });
});

describe("a client that was replaced", () => {
  const replaced = async (): Promise<{ stage: Stage; old: TestClient; next: TestClient }> => {
    const stage = await setStage();
    const old = await stage.client("me");
    old.isAlive = false;
    const next = newcomer(stage, "me");
    next.send(DISCOVER, next.connectRequest());
    await stage.pass(501);
    return { stage, old, next };
  };

  it("PROTO 7.4 DLV-C8 fails its pings and publishes by connection ID", async () => {
    const { old, next } = await replaced();
    expect(await old.ping()).toBe("client has been replaced or is no longer registered");
    expect(await old.publish("foo")).toBe("stan: invalid publish request");
    expect([await next.ping(), await next.publish("foo")]).toEqual(["", ""]);
  });

  it("PROTO 7.4 PK1 closes its successor, because a close request names only the client ID", async () => {
    const { stage, old } = await replaced();
    expect(await old.close()).toBe("");
    expect(stage.engine.inspection.clientCount).toBe(0);
  });

  it("DLV 10 loses its plain subscriptions and keeps its durables", async () => {
    const stage = await setStage();
    const old = await stage.client("me");
    const plain = await old.subscribe("foo");
    await old.subscribe("foo", { durableName: "dur" });
    old.isAlive = false;
    const next = newcomer(stage, "me");
    next.send(DISCOVER, next.connectRequest());
    await stage.pass(501);
    expect(stage.engine.inspection.channel("foo")?.subscriptions()).toMatchObject([
      { durableName: "dur", isOffline: true, clientId: "me" },
    ]);
    expect(await plain.close()).toBe("stan: invalid subscription");
    expect((await next.subscribe("foo", { durableName: "dur" })).error).toBe("");
  });
});

describe("pings", () => {
  it("PROTO 8.2 get no answer when they are empty or cannot be decoded", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(await client.ask(`${DISCOVER}.pings`, new Uint8Array(0))).toBeUndefined();
    expect(await client.ask(`${DISCOVER}.pings`, byteStringBytes("\x0a\xff"))).toBeUndefined();
  });

  it("PROTO 8.2 succeed for a known connection ID only", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(await client.ping()).toBe("");
    expect(await client.ping(byteStringBytes("NOPE"))).toBe("client has been replaced or is no longer registered");
  });

  it("PROTO 7.5.2 fail for a connection ID whose later owner has gone", async () => {
    const stage = await setStage();
    const first = await stage.client("first");
    const second = await stage.client("second", { connId: first.connId });
    await second.close();
    expect(await first.ping()).toBe("client has been replaced or is no longer registered");
  });

  it("PROTO 8.2.2 DLV-C9 of a client with failed heartbeats bring a heartbeat at once, whose answer clears it", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 200 });
    const client = await stage.client("me");
    const pub = await stage.client("pub");
    const subscription = await client.subscribe("foo");
    client.isAlive = false;
    await stage.pass(1200);
    await pub.publish("foo");
    client.isAlive = true;
    const before = client.heartbeats.length;
    expect(await client.ping()).toBe("");
    await stage.pass(1);
    expect(client.heartbeats.length).toBe(before + 1);
    await stage.pass(1000);
    expect(subscription.order).toBe("1 1R1");
  });
});

describe("heartbeats", () => {
  it("PROTO 8.1.2 begin one interval after the registration, each one interval after the former was answered", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 2000 });
    const client = await stage.client("me");
    await stage.pass(6500);
    expect(client.heartbeats).toEqual([2000, 4000, 6000]);
  });

  it("PROTO 8.1.2 reach a silent client at 1, 3 and 5 s with interval and timeout of 1 s", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 1000 });
    const client = await stage.client("me");
    client.isAlive = false;
    await stage.pass(5500);
    expect(client.heartbeats).toEqual([1000, 3000, 5000]);
  });

  it("PROTO 8.1.4 close a silent client after (interval + timeout) x (fail count + 1)", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 1000,
      heartbeatFailCount: 2,
    });
    const client = await stage.client("me");
    client.isAlive = false;
    await stage.pass(5999);
    expect(stage.engine.inspection.clientCount).toBe(1);
    await stage.pass(2);
    expect(stage.engine.inspection.clientCount).toBe(0);
    expect(stage.logger.lines).toContain("ERR [Client:me] Timed out on heartbeats");
  });

  it("PROTO 8.1.3 PROTO 8.1.4 close a client without a listener after interval x (fail count + 1)", async () => {
    const stage = await setStage({
      heartbeatIntervalMillis: 1000,
      heartbeatTimeoutMillis: 1000,
      heartbeatFailCount: 2,
    });
    const client = await stage.client("me");
    await client.bus.close();
    await stage.pass(2999);
    expect(stage.engine.inspection.clientCount).toBe(1);
    await stage.pass(2);
    expect(stage.engine.inspection.clientCount).toBe(0);
  });

  it("DLV-C4 never close a client that answers, however often it misses in between", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 100, heartbeatFailCount: 2 });
    const client = await stage.client("me");
    for (let round = 0; round < 5; round++) {
      client.isAlive = false;
      await stage.pass(2150);
      client.isAlive = true;
      await stage.pass(1100);
    }
    expect(stage.engine.inspection.clientCount).toBe(1);
  });

  it("PROTO 8.1.7 DLV-C5 block nothing else of a client while one is unanswered", async () => {
    const stage = await setStage({ heartbeatIntervalMillis: 1000, heartbeatTimeoutMillis: 10_000 });
    const client = await stage.client("me");
    client.isAlive = false;
    await stage.pass(1500);
    expect([await client.ping(), await client.publish("foo")]).toEqual(["", ""]);
    expect((await client.subscribe("foo")).order).toBe("1");
    expect(await client.close()).toBe("");
  });
});

describe("close requests", () => {
  it("PROTO 12.3.1 PROTO 12.3.3 are refused when they cannot be decoded or name nobody", async () => {
    const stage = await setStage();
    const client = await stage.client("me");
    expect(await client.close()).toBe("");
    expect(await client.close()).toBe("stan: unknown clientID");
    const garbage = await client.ask(`_STAN.close.${CLUSTER}`, byteStringBytes("\x0a\x05ab"));
    expect(Buffer.from(garbage!).toString()).toContain("stan: invalid close request");
    const empty = await client.ask(`_STAN.close.${CLUSTER}`, new Uint8Array(0));
    expect(Buffer.from(empty!).toString("hex")).toBe("0a167374616e3a20756e6b6e6f776e20636c69656e744944");
  });

  it("PROTO 13.4 DLV-G5 let everything be stored that was published before", async () => {
    const stage = await setStage({ batchSize: 50 });
    const client = await stage.client("me");
    const errors: string[] = [];
    for (let i = 0; i < 1000; i++) client.publishLater("foo", `${i}`, (error) => errors.push(error));
    expect(await client.close()).toBe("");
    expect(errors).toEqual(new Array(1000).fill(""));
    expect(stage.engine.inspection.channel("foo")?.messages).toBe(1000);
  });
});
