import { describe, expect, it, type TestContext } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw, newInbox, type RawClient } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, type RawStan, type RawStanOptions, SUBJECTS } from "../harness/raw-stan.ts";
import { connectStan } from "../harness/stan.ts";
import {
  decodeConnectResponse,
  decodeErrorOnly,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeCloseRequest,
  encodeConnectRequest,
  encodePing,
  encodePubMsg,
  encodeUnsubscribeRequest,
} from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

const REPLACED = "client has been replaced or is no longer registered";
const REGISTERED = "stan: clientID already registered";

/** Far above the six seconds that the slowest end takes with these flags. */
const END_MILLIS = 20_000;

const timedOut = (clientId: string): string => `STREAM: [Client:${clientId}] Timed out on heartbeats`;

onBothBuses("clients and heartbeats", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    const args = ["-hbi", "1s", "-hbt", "1s", "-hbf", "2"];
    return { network, server: await network.startServer({ args }) };
  });
  const connection = async (context?: TestContext): Promise<RawClient> => {
    const { network } = await started();
    return connectRaw(testStage(context), { port: network.port });
  };
  const register = async (raw: RawClient, clientId: string, options: RawStanOptions = {}): Promise<RawStan> => {
    const session = await connectRawStan(raw, clientId, options);
    expect(session.response.error).toBe("");
    return session;
  };
  const ping = async (raw: RawClient, connectionId: string): Promise<string> =>
    decodeErrorOnly((await raw.request(SUBJECTS.pings, encodePing(connectionId))).payload);

  describe.concurrent("at an interval of a second, a timeout of a second and a fail count of 2", () => {
    it("PROTO 8.1.4, 8.1.5, DLV-C4: a client that never answers is closed after three heartbeats and told by its ping", async (context) => {
      const raw = await connection(context);
      const { server } = await started();
      const silent = await register(raw, "silent", { answerHeartbeats: false });
      await silent.subscribe("silent", { durableName: "kept" });
      await silent.subscribe("silent");
      await silent.heartbeats.takeMany(2);
      // In the middle of its failures: nothing else of it is held up.
      expect(await ping(raw, silent.connectionId)).toBe("");
      expect((await silent.publish("silent", "x")).error).toBe("");
      await server.child.line(timedOut("silent"), END_MILLIS);
      // One of them may have come for the ping.
      expect([3, 4]).toContain(silent.heartbeats.all.length);
      expect(await ping(raw, silent.connectionId)).toBe(REPLACED);
      expect((await silent.publish("silent", "x")).error).toBe("stan: invalid publish request");
      expect((await silent.subscribe("silent")).response.error).toBe("stan: unknown clientID");
      const { subscriptions } = await server.monitor.get("channelsz?channel=silent&subs=1");
      expect(subscriptions).toMatchObject([{ client_id: "silent", durable_name: "kept", is_offline: true }]);
    });

    it("PROTO 8.1.4: a client without a listener is closed sooner than one that is silent", async (context) => {
      const raw = await connection(context);
      const { server } = await started();
      // Both at the same moment; the one that nobody listens for is registered last.
      await register(raw, "listener", { answerHeartbeats: false });
      const request = encodeConnectRequest({ clientId: "absent", heartbeatInbox: newInbox(), connectionId: "absent" });
      expect(decodeConnectResponse((await raw.request(SUBJECTS.connect, request)).payload).error).toBe("");
      await server.child.line(timedOut("absent"), END_MILLIS);
      expect(server.log.some(({ text }) => text === timedOut("listener"))).toBe(false);
      expect(await ping(raw, "absent")).toBe(REPLACED);
      await server.child.line(timedOut("listener"), END_MILLIS);
    });

    it("PROTO 8.1.4: an answer sets the count of failures back", async (context) => {
      const raw = await connection(context);
      const { server } = await started();
      const hesitant = await register(raw, "hesitant", { answerHeartbeats: false });
      const [, , third] = await hesitant.heartbeats.takeMany(3);
      raw.publish(third?.reply ?? "", "any payload is an answer");
      // A fourth and a fifth would not come if the failures before the answer counted.
      await hesitant.heartbeats.takeMany(2);
      expect(await server.monitor.clientIds()).toContain("hesitant");
      expect(await (await hesitant.close()).take()).toBe("");
    });

    it("PROTO 8.1.8, 7.2, DLV-C4: clients that answer live on, of protocol 0, of protocol 1 and the library's", async (context) => {
      const stage = testStage(context);
      const raw = await connection(context);
      const { network, server } = await started();
      const old = await register(raw, "protocol-0", { protocol: 0, connectionId: "" });
      expect([old.response.pingRequests, old.response.pingIntervalSeconds, old.response.pingMaxOut]).toEqual([
        "",
        0,
        0,
      ]);
      const current = await register(raw, "protocol-1");
      expect([
        current.response.pingRequests,
        current.response.pingIntervalSeconds,
        current.response.pingMaxOut,
      ]).toEqual([SUBJECTS.pings, 5, 88]);
      const library = await connectStan(stage, "library", { port: network.port, pingMillis: 1000 });
      const subscription = await library.subscribe("lives.on");
      // Seven intervals: more than it takes to close a client that is found missing.
      await Promise.all([old.heartbeats.takeMany(7), current.heartbeats.takeMany(7)]);
      const living = await server.monitor.clientIds();
      expect(living).toEqual(expect.arrayContaining(["protocol-0", "protocol-1", "library"]));
      expect((await old.publish("lives.on", "from protocol 0")).error).toBe("");
      expect((await current.publish("lives.on", "from protocol 1")).error).toBe("");
      await library.publish("lives.on", "from the library");
      const received = await subscription.messages.takeMany(3);
      expect(received.map(({ text }) => text)).toEqual(["from protocol 0", "from protocol 1", "from the library"]);
      expect(library.isLost).toBe(false);
      await library.close();
    });

    it("PROTO 8.2, DLV-C8: a library whose client is no longer registered learns it from its ping", async (context) => {
      const stage = testStage(context);
      const raw = await connection(context);
      const { network } = await started();
      const library = await connectStan(stage, "removed", { port: network.port, pingMillis: 1000 });
      await raw.request(SUBJECTS.close, encodeCloseRequest("removed"));
      expect((await library.untilLost()).message).toContain(REPLACED);
    });
  });

  it("PROTO 7.3.2, DLV-C3: a living client's ID is refused at once to others, whatever the payload of its answer", async () => {
    const raw = await connection();
    const { server } = await started();
    const living = await register(raw, "living", { answerHeartbeats: false });
    const other = connectRawStan(raw, "living", { connectionId: "other" });
    const check = await living.heartbeats.take();
    expect(check.payload).toHaveLength(0);
    raw.publish(check.reply, "alive");
    expect((await other).response.error).toBe(REGISTERED);
    expect(await ping(raw, living.connectionId)).toBe("");
    expect(await ping(raw, "other")).toBe(REPLACED);
    expect((await server.monitor.clientIds()).filter((id) => id === "living")).toHaveLength(1);
    await (await living.close()).take();
  });

  it("PROTO 7.3.4, 7.3.5, DLV-C6: while an ID is being checked, others for it are refused and other IDs connect", async () => {
    const raw = await connection();
    const silent = await register(raw, "checked", { answerHeartbeats: false });
    let isDecided = false;
    const successor = connectRawStan(raw, "checked", { connectionId: "successor" }).then((session) => {
      isDecided = true;
      return session;
    });
    await silent.heartbeats.take();
    for (const connectionId of ["second", "third"]) {
      expect((await connectRawStan(raw, "checked", { connectionId })).response.error).toBe(REGISTERED);
    }
    const bystander = await register(raw, "bystander");
    expect((await bystander.publish("bystander", "x")).error).toBe("");
    expect(isDecided).toBe(false);
    expect((await successor).response.error).toBe("");
    expect(await ping(raw, "successor")).toBe("");
    expect(await ping(raw, silent.connectionId)).toBe(REPLACED);
    for (const session of [bystander, await successor]) await (await session.close()).take();
  });

  it("PROTO 7.4: what the replaced connection can still do, and what it cannot", async () => {
    const raw = await connection();
    const { server } = await started();
    const stage = testStage();
    const { network } = await started();
    const gone = await connectRaw(stage, { port: network.port });
    const old = await register(gone, "shared", { connectionId: "old-connection" });
    const plain = await old.subscribe("shared");
    const durable = await old.subscribe("shared", { durableName: "place" });
    gone.vanish();
    await gone.closed;
    const fresh = await register(raw, "shared", { connectionId: "new-connection" });

    expect(await ping(raw, "old-connection")).toBe(REPLACED);
    expect(await ping(raw, "new-connection")).toBe("");
    const publish = async (connectionId: string): Promise<string> => {
      const message = { clientId: "shared", guid: newGuid(), channel: "shared", connectionId };
      return decodePubAck((await raw.request(`${SUBJECTS.publish}.shared`, encodePubMsg(message))).payload).error;
    };
    expect(await publish("old-connection")).toBe("stan: invalid publish request");
    expect(await publish("")).toBe("");
    expect(await publish("new-connection")).toBe("");
    for (const subject of [SUBJECTS.unsubscribe, SUBJECTS.subscriptionClose]) {
      for (const { response } of [plain, durable]) {
        const answer = await raw.request(subject, encodeUnsubscribeRequest("shared", "shared", response.ackInbox));
        expect(decodeSubscriptionResponse(answer.payload).error).toBe("stan: invalid subscription");
      }
    }
    // Its durable went offline with it and goes on under the new connection.
    const resumed = await fresh.subscribe("shared", { durableName: "place" });
    expect((await resumed.messages.takeMany(2)).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect((await server.monitor.channel("shared")).subscriptions).toBe(1);
    // A close request names the client ID only: it closes the new connection.
    expect(decodeErrorOnly((await raw.request(SUBJECTS.close, encodeCloseRequest("shared"))).payload)).toBe("");
    expect(await ping(raw, "new-connection")).toBe(REPLACED);
  });

  it("DLV-C2: ten clients that vanished are replaced by ten that connect at the same time", async () => {
    const raw = await connection();
    const stage = testStage();
    const { network, server } = await started();
    const crashing = await connectRaw(stage, { port: network.port });
    const ids = Array.from({ length: 10 }, (_, index) => `crashed-${index}`);
    for (const id of ids) await register(crashing, id);
    crashing.vanish();
    await crashing.closed;
    const successors = await Promise.all(ids.map((id) => connectRawStan(raw, id, { connectionId: `again-${id}` })));
    expect(successors.map(({ response }) => response.error)).toEqual(ids.map(() => ""));
    expect(await server.monitor.clientIds()).toEqual(expect.arrayContaining(ids));
    // Their new heartbeat inboxes are in use.
    for (const [index, session] of successors.entries()) {
      expect((await connectRawStan(raw, `crashed-${index}`)).response.error).toBe(REGISTERED);
      expect(session.heartbeats.all.length).toBeGreaterThan(0);
      expect(await (await session.close()).take()).toBe("");
    }
  });

  it("PROTO 7.5: of two clients with one connID the later owns it, and takes it along", async () => {
    const raw = await connection();
    const first = await register(raw, "first", { connectionId: "one-for-two" });
    const second = await register(raw, "second", { connectionId: "one-for-two" });
    expect(await ping(raw, "one-for-two")).toBe("");
    await (await second.close()).take();
    expect(await ping(raw, "one-for-two")).toBe(REPLACED);
    expect((await first.publish("first", "x")).error).toBe("stan: invalid publish request");
    expect((await first.subscribe("first")).response.error).toBe("");
    expect(await (await first.close()).take()).toBe("");
  });
});
