import { systemClock } from "@nats-streaming/kernel";
import { monitoringRoutes } from "../src/index.ts";
import { FakeSource, fakeChannel, fakeSubscription } from "../test-support/fake-source.ts";

/*
 * What a request for channels costs a server with 100,000 of them, and for how long at a stretch nothing else runs.
 * `tsx packages/monitoring/bench/listing.bench.ts`
 */

const CHANNELS = 100_000;

const source = new FakeSource();
for (let i = 0; i < CHANNELS; i++) {
  const name = `orders.${(i * 7_919) % CHANNELS}.created`;
  source.channels.set(
    name,
    fakeChannel(name, { messages: i, bytes: i * 100, first: 1, last: i }, [fakeSubscription()]),
  );
}
const route = monitoringRoutes(source, systemClock()).get("/streaming/channelsz")!;

/** Runs one request; tells its time, the longest stretch without another turn of the event loop, and its size. */
async function measure(query: string): Promise<{ millis: number; stretch: number; characters: number }> {
  let stretch = 0;
  let running = true;
  let turn = performance.now();
  const watch = (): void => {
    const now = performance.now();
    stretch = Math.max(stretch, now - turn);
    turn = now;
    if (running) setImmediate(watch);
  };
  setImmediate(watch);
  const start = performance.now();
  const { body } = await route(new URLSearchParams(query), { isTrusted: false, isLocal: true });
  let characters = 0;
  if (typeof body === "string" || body instanceof Uint8Array) characters = body.length;
  else for await (const piece of body) characters += piece.length;
  const millis = performance.now() - start;
  running = false;
  await new Promise((resolve) => setImmediate(resolve));
  return { millis, stretch, characters };
}

const cases: readonly (readonly [string, string, () => void])[] = [
  ["one page of names, first request", "", () => {}],
  ["one page of names, nothing new", "offset=50000", () => {}],
  [
    "one page of names, 100 channels are new",
    "offset=50000",
    () => {
      for (let i = 0; i < 100; i++) source.channels.set(`new.${i}`, fakeChannel(`new.${i}`));
    },
  ],
  ["one page with subscriptions", "subs=1&offset=50000", () => {}],
  ["all names", "limit=200000", () => {}],
  ["all with subscriptions", "subs=1&limit=200000", () => {}],
];
await measure("subs=1");
for (const [what, query, prepare] of cases) {
  prepare();
  const { millis, stretch, characters } = await measure(query);
  console.log(
    `${what.padEnd(42)} ${millis.toFixed(1).padStart(8)} ms   longest stretch ${stretch.toFixed(1).padStart(6)} ms   ${(characters / 1e6).toFixed(2).padStart(6)} MB`,
  );
}
