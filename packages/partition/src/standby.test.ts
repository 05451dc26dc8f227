import { recordingLogger, seededRandom } from "@nats-streaming/kernel/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { CLUSTER, createServers, type Servers } from "../test-support/servers.ts";
import type { ReloadOutcome } from "./partition-server.ts";
import { type PartitionWatch, watchPartition } from "./standby.ts";
import type { PartitionOutcome } from "./start-partition.ts";

let servers: Servers;
beforeEach(() => {
  servers = createServers();
});

/** @param active the ID in the heartbeats of its active server; another server than those of the tests when left out */
function standby(entries: readonly string[], active: string | (() => string | undefined) = "active".padEnd(22, "x")) {
  const bus = servers.network.connect();
  const logger = recordingLogger();
  const watch: PartitionWatch = watchPartition({
    clusterId: CLUSTER,
    serverId: "standby".padEnd(22, "x"),
    entries,
    bus,
    clock: servers.clock,
    logger,
    random: seededRandom(77),
    activeServerId: typeof active === "string" ? () => active : active,
  });
  return { bus, logger, watch };
}

/** What becomes of an activation within a time. */
async function activate(watch: PartitionWatch, millis: number): Promise<PartitionOutcome | undefined> {
  let outcome: PartitionOutcome | undefined;
  void watch.activate({ onConflict: () => {} }).then((settled) => {
    outcome = settled;
  });
  await servers.clock.advanceAsync(millis);
  return outcome;
}

describe("a standby's watch", () => {
  it("PART-D11 warns beforehand of a channel that another server lists, once", async () => {
    const other = await servers.start(["bar.>"]);
    const { logger, watch } = standby(["foo", "bar.x"]);
    await servers.clock.advanceAsync(1_000);
    const warning =
      `WRN Partitioning: channel "bar.x" causes conflict with channels on server "${other.serverId}"; ` +
      "this standby will not be able to serve when it becomes active";
    expect(logger.lines).toEqual([warning]);
    expect(watch.isClear).toBe(false);
    servers.network.topologyChanged();
    await servers.clock.advanceAsync(5_000);
    expect(logger.lines).toEqual([warning]);
    expect(other.logger.lines).toEqual([]);
  });

  it("PART-13 has nothing against the own active server, and serves at once when that has stopped", async () => {
    const active = await servers.start(["foo", "bar.*"]);
    await servers.start(["baz"]);
    const { logger, watch } = standby(["foo", "bar.*"], active.serverId);
    await servers.clock.advanceAsync(1_000);
    expect([logger.lines, watch.isClear]).toEqual([[], true]);
    active.partition.close();
    expect((await activate(watch, 0))?.kind).toBe("serving");
    await servers.clock.advanceAsync(5_000);
    expect(logger.lines).toEqual([]);
  });

  it("PART-13 holds nothing against anybody before it has heard which server is its active one", async () => {
    const active = await servers.start(["foo"]);
    let heard: string | undefined;
    const { logger, watch } = standby(["foo"], () => heard);
    await servers.clock.advanceAsync(2_000);
    expect([logger.lines, watch.isClear]).toEqual([[], false]);
    heard = active.serverId;
    await servers.clock.advanceAsync(100);
    expect([logger.lines, watch.isClear]).toEqual([[], true]);
  });

  it("PART-D11 warns although no active server is heard, after three seconds more", async () => {
    const other = await servers.start(["foo"]);
    const { logger, watch } = standby(["foo"], () => undefined);
    await servers.clock.advanceAsync(3_500);
    expect(logger.lines).toEqual([]);
    await servers.clock.advanceAsync(1_000);
    expect(logger.lines).toEqual([expect.stringContaining(`with channels on server "${other.serverId}"`)]);
    expect(watch.isClear).toBe(false);
  });

  it("does not wait for its active server any more once it is closed", async () => {
    await servers.start(["foo"]);
    const { logger, watch } = standby(["foo"], () => undefined);
    await servers.clock.advanceAsync(1_500);
    watch.close();
    await servers.clock.advanceAsync(5_000);
    expect(logger.lines).toEqual([]);
  });

  it("leaves no trace with those it asks, answers nobody, and stops no newcomer", async () => {
    const other = await servers.start(["baz"]);
    const { watch } = standby(["foo"]);
    await servers.clock.advanceAsync(1_000);
    const newcomer = await servers.start(["foo"]);
    expect((await other.partition.map()).servers).toHaveLength(2);
    expect([...newcomer.logger.lines, ...other.logger.lines]).toEqual([]);
    watch.close();
  });

  it.each<[string, (at: { readonly bus: ReturnType<typeof standby>["bus"] }) => Promise<unknown>]>([
    ["a server with an overlapping list has come", () => servers.start(["*"])],
    ["the network has changed", async () => servers.network.topologyChanged()],
    [
      "its line was down",
      async ({ bus }) => {
        bus.disconnect();
        bus.reconnect();
      },
    ],
  ])("checks again when it becomes active after %s", async (_, disturb) => {
    const started = standby(["foo"]);
    await servers.clock.advanceAsync(1_000);
    expect(started.watch.isClear).toBe(true);
    await disturb(started);
    expect(started.watch.isClear).toBe(false);
    const outcome = await activate(started.watch, 0);
    expect(outcome?.kind).not.toBe("serving");
  });

  it("is clear again some time after a change that changed nothing", async () => {
    const { watch } = standby(["foo"]);
    await servers.clock.advanceAsync(1_000);
    servers.network.topologyChanged();
    expect(watch.isClear).toBe(false);
    await servers.clock.advanceAsync(1_500);
    expect(watch.isClear).toBe(true);
  });

  it("serves after a check that it has not finished beforehand", async () => {
    const { watch } = standby(["foo"]);
    expect((await activate(watch, 999))?.kind).toBeUndefined();
    await servers.clock.advanceAsync(1);
    const late = standby(["bar"]);
    expect((await activate(late.watch, 1_000))?.kind).toBe("serving");
  });

  it("is refused in the end what it was warned of", async () => {
    await servers.start(["foo"]);
    const { watch } = standby(["foo"]);
    await servers.clock.advanceAsync(1_000);
    expect(await activate(watch, 0)).toMatchObject({ kind: "refused", reason: "conflict" });
  });

  it("warns of a list that is wrong in itself", () => {
    const { logger, watch } = standby(["foo..bar"]);
    expect(logger.lines).toEqual([expect.stringContaining('invalid channel name "foo..bar"')]);
    expect(watch.isClear).toBe(false);
  });

  describe("with a changed list", () => {
    async function reload(watch: PartitionWatch, ...entries: string[]): Promise<ReloadOutcome> {
      const outcome = watch.reload(entries);
      await servers.clock.advanceAsync(1_000);
      return outcome;
    }

    it("serves that one when it becomes active", async () => {
      const active = await servers.start(["foo", "bar"]);
      const { logger, watch } = standby(["foo", "bar"], active.serverId);
      await servers.clock.advanceAsync(1_000);
      const changed = { kind: "applied", added: ["baz"], removed: ["bar"] };
      expect(await reload(watch, "foo", "baz")).toEqual(changed);
      await servers.clock.advanceAsync(1_000);
      expect([watch.isClear, logger.lines]).toEqual([true, []]);
      active.partition.close();
      const outcome = await activate(watch, 0);
      expect(outcome?.kind === "serving" && outcome.partition.scope.entries).toEqual(["foo", "baz"]);
    });

    it("takes it at once when it only loses entries", async () => {
      const { watch } = standby(["foo", "bar"]);
      expect(await watch.reload(["foo"])).toEqual({ kind: "applied", added: [], removed: ["bar"] });
    });

    it("may add what its own active server has added before", async () => {
      const active = await servers.start(["foo", "bar"]);
      const { watch } = standby(["foo"], active.serverId);
      expect((await reload(watch, "foo", "bar")).kind).toBe("applied");
    });

    it("keeps the former one where another server has something of it", async () => {
      const other = await servers.start(["bar.>"]);
      const { logger, watch } = standby(["foo"]);
      await servers.clock.advanceAsync(1_000);
      expect(await reload(watch, "foo", "bar.x", "baz")).toEqual({
        kind: "refused",
        reason: `channel "bar.x" causes conflict with channels on server "${other.serverId}"`,
      });
      expect([watch.isClear, logger.lines]).toEqual([true, []]);
      const outcome = await activate(watch, 0);
      expect(outcome?.kind === "serving" && outcome.partition.scope.entries).toEqual(["foo"]);
    });

    it("warns from then on of what comes to overlap it, and no longer of what it had", async () => {
      const { logger, watch } = standby(["foo"]);
      expect((await reload(watch, "bar")).kind).toBe("applied");
      await servers.clock.advanceAsync(1_000);
      await servers.start(["foo"]);
      expect(watch.isClear).toBe(true);
      const other = await servers.start(["bar"]);
      await servers.clock.advanceAsync(2_000);
      expect(logger.lines).toEqual([
        expect.stringContaining(`"bar" causes conflict with channels on server "${other.serverId}"`),
      ]);
    });

    it("says which cannot be checked now", async () => {
      const { bus, watch } = standby(["foo"]);
      const refused = (reason: string) => ({ kind: "refused", reason });
      expect(await watch.reload(["a..b"])).toEqual(refused('invalid channel name "a..b"'));
      const first = watch.reload(["foo", "bar"]);
      expect(await watch.reload(["foo"])).toEqual(
        refused("another change of the channel list is under way; try again when it is done"),
      );
      await servers.clock.advanceAsync(1_000);
      expect((await first).kind).toBe("applied");

      bus.disconnect();
      expect(await watch.reload(["foo", "bar", "baz"])).toEqual(
        refused("the connection to NATS is down, so the other servers cannot be asked; try again when it is back"),
      );
      bus.reconnect();
      const overtaken = watch.reload(["foo", "bar", "baz"]);
      expect((await activate(watch, 1_000))?.kind).toBe("serving");
      expect(await overtaken).toEqual(refused("this server has just begun to take over; try again when it serves"));
    });

    it("becomes one that can be served where it was wrong in itself", async () => {
      const { watch } = standby(["foo..bar"]);
      expect(await reload(watch, "foo")).toEqual({ kind: "applied", added: ["foo"], removed: [] });
      await servers.clock.advanceAsync(1_000);
      expect((await activate(watch, 0))?.kind).toBe("serving");
    });
  });

  it("leaves nothing behind when it is closed", async () => {
    const { bus, watch } = standby(["foo"]);
    await servers.clock.advanceAsync(2_000);
    servers.network.topologyChanged();
    watch.close();
    watch.close();
    expect([bus.subscriptions.size, servers.clock.timerCount]).toEqual([0, 0]);
  });
});
