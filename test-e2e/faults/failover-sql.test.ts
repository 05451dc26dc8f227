import { describe, expect, it } from "vitest";
import {
  LOST_LOCK,
  pauseUntilReplaced,
  SHARED_SQL_STORES,
  startMember,
  startPair,
  TAKEOVER_MILLIS,
} from "../harness/fault-tolerance-group.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { openExternalNetwork } from "../harness/networks.ts";
import { numberOf, numberPublisher } from "../harness/published-numbers.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { readChannel } from "../harness/read-channel.ts";
import { READY } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "../scenarios/examples.ts";

const CHANNEL = "failover";
const ROUNDS = 4;
const ANSWERS_MAX = 800;

for (const store of SHARED_SQL_STORES) {
  describe.skipIf(leaveOutNatsServer || store.isLeftOut)(`a fault tolerance group on ${store.name} under load`, () => {
    for (const config of [undefined, partitionConfig([CHANNEL])]) {
      const kind = config === undefined ? "" : ", partitioned,";
      it(`has every acknowledged message${kind} after ${ROUNDS} actives were killed or paused until they were replaced`, async () => {
        const stage = testStage();
        const network = await openExternalNetwork(stage);
        const flags = await store.open(stage);
        const more = config === undefined ? {} : { config };
        let { active, standby } = await startPair(network, flags, more);
        const client = await connectRaw(stage, { port: network.port });
        const stan = await connectRawStan(client, "publisher");
        const publisher = numberPublisher([CHANNEL]);
        void publisher.run(client, stan);
        const gaps: string[] = [];
        for (let round = 1; round <= ROUNDS; round++) {
          await publisher.answers(1 + Math.floor(Math.random() * ANSWERS_MAX));
          const start = performance.now();
          const isKill = round % 2 === 0;
          if (isKill) {
            active.child.signal("SIGKILL");
            await active.child.exit();
            await standby.child.line(READY, TAKEOVER_MILLIS);
          } else {
            await pauseUntilReplaced(active, standby);
          }
          gaps.push(`${isKill ? "killed" : "paused"} ${((performance.now() - start) / 1000).toFixed(1)} s`);
          // What was under way is lost without an answer: a publisher asks again.
          publisher.again();
          await publisher.answers(1);
          if (!isKill) {
            // It finds the same new messages, beside those that it had not read.
            active.child.signal("SIGCONT");
            const end = await active.child.exit();
            expect([end.code, end.stderr]).toEqual([2, expect.stringContaining(LOST_LOCK)]);
          }
          active = standby;
          standby = await startMember(network, flags, more);
        }
        await publisher.answers(ANSWERS_MAX);
        publisher.stop();
        await client.flush();
        process.stdout.write(`${store.name}: until the other one served: ${gaps.join(", ")}\n`);

        const reader = await connectRawStan(await connectRaw(stage, { port: network.port }), "reader");
        const { lastSequence } = await active.monitor.channel(CHANNEL);
        const messages = await readChannel(reader, CHANNEL, 1, lastSequence);
        expect(messages.map(({ sequence }) => sequence)).toEqual(messages.map((_, index) => index + 1));
        const numbers = messages.map(({ data }) => numberOf(data));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        const stored = new Set(numbers);
        expect(stored.size).toBe(numbers.length);
        const acknowledged = publisher.acknowledged.get(CHANNEL) ?? [];
        expect(acknowledged.length).toBeGreaterThan(ROUNDS);
        // By one server only: none was acknowledged by the one that woke as well.
        expect(new Set(acknowledged).size).toBe(acknowledged.length);
        expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
      }, 300_000);
    }
  });
}
