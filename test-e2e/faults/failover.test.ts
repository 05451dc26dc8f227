import { describe, expect, it } from "vitest";
import type { Child } from "../harness/child.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { openExternalNetwork } from "../harness/networks.ts";
import { numberOf, numberPublisher } from "../harness/published-numbers.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { tempDir } from "../harness/stage.ts";
import { testStage } from "../harness/test-stage.ts";

const KILLS = 30;
const CHANNEL = "failover";
const ANSWERS_MAX = 800;

describe.skipIf(leaveOutNatsServer)("a fault tolerance group under load", () => {
  it(`has every acknowledged message after ${KILLS} failovers, and serves again soon`, async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const directory = await tempDir(stage);
    const member = (): Promise<Child> =>
      network.launchServer({ args: ["-store", "file", "-dir", directory, "-ft_group", "load"] });
    let active = await member();
    await active.line("Streaming Server is ready");
    let standby = await member();
    await standby.line("Starting in standby mode");

    const client = await connectRaw(stage, { port: network.port });
    const stan = await connectRawStan(client, "publisher");
    const publisher = numberPublisher([CHANNEL]);
    void publisher.run(client, stan);
    const gaps: number[] = [];
    for (let kill = 1; kill <= KILLS; kill++) {
      await publisher.answers(1 + Math.floor(Math.random() * ANSWERS_MAX));
      const start = performance.now();
      active.signal("SIGKILL");
      await active.exit();
      await standby.line("Streaming Server is ready");
      gaps.push(performance.now() - start);
      // What was under way is lost without an answer: a publisher asks again.
      publisher.again();
      active = standby;
      standby = await member();
      await standby.line("Starting in standby mode");
    }
    publisher.stop();
    await client.flush();

    const sorted = gaps.toSorted((a, b) => a - b);
    const quantile = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
    process.stdout.write(
      `from the kill to serving again, ${KILLS} times: median ${quantile(0.5)} ms, 90 % ${quantile(0.9)} ms, longest ${quantile(1)} ms\n`,
    );
    const reader = await connectRawStan(await connectRaw(stage, { port: network.port }), "reader");
    const { lastSequence } = await lastOf(reader);
    const messages = await readChannel(reader, CHANNEL, 1, lastSequence);
    expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, index) => index + 1));
    const numbers = messages.map(({ data }) => numberOf(data));
    const stored = new Set(numbers);
    expect(stored.size).toBe(numbers.length);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const acknowledged = publisher.acknowledged.get(CHANNEL) ?? [];
    expect(acknowledged.length).toBeGreaterThanOrEqual(KILLS);
    expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
  }, 300_000);
});

/** Publishes one more message to learn the last sequence. */
async function lastOf(stan: Awaited<ReturnType<typeof connectRawStan>>): Promise<{ readonly lastSequence: number }> {
  const subscription = await stan.subscribe(CHANNEL, { startPosition: 1 });
  const { sequence } = await subscription.messages.take();
  await stan.unsubscribe(CHANNEL, subscription.inbox);
  return { lastSequence: sequence };
}
