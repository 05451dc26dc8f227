/*
 * The table of subject-matching section 8: this tree beside a naive tree of Maps and the npm package `qlobber`, in one run.
 *
 *   tsx bench/tree.bench.ts [entries …]     default 100000 1000000; a million takes some 3 GB of memory
 */
import { createSubjectTree } from "../src/index.ts";
import { formatRate, memoryBytes, printTable, rate } from "./measure.ts";
import { NaiveTree, naiveMatches } from "./naive.ts";
import { loadQlobber } from "./qlobber.ts";
import { createWorkload, type Workload } from "./workload.ts";

interface Subject {
  insert(pattern: string, value: object): void;
  remove(pattern: string, value: object): void;
  match(subject: string): number;
  hasInterest(subject: string): boolean;
}

interface Figures {
  readonly cached: number;
  readonly uncached: number;
  readonly interest: number;
  readonly insert: number;
  readonly remove: number;
  readonly bytes: number;
}

const HOT_ROUNDS = 2_000;

function measure(subject: Subject, work: Workload, hasCache: boolean): Figures {
  const { patterns, distinct, hot } = work;
  const values = patterns.map((_, id) => ({ id }));
  const before = memoryBytes();
  const insert = rate(patterns.length, () => {
    for (let i = 0; i < patterns.length; i++) subject.insert(patterns[i]!, values[i]!);
  });
  const bytes = (memoryBytes() - before) / patterns.length;
  let found = 0;
  const uncached = rate(distinct.length, () => {
    for (const literal of distinct) found += subject.match(literal);
  });
  const interest = rate(distinct.length, () => {
    for (const literal of distinct) found += subject.hasInterest(literal) ? 1 : 0;
  });
  const hotRounds = hasCache ? HOT_ROUNDS : 200;
  const cached = rate(hot.length * hotRounds, () => {
    for (let round = 0; round < hotRounds; round++) for (const literal of hot) found += subject.match(literal);
  });
  // Removal with the cache full of results.
  for (let i = 0; i < 1_024; i++) found += subject.match(distinct[i]!);
  const remove = rate(patterns.length, () => {
    for (let i = 0; i < patterns.length; i++) subject.remove(patterns[i]!, values[i]!);
  });
  if (found < 0) throw new Error("unreachable: keeps the results in use");
  return { cached, uncached, interest, insert, remove, bytes };
}

/** Once on a small tree, so that the compiler is done, then on the real one. */
function measureWarm(create: () => Subject, work: Workload, hasCache: boolean): Figures {
  measure(create(), WARM_UP, hasCache);
  return measure(create(), work, hasCache);
}

const WARM_UP = createWorkload(20_000, 20_000, 0);

function ours(cacheSize: number): Subject {
  const tree = createSubjectTree<object>({ cacheSize });
  return {
    insert: (pattern, value) => void tree.insert(pattern, value),
    remove: (pattern, value) => void tree.remove(pattern, value),
    match: (subject) => tree.match(subject).length,
    hasInterest: (subject) => tree.hasInterest(subject),
  };
}

function naive(): Subject {
  const tree = new NaiveTree<object>();
  return {
    insert: (pattern, value) => tree.insert(pattern, value),
    remove: (pattern, value) => void tree.remove(pattern, value),
    match: (subject) => tree.match(subject).length,
    hasInterest: (subject) => tree.match(subject).length > 0,
  };
}

const createQlobber = await loadQlobber();

function qlobber(create: NonNullable<typeof createQlobber>): Subject {
  const tree = create();
  return {
    insert: (pattern, value) => void tree.add(pattern, value),
    remove: (pattern, value) => void tree.remove(pattern, value),
    match: (subject) => tree.match(subject).length,
    hasInterest: (subject) => tree.match(subject).length > 0,
  };
}

/** A list looked through from end to end, on a few queries: it is that slow. */
function scanRate(work: Workload): number {
  const sample = work.distinct.slice(0, Math.max(2, Math.ceil(1_000_000 / work.patterns.length)));
  let found = 0;
  const perSecond = rate(sample.length, () => {
    for (const literal of sample) for (const pattern of work.patterns) if (naiveMatches(pattern, literal)) found++;
  });
  if (found < 0) throw new Error("unreachable: keeps the results in use");
  return perSecond;
}

const TARGETS: Readonly<Record<keyof Figures, readonly [string, string]>> = {
  cached: ["10 M/s", "10 M/s"],
  uncached: ["400 k/s", "250 k/s"],
  interest: ["600 k/s", "400 k/s"],
  insert: ["200 k/s", "120 k/s"],
  remove: ["300 k/s", "200 k/s"],
  bytes: ["600 B", "600 B"],
};

const LABELS: Readonly<Record<keyof Figures, string>> = {
  cached: "match, 500 hot subjects",
  uncached: "match, distinct subjects",
  interest: "hasInterest, distinct subjects",
  insert: "insert",
  remove: "remove, cache full",
  bytes: "memory per entry",
};

const sizes = process.argv.slice(2).map(Number);
for (const entries of sizes.length > 0 ? sizes : [100_000, 1_000_000]) {
  const work = createWorkload(entries, 500_000, entries);
  const columns = [
    measureWarm(() => ours(1_024), work, true),
    measureWarm(() => ours(0), work, false),
    measureWarm(naive, work, false),
    createQlobber === undefined ? undefined : measureWarm(() => qlobber(createQlobber), work, false),
  ];
  const keys = ["cached", "uncached", "interest", "insert", "remove", "bytes"] as const;
  const rows = keys.map((key) => [
    LABELS[key],
    TARGETS[key][entries > 300_000 ? 1 : 0],
    ...columns.map((figures) => {
      if (figures === undefined) return "not installed";
      return key === "bytes" ? `${figures.bytes.toFixed(0)} B` : formatRate(figures[key]);
    }),
  ]);
  printTable(
    `${entries} entries`,
    ["", "target", "this, cache 1024", "this, no cache", "naive tree of Maps", "qlobber"],
    rows,
  );
  console.log(`\nA list looked through from end to end: match ${formatRate(scanRate(work))}`);
}
if (createQlobber === undefined) console.log("\nqlobber: not installed");
