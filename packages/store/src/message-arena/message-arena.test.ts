import { seededRandom } from "@nats-streaming/kernel/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGE_SEQUENCES } from "./index-page.ts";
import { type ByteRange, createMessageArena, type MessageArena } from "./message-arena.ts";

/** Writes a message whose bytes tell its sequence and its size. */
function append(arena: MessageArena, sequence: number, size: number): void {
  const start = arena.reserve(size);
  arena.reserved.set(content(sequence, size), start);
  arena.commit(sequence);
}

function read(arena: MessageArena, sequence: number): Uint8Array | undefined {
  const out: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
  return arena.locate(sequence, out) ? out.bytes.slice(out.start, out.end) : undefined;
}

function content(sequence: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (sequence * 31 + size * 7 + i) & 0xff;
  if (size >= HEAD) new DataView(bytes.buffer).setUint32(0, size);
  return bytes;
}

/** Bytes of a message that tell its size, if it has as many. */
const HEAD = 4;

function sizeAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, HEAD).getUint32(0);
}

/** Of both kinds of arenas: their name, what makes one, the size of its smallest message. */
const KINDS: readonly [string, () => MessageArena, number][] = [
  ["of any messages", () => createMessageArena(), 0],
  ["of messages that tell their size", () => createMessageArena(sizeAt), HEAD],
];

/** Compares as one value: an assertion per byte would take most of the test's time. */
function expectContent(arena: MessageArena, sequence: number, size: number): void {
  const found = read(arena, sequence);
  const same = found !== undefined && Buffer.compare(found, content(sequence, size)) === 0;
  if (!same) throw new Error(`message ${sequence} of ${size} bytes: found ${found?.length} other bytes`);
}

/** The promise about memory, for logs without gaps. */
function memoryMax(arena: MessageArena): number {
  return 1.5 * arena.bytes + 16 * arena.count + 12 * 1024;
}

describe("message arena", () => {
  it("gives sequences 0 and nothing to find while it never had a message", () => {
    const arena = createMessageArena();
    expect([arena.firstSequence, arena.lastSequence, arena.count, arena.bytes]).toEqual([0, 0, 0, 0]);
    expect(read(arena, 0)).toBeUndefined();
    expect(read(arena, 1)).toBeUndefined();
    expect(arena.nextSequence(0)).toBe(0);
    expect(arena.removeFirst()).toBe(0);
    expect(arena.memoryBytes()).toBe(0);
  });

  it.each(KINDS)("%s finds every message with its own bytes over many slabs and pages", (_name, make, least) => {
    const arena = make();
    const size = (sequence: number) => Math.max(least, (sequence * 37) % 400);
    for (let s = 1; s <= 5000; s++) append(arena, s, size(s));
    for (let s = 1; s <= 5000; s++) expectContent(arena, s, size(s));
    expect(read(arena, 5001)).toBeUndefined();
  });

  it("keeps a message that is larger than any slab, with neighbours and gaps around it", () => {
    const arena = createMessageArena();
    const sizes = new Map([
      [7, 100],
      [8, 3_000_000],
      [11, 2_000_000],
      [12, 10],
      [13, 1_048_576],
      [15, 5],
    ]);
    for (const [sequence, size] of sizes) append(arena, sequence, size);
    for (const [sequence, size] of sizes) {
      expectContent(arena, sequence, size);
    }
    for (const missing of [6, 9, 10, 14, 16]) expect(read(arena, missing)).toBeUndefined();
  });

  it("keeps empty messages, first, last, and behind a slab that is full to the last byte", () => {
    const arena = createMessageArena();
    const sizes = [0, 0, 1_048_576, 0, 3_000_000, 0, 10, 0];
    sizes.forEach((size, i) => {
      append(arena, i + 1, size);
    });
    append(arena, 12, 0);
    sizes.forEach((size, i) => {
      expectContent(arena, i + 1, size);
    });
    expectContent(arena, 12, 0);
    arena.truncateAfter(6);
    append(arena, 7, 0);
    expectContent(arena, 7, 0);
    expect([arena.count, arena.bytes]).toEqual([7, 4_048_576]);
  });

  it("keeps first at last + 1 when the last message is removed, and goes on from there", () => {
    const arena = createMessageArena();
    append(arena, 5, 10);
    append(arena, 6, 20);
    expect(arena.removeFirst()).toBe(10);
    expect(arena.removeFirst()).toBe(20);
    expect([arena.firstSequence, arena.lastSequence, arena.count, arena.bytes]).toEqual([7, 6, 0, 0]);
    append(arena, 7, 30);
    expect([arena.firstSequence, arena.lastSequence, arena.count, arena.bytes]).toEqual([7, 7, 1, 30]);
  });

  it("walks over gaps inside a page, over pages, and over a billion sequences", () => {
    const arena = createMessageArena();
    const present = [3, 4, 900, PAGE_SEQUENCES, 5 * PAGE_SEQUENCES + 17, 1_000_000_007, 2 ** 40, 2 ** 40 + 1];
    for (const s of present) append(arena, s, 16);
    const seen: number[] = [];
    for (let s = arena.nextSequence(0); s !== 0; s = arena.nextSequence(s + 1)) seen.push(s);
    expect(seen).toEqual(present);
    for (const s of present) expectContent(arena, s, 16);
    for (const s of present) {
      expect(arena.firstSequence).toBe(s);
      arena.removeFirst();
    }
    expect(arena.firstSequence).toBe(2 ** 40 + 2);
  });

  it("takes back to the sequence before a refused batch, and accepts the same sequences again", () => {
    const arena = createMessageArena();
    for (let s = 1; s <= 3000; s++) append(arena, s, 50 + (s % 9));
    const { count, bytes } = arena;
    for (let s = 3001; s <= 6000; s++) append(arena, s, 700);
    arena.truncateAfter(3000);
    expect([arena.firstSequence, arena.lastSequence, arena.count, arena.bytes]).toEqual([1, 3000, count, bytes]);
    expect(read(arena, 3001)).toBeUndefined();
    for (let s = 3001; s <= 3100; s++) append(arena, s, 20);
    for (let s = 1; s <= 3000; s++) expectContent(arena, s, 50 + (s % 9));
    for (let s = 3001; s <= 3100; s++) expectContent(arena, s, 20);
  });

  it("is as if it never had a message when the first batch is taken back", () => {
    const arena = createMessageArena();
    append(arena, 20, 10);
    arena.truncateAfter(0);
    expect([arena.firstSequence, arena.lastSequence, arena.count, arena.bytes]).toEqual([0, 0, 0, 0]);
    append(arena, 1, 10);
    expect(arena.firstSequence).toBe(1);
  });

  it("keeps the last sequence when a batch is taken back from a log whose messages are all gone", () => {
    const arena = createMessageArena();
    for (let s = 1; s <= 4; s++) append(arena, s, 10);
    for (let s = 1; s <= 4; s++) arena.removeFirst();
    append(arena, 5, 10);
    arena.truncateAfter(4);
    expect([arena.firstSequence, arena.lastSequence, arena.count]).toEqual([5, 4, 0]);
  });

  it("leaves bytes that were handed out as they are when their message is removed and others come", () => {
    const arena = createMessageArena();
    for (let s = 1; s <= 50; s++) append(arena, s, 100);
    const out: ByteRange = { bytes: new Uint8Array(0), start: 0, end: 0 };
    arena.locate(20, out);
    for (let s = 51; s <= 5000; s++) {
      append(arena, s, 100);
      arena.removeFirst();
    }
    expect(out.bytes.slice(out.start, out.end)).toEqual(content(20, 100));
  });

  it("forgets a reservation that is not committed", () => {
    const arena = createMessageArena();
    append(arena, 1, 10);
    arena.reserve(100_000);
    append(arena, 2, 30);
    expectContent(arena, 1, 10);
    expectContent(arena, 2, 30);
    expect(arena.bytes).toBe(40);
  });

  it("refuses a sequence that is not above the last", () => {
    const arena = createMessageArena();
    append(arena, 2, 10);
    expect(() => append(arena, 2, 10)).toThrow("sequence 2 is not above 2");
  });

  it("holds 1,000,000 messages of 160 bytes in less than 166 bytes each", () => {
    const arena = createMessageArena();
    for (let s = 1; s <= 1_000_000; s++) {
      arena.reserve(160);
      arena.commit(s);
    }
    expect(arena.memoryBytes() / arena.count).toBeLessThan(166);
  });

  it.each([
    ["of one size", 128, 128],
    ["of very different sizes", 1, 3000],
    ["of about a slab", 200_000, 700_000],
  ])("stays within 1.5 times the stored bytes while it grows, slides and shrinks with messages %s", (_, low, high) => {
    const random = seededRandom(low);
    const arena = createMessageArena();
    const bytesMax = Math.max(400_000, high * 12);
    let sequence = 0;
    const push = () => {
      arena.reserve(low + Math.floor(random.next() * (high - low)));
      arena.commit(++sequence);
    };
    const check = () => expect(arena.memoryBytes()).toBeLessThanOrEqual(memoryMax(arena));
    while (arena.bytes < bytesMax) {
      push();
      check();
    }
    for (let i = 0; i < 2000; i++) {
      push();
      while (arena.bytes > bytesMax) arena.removeFirst();
      check();
    }
    while (arena.count > 0) {
      arena.removeFirst();
      check();
    }
    expect(arena.memoryBytes()).toBe(0);
  });

  it.each(KINDS)("%s agrees with a plain map of messages after any sequence of operations", (_name, make, least) => {
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant("append"), n: fc.nat(700), size: fc.nat(900) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("gap"), n: fc.nat(3000), size: fc.nat(900) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("big"), n: fc.nat(3), size: fc.constant(524_288) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("gap"), n: fc.nat(3), size: fc.constant(0) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("remove"), n: fc.nat(900), size: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("truncate"), n: fc.nat(1500), size: fc.constant(0) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("look"), n: fc.nat(1500), size: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear"), n: fc.constant(0), size: fc.constant(0) }) },
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
        const arena = make();
        const model = new Map<number, number>();
        let first = 0;
        let last = 0;
        const put = (sequence: number, size: number) => {
          const held = Math.max(least, size);
          append(arena, sequence, held);
          if (model.size === 0) first = sequence;
          model.set(sequence, held);
          last = sequence;
        };
        for (const { kind, n, size } of operations) {
          if (kind === "append") for (let i = 0; i < n; i++) put(last + 1, (size + i) % 900);
          if (kind === "gap") put(last + 1 + n, size);
          if (kind === "big") put(last + 1 + n, size * (n + 1));
          if (kind === "clear") {
            arena.clear();
            model.clear();
            first = 0;
            last = 0;
          }
          if (kind === "look") {
            const size = model.get(last - n);
            if (size === undefined) expect(read(arena, last - n)).toBeUndefined();
            else expectContent(arena, last - n, size);
          }
          if (kind === "remove") {
            for (let i = 0; i < n && model.size > 0; i++) {
              const [sequence, expected] = model.entries().next().value ?? [0, 0];
              expect(arena.removeFirst()).toBe(expected);
              model.delete(sequence);
              first = model.keys().next().value ?? last + 1;
            }
          }
          if (kind === "truncate" && last > 0) {
            last = Math.max(0, last - n);
            arena.truncateAfter(last);
            for (const sequence of [...model.keys()]) if (sequence > last) model.delete(sequence);
            if (model.size === 0) first = last === 0 ? 0 : last + 1;
          }
          expect(arena.firstSequence).toBe(first);
          expect(arena.lastSequence).toBe(last);
          expect(arena.count).toBe(model.size);
          expect(arena.bytes).toBe([...model.values()].reduce((sum, one) => sum + one, 0));
        }
        const seen: number[] = [];
        for (let s = arena.nextSequence(0); s !== 0; s = arena.nextSequence(s + 1)) seen.push(s);
        expect(seen).toEqual([...model.keys()]);
        for (const [sequence, size] of model) {
          expectContent(arena, sequence, size);
          if (!model.has(sequence + 1)) expect(read(arena, sequence + 1)).toBeUndefined();
          if (!model.has(sequence - 1)) expect(read(arena, sequence - 1)).toBeUndefined();
        }
      }),
      { numRuns: 120 },
    );
  });
});
