import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Child, startChild } from "../harness/child.ts";
import { openEmbeddedNetwork } from "../harness/networks.ts";
import type { Stage } from "../harness/stage.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { THREE_CHANNELS } from "./examples.ts";

describe("the programs in examples/", () => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openEmbeddedNetwork(suite);
    await network.startServer({ config: THREE_CHANNELS });
    return network;
  });

  it("EXAMPLES: what publish.mjs stores, subscribe.mjs prints", async () => {
    const stage = testStage();
    const { url } = await started();
    const publisher = await run(stage, "publish.mjs", "--url", url, "foo", "hello", "world");
    const stored = await publisher.exit();
    expect({ code: stored.code, stdout: stored.stdout }).toEqual({ code: 0, stdout: "stored: hello\nstored: world\n" });

    const subscriber = await run(stage, "subscribe.mjs", "--url", url, "foo");
    await subscriber.outputLine("2: world");
    const end = await subscriber.stop();
    expect({ code: end.code, stdout: end.stdout }).toEqual({
      code: 0,
      stdout: "subscribed to foo\n1: hello\n2: world\n",
    });
  });

  it("EXAMPLES: a durable subscriber goes on where it stopped", async () => {
    const stage = testStage();
    const { url } = await started();
    const args = ["--url", url, "--client", "reader", "--durable", "place", "bar"];
    await (await run(stage, "publish.mjs", "--url", url, "bar", "one")).exit();
    const first = await run(stage, "subscribe.mjs", ...args);
    await first.outputLine("1: one");
    await first.stop();
    await (await run(stage, "publish.mjs", "--url", url, "bar", "two")).exit();
    const second = await run(stage, "subscribe.mjs", ...args);
    await second.outputLine("2: two");
    expect((await second.stop()).stdout).not.toContain("1: one");
  });

  it("EXAMPLES: embed.mjs runs a server inside its own process", async () => {
    const stage = testStage();
    const end = await (await run(stage, "embed.mjs")).exit();
    expect(end.code).toBe(0);
    expect(end.stdout).toMatch(/^STANDALONE at nats:\/\/127\.0\.0\.1:\d+\nSHUTDOWN\n$/);
  });

  it("EXAMPLES: both say so when no server is responsible for the channel", async () => {
    const stage = testStage();
    const { url } = await started();
    const publisher = await (await run(stage, "publish.mjs", "--url", url, "--timeout", "500", "qux", "x")).exit();
    expect({ code: publisher.code, stderr: publisher.stderr }).toEqual({
      code: 1,
      stderr: "not stored: x (stan: publish ack timeout)\n",
    });
    const subscriber = await (await run(stage, "subscribe.mjs", "--url", url, "qux")).exit();
    expect({ code: subscriber.code, stderr: subscriber.stderr }).toEqual({
      code: 1,
      stderr: "cannot subscribe to qux: stan: subscribe request timeout\n",
    });
  });
});

function run(stage: Stage, program: string, ...args: string[]): Promise<Child> {
  const path = fileURLToPath(new URL(`../../examples/${program}`, import.meta.url));
  return startChild(stage, {
    name: program,
    command: process.execPath,
    args: [path, ...args],
    missing: `${process.execPath} does not run`,
  });
}
