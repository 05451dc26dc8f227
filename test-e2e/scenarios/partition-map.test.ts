import { expect, it } from "vitest";
import { type Network, onBothBuses } from "../harness/networks.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, runServer } from "../harness/streaming-server.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

onBothBuses("nats-streaming-server partitions", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    const foo = await network.startServer({ config: partitionConfig(["foo.>", "solo"]) });
    const bar = await network.startServer({ config: partitionConfig(["bar.*"]) });
    return { network, foo, bar };
  });
  const partitions = (stage: Stage, network: Network, ...args: string[]): ReturnType<typeof runServer> =>
    runServer(stage, ["partitions", "-ns", network.url, "--timeout", "4", ...args]);

  it("prints who owns what, as a table and as JSON", async () => {
    const stage = testStage();
    const { network, foo, bar } = await started();
    const table = await partitions(stage, network);
    expect([table.code, table.stderr]).toEqual([0, ""]);
    for (const part of ["foo.>", "solo", "bar.*", foo.serverId, bar.serverId]) expect(table.stdout).toContain(part);
    const json = await partitions(stage, network, "--json");
    expect(json.code).toBe(0);
    const map: unknown = JSON.parse(json.stdout);
    expect(map).toMatchObject({ cluster_id: "test-cluster", complete: true, conflicts: [], unowned: [] });
    expect(map).toMatchObject({
      servers: expect.arrayContaining([
        expect.objectContaining({ server_id: foo.serverId, entries: ["foo.>", "solo"] }),
        expect.objectContaining({ server_id: bar.serverId, entries: ["bar.*"] }),
      ]),
    });
  });

  it("--check says what a configuration would conflict with", async () => {
    const stage = testStage();
    const { network, foo } = await started();
    const good = await configFile(stage, partitionConfig(["baz"]));
    const fine = await partitions(stage, network, "--check", good);
    expect([fine.code, fine.stdout]).toEqual([0, expect.stringContaining("No conflict")]);
    const bad = await configFile(stage, partitionConfig(["foo.one", "baz"]));
    const conflict = await partitions(stage, network, "--check", bad);
    expect([conflict.code, conflict.stdout]).toEqual([
      1,
      expect.stringContaining(`Conflict: "foo.one" overlaps server "${foo.serverId}"`),
    ]);
    const replacing = await partitions(stage, network, "--check", bad, "--replaces", foo.serverId);
    expect(replacing.code).toBe(0);
  });

  it("--check finds stored channels that would have no owner", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const directory = await tempDir(stage);
    const server = await network.startServer({
      config: partitionConfig(["kept.>"]),
      args: ["-store", "file", "-dir", directory],
    });
    const client = await connectStan(stage, "client", { port: network.port });
    await client.publish("kept.one", "x");
    await client.close();
    const smaller = await configFile(stage, partitionConfig(["kept.two"]));
    const check = await partitions(stage, network, "--check", smaller, "--replaces", server.serverId);
    expect([check.code, check.stdout]).toEqual([1, expect.stringContaining("kept.one")]);
  });

  it("says what is wrong with its command line, its file and its network", async () => {
    const stage = testStage();
    const { network } = await started();
    const usage = await partitions(stage, network, "--jsom");
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringContaining("'--jsom'")]);
    const help = await runServer(stage, ["partitions", "-h"]);
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining("Usage: nats-streaming-server partitions")]);
    const whole = await configFile(stage, "store: memory\n");
    const unpartitioned = await partitions(stage, network, "--check", whole);
    expect([unpartitioned.code, unpartitioned.stderr]).toEqual([
      1,
      expect.stringContaining('does not say "partitioning: true"'),
    ]);
    const nowhere = await runServer(stage, ["partitions", "-ns", "nats://127.0.0.1:1"]);
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining("no servers available")]);
    const other = await partitions(stage, network, "-cid", "other-cluster");
    expect([other.code, other.stdout]).toEqual([1, expect.stringContaining("other-cluster")]);
  });
});
