import type { ClientInfo } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { append, appendRange, expectMessages, sizeOf } from "./messages.ts";
import { expectRefused } from "./refusals.ts";
import type { Rows } from "./row.ts";
import { serverInfo, setScene, storeLimits } from "./scene.ts";
import { subState } from "./subscriptions.ts";

/** Rows S1 to S11, S16 and S17 of store-interface.md 10.1. */
export function storeRows(rows: Rows): void {
  describe("store", () => {
    lifeRows(rows);
    channelRows(rows);
    clientRows(rows);
  });
}

function lifeRows({ subject, row, recovery }: Rows): void {
  const { capabilities } = subject;

  it("STO-S1 gives each test a place of its own", async () => {
    const one = setScene(subject);
    const other = setScene(subject);
    const store = await one.open();
    append(one, store.createChannel("foo").messages, 1);
    await store.flush();
    const log = (await other.open()).createChannel("foo").messages;
    expect([log.count, log.lastSequence]).toEqual([0, 0]);
  });

  row("STO-S2 takes calls that have nothing to do yet", async (scene) => {
    const store = await scene.openBare();
    expect(await store.recover()).toBeUndefined();
    await store.init(serverInfo("a"));
    store.setLimits(storeLimits({}));
    store.deleteClient("nobody");
    await store.flush();
    expect(store.channelLimits("foo")).toBeUndefined();
    expect(store.totals()).toEqual({ messages: 0, bytes: 0 });
    const { messages, subscriptions } = store.createChannel("foo");
    await messages.load(1, 10);
    messages.empty();
    subscriptions.delete(7);
    subscriptions.ackPending(7, 1);
    subscriptions.addPending(7, 1);
    await store.flush();
    await expectMessages(scene, messages, []);
    expect([messages.firstSequence, messages.lastSequence, subscriptions.count]).toEqual([0, 0, 0]);
    await store.close();
  });

  row(`STO-S3 names its kind, ${capabilities.kind}`, async (scene) => {
    expect((await scene.open()).kind).toBe(capabilities.kind);
  });

  recovery(
    "STO-S4 takes server information twice: the second counts",
    async (_, store) => {
      await store.init({ ...serverInfo("first"), acksSubs: "" });
      await store.init(serverInfo("second"));
    },
    async (_, { state }) => expect(state.serverInfo).toEqual(serverInfo("second")),
  );

  row("STO-S5 recovers nothing, without error, where nothing was", async (scene) => {
    const store = await scene.openBare();
    expect(await store.recover()).toBeUndefined();
  });

  recovery(
    "STO-S6 recovers two channels with their messages, subscriptions and what is pending",
    async (scene, store) => {
      const foo = store.createChannel("foo");
      const bar = store.createChannel("bar");
      const messages = { foo: appendRange(scene, foo.messages, 1, 3), bar: appendRange(scene, bar.messages, 1, 4) };
      const ids = {
        foo: foo.subscriptions.create(subState({ inbox: "of foo" })),
        bar: bar.subscriptions.create(subState({ inbox: "of bar", clientId: "other" })),
      };
      for (const s of [1, 2, 3]) foo.subscriptions.addPending(ids.foo, s);
      for (const s of [1, 2, 3, 4]) bar.subscriptions.addPending(ids.bar, s);
      for (const s of [1, 3]) foo.subscriptions.ackPending(ids.foo, s);
      for (const s of [2, 3]) bar.subscriptions.ackPending(ids.bar, s);
      await store.flush();
      return { messages, ids };
    },
    async (scene, { state }, { messages, ids }) => {
      expect([...state.channels.keys()].sort()).toEqual(["bar", "foo"]);
      const foo = state.channels.get("foo")!;
      const bar = state.channels.get("bar")!;
      await expectMessages(scene, foo.messages, messages.foo);
      await expectMessages(scene, bar.messages, messages.bar);
      expect(foo.subscriptionStates).toEqual([
        { state: subState({ id: ids.foo, inbox: "of foo", lastSent: 3 }), pending: [2] },
      ]);
      expect(bar.subscriptionStates).toEqual([
        { state: subState({ id: ids.bar, inbox: "of bar", clientId: "other", lastSent: 4 }), pending: [1, 4] },
      ]);
      expect([foo.subscriptions.count, bar.subscriptions.count]).toEqual([1, 1]);
    },
  );

  row("STO-S8 can be closed twice", async (scene) => {
    const store = await scene.open();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 1);
    subscriptions.create(subState());
    await store.close();
    await store.close();
  });

  row("STO-S11 flushes after messages, subscriptions and pending sequences", async (scene) => {
    const store = await scene.open();
    await store.flush();
    const { messages, subscriptions } = store.createChannel("foo");
    append(scene, messages, 1);
    await store.flush();
    subscriptions.addPending(subscriptions.create(subState()), 1);
    await store.flush();
    await store.flush();
  });
}

function channelRows({ row, recovery }: Rows): void {
  row("STO-S7 makes both logs of a channel once", async (scene) => {
    const store = await scene.open();
    const { messages, subscriptions } = store.createChannel("foo");
    expect([messages.channel, messages.count, subscriptions.count]).toEqual(["foo", 0, 0]);
    await expectRefused(() => store.createChannel("foo"), "already_exists", "already exists");
    append(scene, messages, 1);
    expect(store.totals().messages).toBe(1);
  });

  row("STO-S9 refuses a channel above max_channels, and takes it when the limit is lifted", async (scene) => {
    const store = await scene.open(storeLimits({ maxChannels: 2 }));
    store.createChannel("a");
    store.createChannel("b");
    await expectRefused(() => store.createChannel("c"), "too_many_channels", "too many channels");
    expect(store.channelLimits("c")).toBeUndefined();
    store.setLimits(storeLimits({ maxChannels: 0 }));
    for (const name of ["c", "d", "e"]) expect(store.createChannel(name).messages.channel).toBe(name);
  });

  recovery(
    "STO-S16 deletes a channel for good, and refuses to delete an unknown one",
    async (scene, store) => {
      await expectRefused(() => store.deleteChannel("foo"), "not_found", "not found");
      appendRange(scene, store.createChannel("foo").messages, 1, 3);
      const kept = appendRange(scene, store.createChannel("bar").messages, 1, 2);
      const again = store.createChannel("again");
      appendRange(scene, again.messages, 1, 5);
      again.subscriptions.create(subState());
      await store.flush();
      await store.deleteChannel("foo");
      await store.deleteChannel("again");
      await expectRefused(() => store.deleteChannel("foo"), "not_found", "not found");
      expect(store.channelLimits("foo")).toBeUndefined();
      expect(store.totals()).toEqual({ messages: 2, bytes: sizeOf(scene, kept) });

      const anew = store.createChannel("again");
      expect(anew.subscriptions.count).toBe(0);
      const renewed = appendRange(scene, anew.messages, 1, 1);
      await expectMessages(scene, anew.messages, renewed);
      await store.flush();
      return { kept, renewed };
    },
    async (scene, { state }, { kept, renewed }) => {
      expect([...state.channels.keys()].sort()).toEqual(["again", "bar"]);
      await expectMessages(scene, state.channels.get("bar")!.messages, kept);
      await expectMessages(scene, state.channels.get("again")!.messages, renewed);
      expect(state.channels.get("again")?.subscriptionStates).toEqual([]);
    },
  );
}

function clientRows({ recovery }: Rows): void {
  const client = (id: string, changes: Partial<ClientInfo> = {}): ClientInfo => {
    return {
      id,
      hbInbox: `_INBOX.${id}`,
      connId: Uint8Array.of(0, 255, 7),
      protocol: 1,
      pingInterval: 5,
      pingMaxOut: 3,
      ...changes,
    };
  };

  recovery(
    "STO-S10 takes clients added twice, deleted before, after and without being added",
    async (_, store) => {
      store.deleteClient("nobody");
      store.deleteClient("a");
      store.addClient(client("a"));
      store.addClient(client("b"));
      store.addClient(client("c"));
      store.addClient(client("b", { hbInbox: "newer" }));
      store.deleteClient("c");
      store.deleteClient("c");
      await store.flush();
    },
    async (_, { state }) => {
      const clients = [...state.clients].sort((one, other) => (one.id < other.id ? -1 : 1));
      expect(clients.map(({ id, hbInbox }) => [id, hbInbox])).toEqual([
        ["a", "_INBOX.a"],
        ["b", "newer"],
      ]);
    },
  );

  recovery(
    "STO-S17 keeps connection ID, protocol and ping settings of a client",
    async (_, store) => {
      store.addClient(client("old", { connId: new Uint8Array(0), protocol: 0, pingInterval: 0, pingMaxOut: 0 }));
      store.addClient(client("new"));
      await store.flush();
    },
    async (_, { state }) => {
      const found = new Map(state.clients.map((one) => [one.id, { ...one, connId: [...one.connId] }]));
      expect(found.get("new")).toEqual({ ...client("new"), connId: [0, 255, 7] });
      expect(found.get("old")).toMatchObject({ connId: [], protocol: 0, pingInterval: 0, pingMaxOut: 0 });
    },
  );
}
