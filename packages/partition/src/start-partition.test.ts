import type { BusMessage } from "@nats-streaming/kernel";
import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  seededRandom,
  type TestBus,
  TestNetwork,
} from "@nats-streaming/kernel/testing";
import { decodeChannelList, decodeCtrlMsg, encodeChannelList, encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { beforeEach, describe, expect, it } from "vitest";
import { joinNetworks } from "../test-support/bridge.ts";
import { type Partition, type PartitionOptions, type PartitionOutcome, startPartition } from "./start-partition.ts";

const SUBJECT = "_STAN.part.test-cluster";

let clock: FakeClock;
let network: TestNetwork;
beforeEach(() => {
  clock = new FakeClock();
  network = new TestNetwork(clock);
});

interface Server {
  readonly bus: TestBus;
  readonly logger: RecordingLogger;
  readonly conflicts: string[];
  /** Undefined while the start is under way. */
  outcome: PartitionOutcome | undefined;
}

let started = 0;
beforeEach(() => {
  started = 0;
});

/** Begins to start a server; IDs ascend in the order of the calls. */
function launch(entries: readonly string[], options: Partial<PartitionOptions> & { on?: TestNetwork } = {}): Server {
  started++;
  const bus = (options.on ?? network).connect();
  const server: Server = { bus, logger: recordingLogger(), conflicts: [], outcome: undefined };
  void startPartition({
    clusterId: "test-cluster",
    serverId: `server${started}`.padEnd(22, "x"),
    entries,
    bus,
    clock,
    logger: server.logger,
    random: seededRandom(started),
    onConflict: (message) => server.conflicts.push(message),
    ...options,
  }).then((outcome) => {
    server.outcome = outcome;
  });
  return server;
}

/** Starts a server and gives it the time it needs. */
async function start(
  entries: readonly string[],
  options: Partial<PartitionOptions> & { on?: TestNetwork } = {},
): Promise<Server> {
  const server = launch(entries, options);
  await clock.advanceAsync(1_000);
  return server;
}

const idOf = (place: number): string => `server${place}`.padEnd(22, "x");
const messageOf = (server: Server): string | undefined =>
  server.outcome?.kind === "refused" ? server.outcome.message : undefined;
const partitionOf = (server: Server): Partition => {
  if (server.outcome?.kind !== "serving") throw new Error(`not serving: ${JSON.stringify(server.outcome)}`);
  return server.outcome.partition;
};

/** The lists that pass over a network, as `serverId: names`, and the replies to them. */
function watch(watched: TestNetwork): { readonly lists: string[]; readonly inboxes: string[] } {
  const seen = { lists: [] as string[], inboxes: [] as string[] };
  watched.connect().subscribe(SUBJECT, (message: BusMessage) => {
    const request = decodeCtrlMsg(message.bytes, message.start, message.end);
    // What claims nothing is no list.
    if (request.kind !== "ok" || request.value.refId !== "") return;
    const list = decodeChannelList(request.value.data);
    seen.lists.push(
      `${request.value.serverId.replace(/x+$/, "")}: ${list.kind === "ok" ? list.channels.join(" ") : "?"}`,
    );
    seen.inboxes.push(message.reply);
  });
  return seen;
}

/** Sends a raw message to the partitioning subject and counts the replies. */
async function ask(payload: Uint8Array, withReply = true): Promise<Uint8Array[]> {
  const bus = network.connect();
  const replies: Uint8Array[] = [];
  bus.subscribe("_INBOX.asker", (message) => replies.push(message.bytes.slice(message.start, message.end)));
  bus.publish(SUBJECT, payload, withReply ? "_INBOX.asker" : "");
  await clock.settle();
  await bus.close();
  return replies;
}

describe("startPartition()", () => {
  it("PART-01 refuses an empty list without sending anything", async () => {
    const seen = watch(network);
    const server = launch([]);
    await clock.settle();
    expect(server.outcome).toEqual({ kind: "refused", reason: "no_channel", message: "stan: no configured channel" });
    expect(seen.lists).toEqual([]);
  });

  it.each([".", ".foo", "foo.", "foo*", "foo.*.", "foo.>.bar", "foo/bar"])(
    "PART-02 refuses the entry %s with an error about the channel name",
    async (entry) => {
      const server = launch(["ok", entry]);
      await clock.settle();
      expect(messageOf(server)).toBe(`invalid channel name "${entry}"`);
    },
  );

  it("serves after one second when nobody else is there", async () => {
    const server = launch(["foo", "bar.*"]);
    await clock.advanceAsync(999);
    expect(server.outcome).toBeUndefined();
    await clock.advanceAsync(1);
    expect(partitionOf(server).scope.entries).toEqual(["foo", "bar.*"]);
    expect(server.logger.lines).toEqual([]);
    expect(clock.timerCount).toBe(0);
  });

  it("waits as long as it is told to", async () => {
    const server = launch(["foo"], { timing: { replyIdleMillis: 250 } });
    await clock.advanceAsync(250);
    expect(server.outcome?.kind).toBe("serving");
  });

  it("serves beside a server with other channels", async () => {
    const first = await start(["foo"]);
    const second = await start(["bar"]);
    expect([first.outcome?.kind, second.outcome?.kind]).toEqual(["serving", "serving"]);
    expect([...first.logger.lines, ...second.logger.lines]).toEqual([]);
  });

  it("PART-07 refuses a list with a channel of a running server, at once and with the exact text", async () => {
    const first = await start(["foo", "bar"]);
    const second = launch(["bar"]);
    await clock.settle();
    expect(second.outcome).toEqual({
      kind: "refused",
      reason: "conflict",
      message: `channel "bar" causes conflict with channels on server "${idOf(1)}"`,
    });
    expect(second.bus.subscriptions.size).toBe(0);
    expect(clock.timerCount).toBe(0);
    expect(first.outcome?.kind).toBe("serving");
    expect(first.conflicts).toEqual([]);
  });

  it("PART-D6 leaves a warning with name and server ID on the running server", async () => {
    const first = await start(["foo", "bar"]);
    launch(["bar"]);
    await clock.settle();
    expect(first.logger.lines).toEqual([
      `WRN Partitioning: refused server "${idOf(2)}": its channels overlap those of this server in "bar"`,
    ]);
  });

  it.each(["foo.bar", ">"])("PART-08 refuses %s beside a running foo.*", async (entry) => {
    await start(["foo.*"]);
    const second = launch([entry]);
    await clock.settle();
    expect(messageOf(second)).toBe(
      `channel "${entry === ">" ? "foo.*" : entry}" causes conflict with channels on server "${idOf(1)}"`,
    );
  });

  it("PART-D2 refuses patterns that only cross", async () => {
    await start(["foo.*"]);
    const second = launch(["*.bar"]);
    await clock.settle();
    expect(messageOf(second)).toBe(`channel "*.bar" causes conflict with channels on server "${idOf(1)}"`);
  });

  it("reports a name beyond ASCII as it was written", async () => {
    await start(["zürich"]);
    const second = launch(["zürich"]);
    await clock.settle();
    expect(messageOf(second)).toContain('channel "zürich" causes conflict');
  });

  it("gives up when the signal comes, and leaves nothing behind", async () => {
    const stop = new AbortController();
    const server = launch(["foo"], { signal: stop.signal });
    await clock.advanceAsync(500);
    stop.abort();
    await clock.settle();
    expect(server.outcome).toEqual({ kind: "stopped" });
    expect(server.bus.subscriptions.size).toBe(0);
    expect(clock.timerCount).toBe(0);
    const late = launch(["foo"], { signal: stop.signal });
    await clock.settle();
    expect(late.outcome).toEqual({ kind: "stopped" });
  });

  it("is refused on a closed connection, at the start and during the check", async () => {
    const bus = network.connect();
    await bus.close();
    const early = launch(["foo"], { bus });
    await clock.settle();
    expect(messageOf(early)).toBe("unable to subscribe: bus is closed");
    const late = launch(["foo"]);
    await clock.advanceAsync(500);
    await late.bus.close();
    await clock.settle();
    expect(messageOf(late)).toBe("unable to get partitioning reply: the connection was closed");
  });

  it("begins its check anew after a reconnect", async () => {
    const seen = watch(network);
    const server = launch(["foo"]);
    await clock.advanceAsync(500);
    server.bus.disconnect();
    await clock.advanceAsync(10_000);
    expect(server.outcome).toBeUndefined();
    server.bus.reconnect();
    await clock.advanceAsync(1_500);
    expect(server.outcome?.kind).toBe("serving");
    expect(seen.lists.length).toBeGreaterThanOrEqual(2);
  });

  it("closes once and for all: nobody is answered, nothing is sent", async () => {
    const first = await start(["foo"]);
    partitionOf(first).close();
    partitionOf(first).close();
    const seen = watch(network);
    network.topologyChanged();
    await clock.advanceAsync(2_000);
    expect(seen.lists).toEqual([]);
    expect(first.bus.subscriptions.size).toBe(0);
    expect((await start(["foo"])).outcome?.kind).toBe("serving");
  });
});

describe("the exchange", () => {
  it("PART-03 gives no answer to requests without reply subject, with empty body, undecodable or truncated", async () => {
    const server = await start(["foo"]);
    const list = encodeChannelList(["foo", "bar"]);
    const request = (data: Uint8Array): Uint8Array => encodeCtrlMsg({ msgType: 4, serverId: "peer", data });
    expect(await ask(request(list), false)).toEqual([]);
    expect(await ask(new Uint8Array(0))).toEqual([]);
    expect(server.logger.lines).toEqual([]);

    expect(await ask(Buffer.from("hello"))).toEqual([]);
    expect(await ask(request(list.subarray(0, 6)))).toEqual([]);
    expect(await ask(request(list.subarray(0, 8)))).toEqual([]);
    expect(server.logger.lines).toEqual([
      expect.stringMatching(/^ERR Error processing partitioning request: proto: CtrlMsg: /),
      "ERR Error processing partitioning request: unable to decode size, pos=5 len=6",
      "ERR Error processing partitioning request: unable to decode channel, pos=7 len=3 max=8 (string=b)",
    ]);
    expect(await ask(request(list))).toHaveLength(1);
  });

  it("PART-03 survives any bytes on its subject", async () => {
    const server = await start(["foo"]);
    const random = seededRandom(7);
    for (let i = 0; i < 300; i++) {
      const payload = new Uint8Array(Math.floor(random.next() * 60));
      random.fill(payload);
      await ask(payload);
    }
    expect(server.conflicts).toEqual([]);
    expect(await ask(encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList(["foo"]) }))).toHaveLength(
      1,
    );
  });

  it("uses an inbox of 22 random characters for each check, and keeps none open between checks", async () => {
    const seen = watch(network);
    const server = await start(["foo"]);
    const between = server.bus.subscriptions.size;
    network.topologyChanged();
    await clock.advanceAsync(500);
    expect(server.bus.subscriptions.size).toBe(between + 1);
    await clock.advanceAsync(1_000);
    expect(server.bus.subscriptions.size).toBe(between);
    expect(seen.inboxes).toHaveLength(2);
    for (const inbox of seen.inboxes) expect(inbox).toMatch(/^_INBOX\.[0-9A-Za-z]{22}$/);
    expect(new Set(seen.inboxes).size).toBe(2);
  });

  it("logs an answer that cannot be sent", async () => {
    const server = await start(["foo"]);
    const payload = encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList(["bar"]) });
    network.connect().publish(SUBJECT, payload, "not a subject");
    expect(server.logger.lines).toEqual([expect.stringMatching(/^ERR Error sending reply to partitioning request: /)]);
  });

  describe("with a payload limit of 100 bytes", () => {
    const names = Array.from({ length: 100 }, (_, i) => `partition.number.${i}`);

    it("PART-04 splits a list of 100 names; all arrive exactly once", async () => {
      network = new TestNetwork(clock, 100);
      const seen = watch(network);
      const server = await start(names);
      expect(server.outcome?.kind).toBe("serving");
      expect(seen.lists.length).toBeGreaterThan(30);
      expect(seen.lists.flatMap((line) => line.split(": ")[1]?.split(" "))).toEqual(names);
    });

    it.each([0, 50, 99])("PART-04 reports a conflict on name %i, whatever message it travels in", async (place) => {
      network = new TestNetwork(clock, 100);
      await start([names[place]!]);
      const second = launch(names);
      await clock.settle();
      expect(messageOf(second)).toBe(`channel "${names[place]}" causes conflict with channels on server "${idOf(1)}"`);
    });

    it("PART-04 refuses a name that fits no message", async () => {
      network = new TestNetwork(clock, 100);
      const server = launch(["ok", "x".repeat(64)]);
      await clock.settle();
      expect(server.outcome).toEqual({
        kind: "refused",
        reason: "payload_too_small",
        message: "unable to send channels list: message payload too small to send channels list",
      });
    });
  });
});

describe("races", () => {
  it("of two newcomers with one list at the same instant, exactly one survives", async () => {
    const first = launch(["foo"]);
    const second = launch(["foo"]);
    await clock.advanceAsync(5_000);
    expect([first.outcome?.kind, second.outcome?.kind].sort()).toEqual(["refused", "serving"]);
    expect(first.outcome?.kind).toBe("serving");
  });

  it.each([1, 100, 500, 999])("of two newcomers %i ms apart, exactly one survives", async (gap) => {
    const first = launch(["foo"]);
    await clock.advanceAsync(gap);
    const second = launch(["foo"]);
    await clock.advanceAsync(5_000);
    expect([first.outcome?.kind, second.outcome?.kind].sort()).toEqual(["refused", "serving"]);
  });

  it.each([100, 499, 500, 501, 900])(
    "PART-D3 a server that serves outlives a newcomer whose route comes up %i ms after its start",
    async (delay) => {
      const other = new TestNetwork(clock);
      const old = await start(["foo"]);
      await clock.advanceAsync(2_500);
      const newcomer = launch(["foo"], { on: other });
      await clock.advanceAsync(delay);
      joinNetworks(network, other);
      await clock.advanceAsync(5_000);
      expect(old.conflicts).toEqual([]);
      expect(messageOf(newcomer)).toBe(`channel "foo" causes conflict with channels on server "${idOf(1)}"`);
    },
  );

  it("does not answer an overlapping list during its own check, but any other", async () => {
    launch(["foo"]);
    const list = (name: string): Uint8Array =>
      encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList([name]) });
    expect(await ask(list("foo"))).toEqual([]);
    expect(await ask(list("bar"))).toHaveLength(1);
  });
});

describe("a change of the network", () => {
  it("PART-09 makes both of two servers that meet send their list exactly once more, and both report foo", async () => {
    const other = new TestNetwork(clock);
    const seen = [watch(network), watch(other)] as const;
    const first = launch(["foo"], { conflictRule: "exit_all" });
    const second = launch(["foo"], { on: other, conflictRule: "exit_all" });
    await clock.advanceAsync(1_000);
    expect([first.outcome?.kind, second.outcome?.kind]).toEqual(["serving", "serving"]);

    joinNetworks(network, other);
    await clock.advanceAsync(499);
    expect([...first.conflicts, ...second.conflicts]).toEqual([]);
    await clock.advanceAsync(5_000);
    expect(first.conflicts).toEqual([
      `Partitioning error: channel "foo" causes conflict with channels on server "${idOf(2)}"`,
    ]);
    expect(second.conflicts).toEqual([
      `Partitioning error: channel "foo" causes conflict with channels on server "${idOf(1)}"`,
    ]);
    // Before the networks met, each saw the list of its own server; afterwards both saw both.
    expect(seen[0].lists).toEqual(["server1: foo", "server1: foo", "server2: foo"]);
    expect(seen[1].lists).toEqual(["server2: foo", "server1: foo", "server2: foo"]);
  });

  it("leaves one server when the other closes on its conflict", async () => {
    const other = new TestNetwork(clock);
    const ended: string[] = [];
    const endOnConflict = (name: string, server: () => Server) => ({
      onConflict: (): void => {
        ended.push(name);
        partitionOf(server()).close();
      },
    });
    const first: Server = launch(
      ["foo"],
      endOnConflict("first", () => first),
    );
    const second: Server = launch(["foo"], { ...endOnConflict("second", () => second), on: other });
    await clock.advanceAsync(1_000);
    joinNetworks(network, other);
    await clock.advanceAsync(5_000);
    expect(ended).toHaveLength(1);
  });

  it("is answered by a list 500 ms later, and by silence when nobody objects", async () => {
    const first = await start(["foo"]);
    await start(["bar"]);
    const seen = watch(network);
    network.topologyChanged();
    await clock.advanceAsync(499);
    expect(seen.lists).toEqual([]);
    await clock.advanceAsync(1);
    expect(seen.lists).toEqual(["server1: foo", "server2: bar"]);
    await clock.advanceAsync(5_000);
    expect(seen.lists).toHaveLength(2);
    expect(first.logger.lines).toEqual([]);
  });

  it("PART-D4 finds a conflict that came about while the line was down", async () => {
    const first = await start(["foo"]);
    first.bus.disconnect();
    const second = await start(["foo"]);
    expect(second.outcome?.kind).toBe("serving");
    first.bus.reconnect();
    await clock.advanceAsync(3_000);
    expect(first.conflicts).toEqual([]);
    expect(second.conflicts).toEqual([
      `Partitioning error: channel "foo" causes conflict with channels on server "${idOf(1)}"`,
    ]);
  });

  it.each([
    ["the elder", true],
    ["the younger", false],
  ])(
    "PART-D3 ends the younger of two that serve, also when only %s notices that the network has healed",
    async (_, byElder) => {
      const elder = await start(["foo.*"]);
      elder.bus.disconnect();
      const younger = launch(["*.a"]);
      await clock.advanceAsync(1_000);
      younger.bus.disconnect();
      elder.bus.reconnect();
      await clock.advanceAsync(10_000);
      younger.bus.reconnect();
      if (byElder) elder.bus.emitTopologyChange();
      await clock.advanceAsync(5_000);
      expect(elder.conflicts).toEqual([]);
      // It is told again as long as it stays.
      expect(younger.conflicts.length).toBeGreaterThan(0);
      expect(elder.logger.lines.join()).toContain(`refused server "${idOf(2)}"`);
    },
  );

  it("leaves two that list different channels alone, whatever happens to the network", async () => {
    const other = new TestNetwork(clock);
    const first = launch(["foo"]);
    const second = launch(["bar"], { on: other });
    await clock.advanceAsync(1_000);
    joinNetworks(network, other);
    network.topologyChanged();
    await clock.advanceAsync(10_000);
    expect([...first.conflicts, ...second.conflicts, ...first.logger.lines, ...second.logger.lines]).toEqual([]);
  });

  it("ends a server that another kind of server objects to twice, and not one that it objects to once", async () => {
    for (const objections of [1, 2]) {
      network = new TestNetwork(clock);
      const server = await start(["foo"]);
      const original = network.connect();
      let left = objections;
      original.subscribe(SUBJECT, (message) => {
        if (left-- <= 0) return;
        original.publish(message.reply, encodeCtrlMsg({ msgType: 4, serverId: "original", data: Buffer.from("foo") }));
      });
      network.topologyChanged();
      await clock.advanceAsync(6_000);
      expect(server.conflicts).toHaveLength(objections - 1);
    }
  });
});
