/*
 * Single patterns, and lists against lists: subject-matching section 8, the last two rows of its targets.
 *
 *   tsx bench/overlap.bench.ts
 */
import { findOverlap, isSubset, isValidChannel, isValidSubject, matches, overlaps, overlapsOf } from "../src/index.ts";
import { formatRate, printTable, rate } from "./measure.ts";
import { naiveMatches, naiveOverlaps } from "./naive.ts";
import { seeded } from "./seeded.ts";
import { createWorkload } from "./workload.ts";

const ROUNDS = 7;

// Pairs that agree for the most part, so that they are read to the end: the costly case.
const random = seeded(1);
const alike = Array.from({ length: 1_024 }, () => {
  const tokens = ["orders", `region${Math.floor(random() * 2)}`, "created", `shop${Math.floor(random() * 2)}`];
  if (random() < 0.5) tokens[Math.floor(random() * 4)] = "*";
  return tokens.join(".");
});
const literals = alike.map((pattern) => pattern.replace("*", "any"));
const { patterns: unlike } = createWorkload(1_024, 0, 2);

function pairs(
  count: number,
  left: readonly string[],
  right: readonly string[],
  test: (a: string, b: string) => boolean,
): string {
  let hits = 0;
  const perSecond = rate(
    count,
    () => {
      for (let i = 0; i < count; i++) if (test(left[i & 1_023]!, right[(i * 7 + 1) & 1_023]!)) hits++;
    },
    ROUNDS,
  );
  if (hits < 0) throw new Error("unreachable: keeps the results in use");
  return formatRate(perSecond);
}

const COUNT = 200_000;
printTable(
  "Two texts of 4 tokens",
  ["", "target", "this", "split and compare"],
  [
    [
      "overlaps, mostly alike",
      "5 M/s",
      pairs(COUNT, alike, alike, overlaps),
      pairs(COUNT, alike, alike, naiveOverlaps),
    ],
    [
      "overlaps, mostly unlike",
      "5 M/s",
      pairs(COUNT, unlike, unlike, overlaps),
      pairs(COUNT, unlike, unlike, naiveOverlaps),
    ],
    ["matches, mostly alike", "", pairs(COUNT, alike, literals, matches), pairs(COUNT, alike, literals, naiveMatches)],
    ["isSubset, mostly alike", "", pairs(COUNT, alike, alike, isSubset), ""],
    ["isValidSubject", "", pairs(COUNT, alike, alike, (a) => isValidSubject(a)), ""],
    ["isValidChannel", "", pairs(COUNT, alike, alike, (a) => isValidChannel(a, { wildcards: true })), ""],
  ],
);

const SIZE = 10_000;
const list = (make: (i: number) => string): string[] => Array.from({ length: SIZE }, (_, i) => make(i));
const left = createWorkload(SIZE, 0, 3).patterns;
const right = createWorkload(SIZE, 0, 4).patterns;
const lists: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["random patterns", left, right],
  ["the same, made disjoint", left.map((pattern) => `in.${pattern}`), right.map((pattern) => `own.${pattern}`)],
  ["equal lists of literals", list((i) => `orders.shop${i}.created`), list((i) => `orders.shop${i}.created`)],
  ["crossing, no overlap", list((i) => `*.device${i}.*`), list((i) => `region${i}.*.status.code`)],
  ["crossing, no two alike", list((i) => `s${i}.*.u${i}`), list((i) => `*.t${i}.w${i}`)],
  ["crossing, every pair overlaps", list((i) => `region${i}.*`), list((i) => `*.device${i}`)],
];
const millis = (work: () => void): string => `${(1_000 / rate(1, work, ROUNDS)).toFixed(1)} ms`;
printTable(
  "10,000 incoming against 10,000 own patterns, the first overlap",
  ["", "target", "this", "pair by pair"],
  lists.map(([name, incoming, own]) => [
    name,
    "100 ms",
    millis(() => findOverlap(incoming, own)),
    pairByPair(incoming, own),
  ]),
);

let pairsFound = 0;
const all = millis(() => {
  pairsFound = 0;
  for (const _ of overlapsOf(left, right)) pairsFound++;
});
console.log(`\nAll ${pairsFound} overlapping pairs of the random lists: ${all}`);

/** Once, on as much of the incoming list as takes a while, and from that for all of it. */
function pairByPair(incoming: readonly string[], own: readonly string[]): string {
  const sample = 100;
  let compared = 0;
  const start = performance.now();
  for (const pattern of incoming.slice(0, sample)) {
    let hit = false;
    for (const other of own) {
      compared++;
      if (naiveOverlaps(pattern, other)) {
        hit = true;
        break;
      }
    }
    if (hit) return `${(performance.now() - start).toFixed(1)} ms (${compared} pairs)`;
  }
  return `about ${(((performance.now() - start) * incoming.length) / sample / 1_000).toFixed(0)} s`;
}
