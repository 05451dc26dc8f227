import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPendingAcks } from "./pending.ts";

describe("createPendingAcks()", () => {
  it("holds a sequence from its send to its acknowledgement", () => {
    const pending = createPendingAcks();
    pending.add(5, 100);
    expect([pending.has(5), pending.size, pending.deadlineOf(5)]).toEqual([true, 1, 100]);
    expect(pending.remove(5)).toBe(true);
    expect(pending.remove(5)).toBe(false);
    expect([pending.has(5), pending.size, pending.nextDeadline]).toEqual([false, 0, undefined]);
  });

  it("reports what is due by deadline and then by sequence", () => {
    const pending = createPendingAcks();
    pending.add(10, 300);
    pending.add(11, 200);
    pending.add(9, 200);
    pending.add(12, 400);
    expect(pending.due(300).map((message) => message.sequence)).toEqual([9, 11, 10]);
    expect(pending.nextDeadline).toBe(200);
  });

  it("forgets the former deadline of a sequence that is added again", () => {
    const pending = createPendingAcks();
    pending.add(1, 100);
    pending.add(1, 500);
    expect(pending.size).toBe(1);
    expect(pending.due(499)).toEqual([]);
    expect(pending.nextDeadline).toBe(500);
  });

  it("keeps a laggard while a million later sequences come and go", () => {
    const pending = createPendingAcks();
    pending.add(1, 100);
    for (let sequence = 2; sequence <= 1_000_000; sequence++) {
      pending.add(sequence, 100 + sequence);
      pending.remove(sequence);
    }
    expect([pending.size, pending.has(1), pending.has(999_999)]).toEqual([1, true, false]);
    expect(pending.remove(1)).toBe(true);
    expect(pending.sequences()).toEqual([]);
  });

  it("agrees with a plain map on random operations", () => {
    const operation = fc.record({
      kind: fc.constantFrom("add", "add", "remove", "due", "clear", "postpone"),
      sequence: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 400_000 })),
      deadline: fc.integer({ min: 0, max: 50 }),
      rare: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const pending = createPendingAcks();
        const model = new Map<number, number>();
        for (const { kind, sequence, deadline, rare } of operations) {
          if (kind === "add") {
            pending.add(sequence, deadline);
            model.set(sequence, deadline);
          } else if (kind === "remove") {
            expect(pending.remove(sequence)).toBe(model.delete(sequence));
          } else if (kind === "due") {
            const want = [...model]
              .filter(([, at]) => at <= deadline)
              .sort((a, b) => a[1] - b[1] || a[0] - b[0])
              .map(([seq, at]) => ({ sequence: seq, deadline: at }));
            expect(pending.due(deadline)).toEqual(want);
          } else if (kind === "clear" && rare === 0) {
            pending.clear();
            model.clear();
          } else if (kind === "postpone" && rare === 0) {
            pending.postpone(deadline);
            for (const key of model.keys()) model.set(key, deadline);
          }
          expect(pending.size).toBe(model.size);
          expect(pending.nextDeadline).toBe(model.size === 0 ? undefined : Math.min(...model.values()));
        }
        expect(pending.sequences()).toEqual([...model.keys()].sort((a, b) => a - b));
        for (const [seq, at] of model) expect(pending.deadlineOf(seq)).toBe(at);
      }),
      { numRuns: 500 },
    );
  });
});
