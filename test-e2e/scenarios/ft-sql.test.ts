import { describe, expect, it } from "vitest";
import {
  ACTIVE,
  LOST_LOCK,
  pauseUntilReplaced,
  roleOf,
  SHARED_SQL_STORES,
  startMember,
  startPair,
  TAKEOVER_MILLIS,
} from "../harness/fault-tolerance-group.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { openExternalNetwork } from "../harness/networks.ts";
import { connectRaw, newInbox } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import {
  decodeConnectResponse,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeConnectRequest,
  encodePubMsg,
  encodeSubscriptionRequest,
} from "../harness/stan-wire.ts";
import { READY } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

for (const store of SHARED_SQL_STORES) {
  describe.skipIf(leaveOutNatsServer || store.isLeftOut)(`a fault tolerance group on ${store.name}`, () => {
    it("FT-02 FT-16: the standby takes over with everything when the active is killed", async () => {
      const stage = testStage();
      const network = await openExternalNetwork(stage);
      const flags = await store.open(stage);
      const { active, standby } = await startPair(network, flags);
      expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
      const client = await connectStan(stage, "client", { port: network.port });
      const subscription = await client.subscribe("foo", { durableName: "place" });
      await client.publish("foo", "before");
      expect((await subscription.messages.take()).text).toBe("before");

      active.child.signal("SIGKILL");
      await active.child.exit();
      await standby.child.line(READY, TAKEOVER_MILLIS);
      await client.publish("foo", "after");
      const after = await subscription.messages.take({ where: ({ text }) => text === "after" });
      expect(after.sequence).toBe(2);
      expect(await standby.monitor.channel("foo")).toMatchObject({ msgs: 2, lastSequence: 2 });
      expect(await standby.monitor.clientIds()).toEqual(["client"]);
      await client.close();
    }, 120_000);

    it("FT-16: an active that ends in order leaves the lock to the standby, and can come back as standby", async () => {
      const stage = testStage();
      const network = await openExternalNetwork(stage);
      const flags = await store.open(stage);
      const { active, standby } = await startPair(network, flags);
      expect((await active.child.stop()).code).toBe(0);
      await standby.child.line(READY, TAKEOVER_MILLIS);
      const again = await startMember(network, flags);
      expect([await roleOf(standby), await roleOf(again)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
      const end = await again.child.stop();
      expect([end.code, end.stderr.includes(ACTIVE)]).toEqual([0, false]);
    }, 120_000);

    it("9: an active that was paused until its lock was taken writes and acknowledges nothing when it wakes", async () => {
      const stage = testStage();
      const network = await openExternalNetwork(stage);
      const { active, standby } = await startPair(network, await store.open(stage));
      const raw = await connectRaw(stage, { port: network.port });
      const stan = await connectRawStan(raw, "writer");
      for (const text of ["1", "2", "3"]) expect((await stan.publish("foo", text)).error).toBe("");
      const acks = await raw.subscribe(newInbox());
      const publish = (data: string): string => {
        const guid = newGuid();
        const { clientId, connectionId } = stan;
        const message = encodePubMsg({ clientId, connectionId, guid, channel: "foo", data });
        raw.publish(`${SUBJECTS.publish}.foo`, message, acks.subject);
        return guid;
      };
      const connects = await raw.subscribe(newInbox());
      const subscriptions = await raw.subscribe(newInbox());

      // Only the one that stands still listens yet: it finds all this when it wakes.
      active.child.signal("SIGSTOP");
      const unheard = ["lost 1", "lost 2"].map(publish);
      const heartbeatInbox = (await raw.subscribe(newInbox())).subject;
      raw.publish(SUBJECTS.connect, encodeConnectRequest({ clientId: "ghost", heartbeatInbox }), connects.subject);
      raw.publish(
        SUBJECTS.subscribe,
        encodeSubscriptionRequest({ clientId: "writer", channel: "foo", inbox: newInbox(), durableName: "ghost" }),
        subscriptions.subject,
      );
      await raw.flush();
      await pauseUntilReplaced(active, standby);
      // Both have this one, and the new active acknowledges it.
      const both = publish("4");
      const first = decodePubAck((await acks.messages.take()).payload);
      expect(first).toEqual({ guid: both, error: "" });

      active.child.signal("SIGCONT");
      const end = await active.child.exit();
      expect([end.code, end.stderr]).toEqual([2, expect.stringContaining(LOST_LOCK)]);

      await raw.flush();
      const answered = acks.messages.all.map(({ payload }) => decodePubAck(payload));
      expect(answered.filter(({ guid, error }) => unheard.includes(guid) && error === "")).toEqual([]);
      expect(answered.filter(({ guid, error }) => guid === both && error === "")).toHaveLength(1);
      const accepted = connects.messages.all.map(({ payload }) => decodeConnectResponse(payload).error);
      expect(accepted.filter((error) => error === "")).toEqual([]);
      const subscribed = subscriptions.messages.all.map(({ payload }) => decodeSubscriptionResponse(payload).error);
      expect(subscribed.filter((error) => error === "")).toEqual([]);

      expect((await stan.publish("foo", "5")).error).toBe("");
      const { lastSequence } = await standby.monitor.channel("foo");
      const messages = await readChannel(stan, "foo", 1, lastSequence);
      expect(messages.map(({ sequence, data }) => [sequence, data.toString()])).toEqual([
        [1, "1"],
        [2, "2"],
        [3, "3"],
        [4, "4"],
        [5, "5"],
      ]);
      expect(await standby.monitor.clientIds()).toEqual(["writer"]);
      expect(await roleOf(standby)).toBe("FT_ACTIVE");
    }, 150_000);
  });
}

describe.skipIf(leaveOutNatsServer)("a fault tolerance group on a file store", () => {
  it("9: a paused active keeps the lock: the standby stays standby, and what was sent meanwhile is served", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const { active, standby } = await startPair(network, ["-store", "file", "-dir", await tempDir(stage)]);
    const raw = await connectRaw(stage, { port: network.port });
    const stan = await connectRawStan(raw, "writer");
    expect((await stan.publish("foo", "1")).error).toBe("");

    active.child.signal("SIGSTOP");
    const second = stan.publish("foo", "2");
    // Heartbeats are missed: the standby asks for the lock, and says that it is taken.
    await standby.child.line("ft: unable to get store lock at this time, going back to standby");
    expect(await roleOf(standby)).toBe("FT_STANDBY");
    active.child.signal("SIGCONT");
    expect((await second).error).toBe("");
    expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
    expect(await active.monitor.channel("foo")).toMatchObject({ msgs: 2, lastSequence: 2 });
  }, 60_000);
});
