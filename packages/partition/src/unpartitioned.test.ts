import { recordingLogger, seededRandom } from "@nats-streaming/kernel/testing";
import { encodePubAck } from "@nats-streaming/protocol/stan";
import { beforeEach, describe, expect, it } from "vitest";
import { CLUSTER, createServers, type Servers } from "../test-support/servers.ts";
import { type PartitionOutcome, startPartition } from "./start-partition.ts";
import { guardUnpartitioned } from "./unpartitioned-guard.ts";

let servers: Servers;
beforeEach(() => {
  servers = createServers();
});

let guards = 0;

function guard(serverId = `guard${++guards}`.padEnd(22, "x")) {
  const bus = servers.network.connect();
  const conflicts: string[] = [];
  const logger = recordingLogger();
  const { clock } = servers;
  const onConflict = (message: string): void => {
    conflicts.push(message);
    running.close();
  };
  const random = seededRandom(guards + 500);
  const running = guardUnpartitioned({ clusterId: CLUSTER, serverId, bus, clock, logger, random, onConflict });
  return { bus, conflicts, logger, running, serverId };
}

/** A partition server that may be refused. */
async function tryToStart(entries: readonly string[], millis = 4_000): Promise<PartitionOutcome | undefined> {
  let outcome: PartitionOutcome | undefined;
  void startPartition({
    clusterId: CLUSTER,
    serverId: "newcomer".padEnd(22, "x"),
    entries,
    bus: servers.network.connect(),
    clock: servers.clock,
    logger: recordingLogger(),
    random: seededRandom(3),
    onConflict: () => {},
  }).then((settled) => {
    outcome = settled;
  });
  await servers.clock.advanceAsync(millis);
  return outcome;
}

describe("a partitioned and an unpartitioned server with one cluster ID", () => {
  it("PART-D10 refuse each other when the unpartitioned one was first", async () => {
    const first = guard();
    await servers.clock.advanceAsync(5_000);
    expect(await tryToStart(["foo"])).toMatchObject({
      kind: "refused",
      reason: "conflict",
      message: `channel "foo" causes conflict with channels on server "${first.serverId}"`,
    });
    expect(first.conflicts).toEqual([]);
    expect(first.logger.lines.join()).toContain('refused server "newcomer');
  });

  it("PART-D10 refuse each other when the partitioned one was first", async () => {
    const first = await servers.start(["foo", "bar"]);
    const second = guard();
    await servers.clock.advanceAsync(5_000);
    expect(second.conflicts).toEqual([
      'discovered another streaming server with cluster ID "test-cluster", which is partitioned: ' +
        "stop it, or give this one another cluster ID",
    ]);
    expect(first.conflicts).toEqual([]);
  });

  it("PART-D10 refuse each other when they start at the same moment: one of them serves", async () => {
    const unpartitioned = guard();
    const outcome = await tryToStart(["foo"]);
    const serving = [outcome?.kind === "serving", unpartitioned.conflicts.length === 0];
    expect(serving.filter(Boolean)).toHaveLength(1);
  });

  it("PART-D10 refuse each other, the unpartitioned one being the original, which does not take part in the exchange", async () => {
    const original = servers.network.connect();
    const seen: string[] = [];
    original.subscribe(`_STAN.pub.${CLUSTER}.>`, (message) => {
      seen.push(message.subject);
      original.publish(message.reply, encodePubAck({ error: "stan: invalid publish request" }));
    });
    expect(await tryToStart(["foo.*.>", "bar"])).toEqual({
      kind: "refused",
      reason: "unpartitioned_server",
      message:
        'discovered another streaming server with cluster ID "test-cluster", which is not partitioned: ' +
        "stop it, or give this one another cluster ID",
    });
    expect(seen).toEqual([expect.stringMatching(/^_STAN\.pub\.test-cluster\.foo\.[0-9A-Za-z]{22}\.[0-9A-Za-z]{22}$/)]);
  });

  it("are told apart from somebody who only listens", async () => {
    servers.network.connect().subscribe(`_STAN.pub.${CLUSTER}.>`, () => {});
    expect((await tryToStart(["foo"]))?.kind).toBe("serving");
  });
});

describe("an unpartitioned server's guard", () => {
  it("does not mind the network changing, and leaves nothing behind", async () => {
    const { bus, conflicts, logger, running } = guard();
    await servers.clock.advanceAsync(2_000);
    servers.network.topologyChanged();
    await servers.clock.advanceAsync(2_000);
    running.close();
    running.close();
    expect([bus.subscriptions.size, servers.clock.timerCount, conflicts, logger.lines]).toEqual([0, 0, [], []]);
  });
});
