import { seededRandom } from "@nats-streaming/kernel/testing";
import { createSimulatedNetwork } from "../simulation/simulated-network.ts";

/*
 * Messages and time against the number of servers, counted in the simulation; the figures of docs/partition-scaling.md.
 * `tsx packages/partition/bench/scaling.bench.ts`
 */

interface Counted {
  readonly servers: number;
  readonly what: string;
  readonly messages: number;
  readonly millis: number;
}

const DELAY_MILLIS = 20;

/** Servers that start one after the other, and one network that splits into two and heals; a pair of them overlaps then. */
function count(servers: number): readonly Counted[] {
  const network = createSimulatedNetwork(seededRandom(servers), { delayMillis: DELAY_MILLIS });
  const counted: Counted[] = [];
  const phase = (what: string, until: number, ends: () => number): void => {
    const { now } = network.queue;
    const before = network.delivered;
    network.queue.runUntil(until);
    counted.push({ servers, what, messages: network.delivered - before, millis: Math.round(ends() - now) });
  };
  for (let i = 0; i < servers - 2; i++) network.launch(0, [`channel.${i}`, `group.${i}.>`]);
  network.queue.runUntil(10_000);

  const newcomer = network.launch(10_000, ["newcomer"]);
  phase("one more starts", 20_000, () => newcomer.admittedAt);
  const refused = network.launch(20_000, ["channel.0"]);
  phase("one more starts and is refused", 30_000, () => refused.endedAt);
  network.split(30_000, ({ place }) => (place === 0 ? 1 : 0));
  network.queue.runUntil(40_000);
  const rival = network.launch(40_000, ["channel.0"]);
  network.queue.runUntil(50_000);
  network.heal(50_000);
  phase("the network heals, two overlap", 65_000, () => rival.endedAt);
  return counted;
}

console.log(`messages delivered, and time, with ${DELAY_MILLIS} ms at most for a message`);
for (const servers of [3, 10, 30, 100, 300, 500]) {
  for (const { what, messages, millis } of count(servers)) {
    const total = messages.toLocaleString("en").padStart(12);
    console.log(
      `${String(servers).padStart(4)} servers  ${what.padEnd(34)} ${total} messages ${String(millis).padStart(7)} ms`,
    );
  }
}
