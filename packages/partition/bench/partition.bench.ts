import { matches, overlaps } from "@nats-streaming/subject";
import { channelScope } from "../src/channel-scope.ts";
import { createConflictSearch } from "../src/conflict-search.ts";

/*
 * What a publish pays for being partitioned (firstMatch), and what a received list costs. Beside each the plain loop that
 * it replaces, in the same run. `tsx packages/partition/bench/partition.bench.ts`
 */

function millisPer(times: number, work: (i: number) => unknown): number {
  let kept: unknown;
  for (let i = 0; i < Math.min(times, 1_000); i++) kept = work(i);
  const start = performance.now();
  for (let i = 0; i < times; i++) kept = work(i);
  const millis = (performance.now() - start) / times;
  if (kept === "never") console.log(kept);
  return millis;
}

function report(what: string, ours: number, plain: number): void {
  const perSecond = (millis: number): string => `${Math.round(1_000 / millis).toLocaleString("en")}/s`.padStart(14);
  console.log(`${what.padEnd(58)} ${perSecond(ours)}   plain ${perSecond(plain)}   ${(plain / ours).toFixed(1)} x`);
}

for (const size of [10, 1_000, 100_000]) {
  const literals = Array.from({ length: size }, (_, i) => `channel.${i}`);
  const patterns = literals.map((name) => `${name}.*`);
  const channels = Array.from({ length: 10_000 }, (_, i) => `channel.${(i * 7_919) % size}`);
  for (const [kind, entries, suffix] of [
    ["literal entries", literals, ""],
    ["wildcard entries", patterns, ".x"],
  ] as const) {
    const outcome = channelScope(entries);
    if (outcome.kind !== "scope") throw new Error(outcome.message);
    const names = channels.map((name) => name + suffix);
    const ours = millisPer(200_000, (i) => outcome.scope.firstMatch(names[i % names.length]!));
    const plain = millisPer(Math.max(20, 2_000_000 / size), (i) => {
      const name = names[i % names.length]!;
      return entries.findIndex((entry) => matches(entry, name));
    });
    report(`firstMatch in ${size.toLocaleString("en")} ${kind}`, ours, plain);
  }
}

for (const size of [100, 10_000]) {
  const list = (from: number): string[] =>
    Array.from({ length: size }, (_, i) => (i % 10 === 0 ? `ch.${from + i}.*` : `ch.${from + i}.x`));
  const own = list(0);
  const incoming = list(size);
  const search = createConflictSearch(own);
  const ours = millisPer(size === 100 ? 2_000 : 20, () => search.find(incoming));
  const plain = millisPer(1, () => incoming.some((name) => own.some((entry) => overlaps(entry, name))));
  report(`a list of ${size.toLocaleString("en")} against ${size.toLocaleString("en")} own entries`, ours, plain);
}
