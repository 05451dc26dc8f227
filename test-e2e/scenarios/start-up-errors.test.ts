import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectStan } from "../harness/stan.ts";
import { configFile, readLog, runServer } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

interface Refusal {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly path: string;
}

async function runWith(config: string, args: readonly string[] = []): Promise<Refusal> {
  const stage = testStage();
  const port = String(await freePort());
  const path = await configFile(stage, config);
  const end = await runServer(stage, ["-sc", path, "-a", "127.0.0.1", "-p", port, ...args]);
  return { code: end.code, out: end.stdout, err: end.stderr, path };
}

describe("partitioning with clustering", () => {
  it.each([
    [
      "in the file",
      'streaming { partitioning: true, cluster { node_id: "a" }, store_limits { channels { foo: {} } } }',
      [],
    ],
    ["with the flag -clustered", partitionConfig(["foo"]), ["-clustered"]],
  ])(
    "PART error 3: %s is refused with one bare line on standard output and exit code 1",
    async (_title, config, args) => {
      expect(await runWith(config, args)).toMatchObject({
        code: 1,
        out: "stan: channels partitioning in clustering mode is not supported\n",
        err: "",
      });
    },
  );

  it("PART error 3: is refused before anything is written to a log file", async () => {
    const stage = testStage();
    const config = await configFile(
      stage,
      'streaming { partitioning: true, cluster { node_id: "a" }, store_limits { channels { foo: {} } } }',
    );
    const log = await configFile(stage, "", "server.log");
    const end = await runServer(stage, ["-sc", config, "-p", String(await freePort()), "-l", log]);
    expect({ code: end.code, stdout: end.stdout, stderr: end.stderr }).toEqual({
      code: 1,
      stdout: "stan: channels partitioning in clustering mode is not supported\n",
      stderr: "",
    });
    expect(await readFile(log, "utf8")).toBe("");
  });
});

/** The original's bare line comes first; below it, where in the file and what to do about it. */
async function expectRefused(config: string, text: string): Promise<void> {
  const { code, out, err, path } = await runWith(config);
  const [first, place, ...remedy] = err.trimEnd().split("\n");
  expect({ code, out, first }).toEqual({ code: 1, out: "", first: text });
  expect(place).toMatch(/^at .*:\d+:\d+$/);
  expect(place?.startsWith(`at ${path}:`)).toBe(true);
  expect(remedy.length).toBeGreaterThan(0);
}

describe("a configuration file that cannot be", () => {
  it("PART error 1: partitioning that is no boolean is refused on standard error, with place and remedy", async () => {
    await expectRefused("partitioning: 5\n", 'parameter "partitioning" value is expected to be bool, got int64');
  });

  it.each([".", ".foo", "foo.", "foo*", "foo.*.", "foo.>.bar", "foo/bar", "foo..bar", "foo.*bar", "foo.>.>", ""])(
    "PART-02, error 2: the channel name '%s' is refused on standard error, with place and remedy",
    async (name) => {
      await expectRefused(partitionConfig([name]), `invalid channel name "${name}"`);
    },
  );

  it("PART-D13, error 9: a channel name with a space is refused like any other invalid name", async () => {
    await expectRefused(partitionConfig(["foo bar"]), 'invalid channel name "foo bar"');
  });

  it.each([
    ["store_limits: 5\n", "expected store limits to be a map/struct, got 5"],
    ["store_limits: { channels: [foo] }\n", "expected per channel limits to be a map/struct, got [foo]"],
    ["store_limits: { channels: { foo: 1 } }\n", "expected channel limits to be a map/struct, got 1"],
  ])("CONF-06: the file %j is refused", async (config, text) => {
    await expectRefused(config, text);
  });
});

onBothBuses("a list that a server cannot start with", (openNetwork) => {
  const lastLine = async (config: string): Promise<unknown> => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const end = await network.runServer({ config });
    return { code: end.code, stdout: end.stdout, last: readLog(end.stderr.trimEnd().split("\n")).at(-1) };
  };
  const failed = (text: string): unknown => ({
    code: 1,
    stdout: "",
    last: { pid: expect.any(Number), level: "FTL", text: `STREAM: Failed to start: ${text}` },
  });

  it.each([
    ["without a channels section", "partitioning: true\n"],
    ["with an empty channels section", "partitioning: true\nstore_limits: { channels: {} }\n"],
  ])("PART-01, error 6: partitioning %s is refused", async (_title, config) => {
    expect(await lastLine(config)).toEqual(failed("stan: no configured channel"));
  });

  it("PART error 5: more literal names than max_channels are refused", async () => {
    const names = Array.from({ length: 101 }, (_, index) => `channel.${index}`);
    expect(await lastLine(partitionConfig(names))).toEqual(
      failed("too many channels defined (101). The max channels limit is set to 100"),
    );
  });

  it("PART 12: wildcard entries do not count against max_channels", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ config: partitionConfig(["foo", "one.*", "two.*", "three.>"], "max_channels: 1") });
  });
});

onBothBuses("a streaming server that finds its place taken", (openNetwork) => {
  it("PROTO 15.1.2: a second server without partitioning and with the same cluster ID is refused", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer();
    const end = await network.runServer();
    expect(end.code).toBe(1);
    expect(readLog(end.stderr.trimEnd().split("\n")).at(-1)).toMatchObject({
      level: "FTL",
      text: 'STREAM: Failed to start: discovered another streaming server with cluster ID "test-cluster"',
    });
  });

  it("PROTO 15.1.2: servers with different cluster IDs do not see each other", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    await network.startServer({ args: ["-cid", "one"] });
    await network.startServer({ args: ["-cid", "two"] });
    const one = await connectStan(stage, "client", { port: network.port, cluster: "one" });
    const two = await connectStan(stage, "client", { port: network.port, cluster: "two" });
    await one.publish("foo", "in one");
    await two.publish("foo", "in two");
    const inOne = await one.subscribe("foo");
    expect((await inOne.messages.take()).text).toBe("in one");
    await one.close();
    await two.close();
  });
});

describe("a network that is not there", () => {
  it("OPER 4: an embedded broker whose port is taken says so and exits 1", async () => {
    const stage = testStage();
    const port = await freePort();
    const taker = createServer().listen(port, "127.0.0.1");
    stage.defer(() => {
      taker.close();
    });
    await once(taker, "listening");
    const end = await runServer(stage, ["-a", "127.0.0.1", "-p", String(port)]);
    expect(end.code).toBe(1);
    expect(readLog(end.stderr.trimEnd().split("\n")).at(-1)).toMatchObject({
      level: "FTL",
      text: `Error listening on port: 127.0.0.1:${port}, "listen tcp 127.0.0.1:${port}: bind: address already in use"`,
    });
  });

  it("OPER 4: a NATS server that cannot be reached says so and exits 1", async () => {
    const stage = testStage();
    const end = await runServer(stage, ["-ns", `nats://127.0.0.1:${await freePort()}`]);
    expect(end.code).toBe(1);
    const last = readLog(end.stderr.trimEnd().split("\n")).at(-1);
    expect(last?.level).toBe("FTL");
    expect(last?.text).toMatch(/^STREAM: Failed to start: nats: no servers available for connection/);
  });
});
