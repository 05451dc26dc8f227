import { seededRandom } from "@nats-streaming/kernel/testing";
import { encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { describe, expect, it } from "vitest";
import { CLUSTER, clientOf, createServers, type Servers, sourceOf } from "../test-support/servers.ts";
import { checkAgainstMap } from "./check-map.ts";
import { collectMap } from "./collect-map.ts";
import { assembleMap, assemblingMap, MAP_STEP_NAMES, type PartitionMap, type ServerReport } from "./partition-map.ts";
import { renderCheckJson, renderCheckText, renderMapJson, renderMapText } from "./render-map.ts";

async function collect(servers: Servers, timeoutMillis = 2_000): Promise<PartitionMap> {
  const { clock, network } = servers;
  const bus = network.connect();
  const collecting = collectMap({ bus, clusterId: CLUSTER, clock, random: seededRandom(99), timeoutMillis });
  await clock.advanceAsync(timeoutMillis);
  const map = await collecting;
  await bus.close();
  return map;
}

/** Two servers, the first with three stored channels of which one is nobody's. */
async function twoServers(maxPayload?: number): Promise<Servers> {
  const servers = createServers(maxPayload);
  const first = await servers.start(["foo", "bar.*"]);
  first.partition.peers.attach(sourceOf([clientOf("a"), clientOf("b")], ["bar.x", "foo", "old"]));
  await servers.start(["baz"]);
  return servers;
}

describe("the partition map", () => {
  it("shows from anywhere who lists what, and which stored channels no list covers", async () => {
    const map = await collect(await twoServers());
    expect(map).toMatchObject({
      clusterId: CLUSTER,
      isComplete: true,
      conflicts: [],
      unowned: [{ channel: "old", serverIds: ["server1".padEnd(22, "x")] }],
    });
    expect(map.servers).toMatchObject([
      { kind: "partitioned", phase: "serving", clientCount: 2, entries: ["foo", "bar.*"] },
      { kind: "partitioned", phase: "serving", clientCount: 0, entries: ["baz"] },
    ]);
    expect(map.stored.map(({ channel }) => channel)).toEqual(["bar.x", "foo", "old"]);
  });

  it("is empty where nobody is, and says so", async () => {
    const map = await collect(createServers());
    expect(map).toMatchObject({ servers: [], isComplete: true });
    expect(renderMapText(map)).toBe('No partition server of cluster "test-cluster" has answered.\n');
  });

  it("arrives whole in pages of any size", async () => {
    const servers = createServers(800);
    const names = Array.from({ length: 300 }, (_, i) => `partition.number.${i}`);
    const channels = Array.from({ length: 300 }, (_, i) => `stored.${i}`);
    const first = await servers.start(names);
    first.partition.peers.attach(sourceOf([], channels));
    const map = await collect(servers);
    expect(map.servers[0]?.entries).toEqual(names);
    expect(map.unowned).toHaveLength(300);
    expect(map.isComplete).toBe(true);
  });

  it("includes servers of another kind, with what others have heard of them", async () => {
    const servers = await twoServers();
    const original = servers.network.connect();
    const subject = `_STAN.part.${CLUSTER}`;
    const answer = encodeCtrlMsg({ msgType: 4, serverId: "original", data: Buffer.from("qux.1") });
    original.subscribe(subject, (message) => original.publish(message.reply, answer));
    const list = Buffer.from("\x05\0qux.1\x05\0qux.2", "latin1");
    original.publish(subject, encodeCtrlMsg({ msgType: 4, serverId: "original", data: list }), "_INBOX.original");
    // One that has gone is not shown, whatever was heard of it.
    original.publish(subject, encodeCtrlMsg({ msgType: 4, serverId: "gone", data: list }), "_INBOX.gone");
    const map = await collect(servers);
    expect(map.servers.find(({ serverId }) => serverId === "original")).toMatchObject({
      kind: "other",
      entries: ["qux.1", "qux.2"],
    });
    expect(map.servers).toHaveLength(3);
  });

  it("shows two servers that list the same, and whom a server has refused", async () => {
    const servers = createServers();
    const first = await servers.start(["foo.*"]);
    first.bus.disconnect();
    const second = await servers.start(["*.a"]);
    first.bus.reconnect();
    await servers.clock.settle();
    const map = await collect(servers, 400);
    expect(map.conflicts).toContainEqual({ name: "foo.*", servers: [first.serverId, second.serverId] });
    await servers.clock.advanceAsync(5_000);
    expect((await first.partition.map()).conflicts).toContainEqual({
      name: "*.a",
      servers: [first.serverId, second.serverId],
    });
  });

  it("is known to each server by itself, newcomers and changed lists included", async () => {
    const servers = createServers();
    const first = await servers.start(["foo"]);
    const second = await servers.start(["bar"]);
    const third = await servers.start(["baz.*"]);
    const lists = async ({ partition }: typeof first): Promise<unknown> =>
      (await partition.map()).servers.map(({ entries }) => entries);
    for (const server of [first, second, third]) expect(await lists(server)).toEqual([["foo"], ["bar"], ["baz.*"]]);
    const reloading = second.partition.reload(["bar", "qux"]);
    await servers.clock.advanceAsync(4_000);
    expect((await reloading).kind).toBe("applied");
    third.partition.close();
    await servers.clock.settle();
    expect(await lists(first)).toEqual([["foo"], ["bar", "qux"]]);
    expect(await lists(second)).toEqual([["foo"], ["bar", "qux"]]);
  });

  it("says when somebody did not tell everything in time", async () => {
    const servers = await twoServers();
    const mute = servers.network.connect();
    mute.subscribe(`_STAN.part.${CLUSTER}.$peers`, (message) => {
      const page = Buffer.from("0805120473746f7018023a0131", "hex");
      mute.publish(message.reply, page);
    });
    const map = await collect(servers);
    expect(map.isComplete).toBe(false);
    expect(renderMapText(map)).toContain("Not every server has told everything within the time");
  });
});

describe("a rendered map", () => {
  it("is a table for people", async () => {
    const text = renderMapText(await collect(await twoServers()));
    const [first, second] = ["server1", "server2"].map((id) => id.padEnd(22, "x"));
    expect(text).toBe(
      [
        "ENTRY  SERVER                  STATE    SINCE                 CLIENTS",
        `foo    ${first}  serving  2023-11-14T22:13:21Z  2`,
        `bar.*  ${first}  serving  2023-11-14T22:13:21Z  2`,
        `baz    ${second}  serving  2023-11-14T22:13:24Z  0`,
        "",
        "Stored channels that no list covers (1):",
        "CHANNEL  STORED BY",
        `old      ${first}`,
        "",
      ].join("\n"),
    );
  });

  it("is JSON for programs", async () => {
    const value: unknown = JSON.parse(renderMapJson(await collect(await twoServers())));
    expect(value).toMatchObject({
      cluster_id: CLUSTER,
      complete: true,
      servers: [
        { state: "serving", since: "2023-11-14T22:13:21Z", clients: 2, entries: ["foo", "bar.*"] },
        { entries: ["baz"] },
      ],
      conflicts: [],
      unowned: [{ channel: "old", stored_by: ["server1".padEnd(22, "x")] }],
    });
  });

  it("prints forged names and times so that they do no harm", async () => {
    const map: PartitionMap = {
      clusterId: CLUSTER,
      servers: [
        {
          serverId: "evil\n",
          kind: "partitioned",
          phase: "serving",
          since: Number.MAX_SAFE_INTEGER,
          clientCount: 1,
          entries: ["a\u001b[2J", "b c"],
        },
      ],
      conflicts: [{ name: "x\ty", servers: ["a", "b"] }],
      unowned: [],
      stored: [],
      isComplete: true,
    };
    const text = renderMapText(map);
    expect(text).toContain('"a\\x1b[2J"');
    expect(text).toContain('"b c"');
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").length).toBe(8);
    expect(() => JSON.parse(renderMapJson(map))).not.toThrow();
  });
});

describe("a configuration checked against the map", () => {
  const check = async (entries: readonly string[], replaces?: string): Promise<ReturnType<typeof checkAgainstMap>> =>
    checkAgainstMap(await collect(await twoServers()), entries, replaces === undefined ? {} : { replaces });

  it("has no conflict when it is apart from all others", async () => {
    const found = await check(["qux", "old"]);
    expect(found).toEqual({ kind: "checked", conflicts: [], unowned: [], isComplete: true });
    expect(renderCheckText(found)).toBe("No conflict with any server that is running.\n");
  });

  it("names each entry that overlaps, and with whom", async () => {
    const found = await check(["qux", "*.y", "baz"]);
    const [first, second] = ["server1", "server2"].map((id) => id.padEnd(22, "x"));
    expect(found).toMatchObject({
      conflicts: [
        { entry: "*.y", with: "bar.*", serverId: first },
        { entry: "baz", with: "baz", serverId: second },
      ],
      unowned: ["old"],
    });
    expect(renderCheckText(found)).toBe(
      [
        `Conflict: "*.y" overlaps server "${first}" (its entry is "bar.*")`,
        `Conflict: "baz" overlaps server "${second}"`,
        "Stored channels that would have no owner (1):",
        "  old",
        "",
      ].join("\n"),
    );
    expect(JSON.parse(renderCheckJson(found))).toMatchObject({ valid: true, unowned: ["old"] });
  });

  it("may take the place of a server's list, and then says what would be left without an owner", async () => {
    const found = await check(["foo", "bar.y"], "server1".padEnd(22, "x"));
    expect(found).toMatchObject({ conflicts: [], unowned: ["bar.x", "old"] });
  });

  it("is told when it is wrong in itself", async () => {
    const found = await check(["foo..bar"]);
    expect(found).toEqual({ kind: "invalid", message: 'invalid channel name "foo..bar"' });
    expect(renderCheckText(found)).toBe('The configuration would be refused: invalid channel name "foo..bar"\n');
    expect(JSON.parse(renderCheckJson(found))).toEqual({ valid: false, message: 'invalid channel name "foo..bar"' });
    expect((await check([])).kind).toBe("invalid");
  });
});

describe("assemblingMap()", () => {
  const STORED = 20_000;
  const SERVERS = ["a", "b", "c", "d"];

  /** A list that counts how many of its names were looked at. */
  function counted(names: readonly string[], count: (names: number) => void): readonly string[] {
    return Object.assign([...names], {
      *[Symbol.iterator](): ArrayIterator<string> {
        for (let i = 0; i < names.length; i++) {
          count(1);
          yield names[i]!;
        }
      },
    });
  }

  const report = (serverId: string, owned: readonly string[], stored: readonly string[]): ServerReport => ({
    ...{ serverId, kind: "partitioned", phase: "serving", since: 1, clientCount: 0 },
    ...{ owned, stored, heard: new Map(), conflicts: [] },
  });

  it("looks at no more names in one step than its bound, however long the lists are", () => {
    let looked = 0;
    let most = 0;
    let steps = 0;
    const count = (names: number): void => {
      looked += names;
    };
    const names = (of: string): string[] => Array.from({ length: STORED }, (_, i) => `${of}.${i}`);
    const reports = SERVERS.map((id) => report(id, counted(names(id), count), counted(names(id), count)));
    const assembling = assemblingMap(CLUSTER, reports, true);
    for (;;) {
      const before = looked;
      const step = assembling.next();
      most = Math.max(most, looked - before);
      steps++;
      if (step.done === true) {
        expect(step.value.stored).toHaveLength(SERVERS.length * STORED);
        expect(step.value.servers.map(({ entries }) => entries.length)).toEqual(SERVERS.map(() => STORED));
        break;
      }
    }
    expect(most).toBeLessThanOrEqual(MAP_STEP_NAMES);
    expect(looked).toBe(2 * SERVERS.length * STORED);
    // Every name is gone through at least six times.
    expect(steps).toBeGreaterThan((6 * SERVERS.length * STORED) / MAP_STEP_NAMES);
  });

  it("finds what overlaps among literal names and patterns, from both sides", () => {
    const { conflicts, unowned } = assembleMap(
      CLUSTER,
      [report("a", ["foo.*", "bar", "own"], ["foo.x", "y"]), report("b", ["foo.a", "*.z", "bar"], ["y", "q.z"])],
      true,
    );
    expect(conflicts.map(({ name }) => name)).toEqual(["*.z", "bar", "foo.*", "foo.a"]);
    expect(conflicts.every(({ servers }) => servers.join() === "a,b")).toBe(true);
    expect(unowned).toEqual([{ channel: "y", serverIds: ["a", "b"] }]);
  });
});
