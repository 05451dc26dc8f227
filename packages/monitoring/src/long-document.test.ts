import type { Clock } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { type LongElement, printLongDocument } from "./long-document.ts";
import { createTurns, TURN_UNITS_MAX } from "./turns.ts";

/** A clock that stands still, and whose turns are counted. */
function countingClock(): { readonly clock: Clock; turns: number } {
  const counting = {
    turns: 0,
    clock: {
      read: () => {},
      monotonicMillis: () => 0,
      setTimer: () => ({ cancel: () => {} }),
      defer: (callback: () => void): void => {
        counting.turns++;
        queueMicrotask(callback);
      },
    },
  };
  return counting;
}

const print = async (elements: Iterable<LongElement>, expected: number, tail: string | string[] = "]") => {
  const counting = countingClock();
  const pieces: string[] = [];
  const document = { head: (count: number) => `${count}[`, elements, expected, tail: () => tail };
  for await (const piece of printLongDocument(document, createTurns(counting.clock))) pieces.push(piece);
  return { pieces, turns: counting.turns };
};

describe("printLongDocument()", () => {
  it("prints a short document in one piece and one turn", async () => {
    expect(await print(["a", "b"], 2)).toEqual({ pieces: ["2[a,b]"], turns: 0 });
    expect(await print([], 0)).toEqual({ pieces: ["0[]"], turns: 0 });
  });

  it("counts only what is still there when a page stays small", async () => {
    expect((await print([undefined, "b", undefined], 3)).pieces).toEqual(["1[b]"]);
  });

  it("prints the parts of a long element as one, and counts it once", async () => {
    expect((await print(["a", { more: "b" }, undefined, { more: "c" }, "d"], 2)).pieces).toEqual(["2[abc,d]"]);
  });

  it("prints a tail of several parts after everything else", async () => {
    expect((await print(["a"], 1, ["]", "{", "}"])).pieces.join("")).toBe("1[a]{}");
    const { pieces, turns } = await print([], 0, Array(1_000).fill("x".repeat(1_024)));
    expect(pieces.join("")).toBe(`0[${"x".repeat(1_024_000)}`);
    expect(turns).toBeGreaterThanOrEqual(8);
  });

  it("reads no more elements in one turn than its bound, though the clock stands still", async () => {
    const counting = countingClock();
    let read = 0;
    const perTurn: number[] = [];
    const clock: Clock = {
      ...counting.clock,
      defer(callback): void {
        perTurn.push(read);
        read = 0;
        counting.clock.defer(callback);
      },
    };
    function* elements(): Iterable<string> {
      for (let i = 0; i < 100_000; i++) {
        read++;
        yield "x".repeat(i % 600);
      }
    }
    const document = { head: () => "", elements: elements(), expected: 100_000, tail: () => "" };
    for await (const _ of printLongDocument(document, createTurns(clock)));
    expect(Math.max(...perTurn, read)).toBeLessThanOrEqual(TURN_UNITS_MAX);
    expect(perTurn.length).toBeGreaterThan(100_000 / TURN_UNITS_MAX);
  });

  it("hands out pieces of about 32,768 characters, beyond 1 MiB without gathering them", async () => {
    const element = "x".repeat(16_384);
    for (const count of [40, 400]) {
      const { pieces } = await print(Array(count).fill(element), count);
      expect(pieces.join("")).toBe(`${count}[${Array(count).fill(element).join(",")}]`);
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(32_770);
    }
  });

  it("tells the exact count of a document below 1 MiB, the expected one beyond", async () => {
    const element = "x".repeat(65_536);
    expect((await print([undefined, ...Array<string>(15).fill(element)], 16)).pieces[0]).toBe("15[");
    expect((await print([undefined, ...Array<string>(17).fill(element)], 18)).pieces[0]).toBe("18[");
  });

  it("fails before the first piece when an element within the first 1 MiB cannot be read", async () => {
    function* failing(): Iterable<string> {
      yield "a".repeat(100_000);
      throw new Error("store is gone");
    }
    await expect(print(failing(), 2)).rejects.toThrow("store is gone");
  });

  it("reads no further element once the reader has left", async () => {
    let read = 0;
    function* endless(): Iterable<string> {
      for (;;) {
        read++;
        yield "x".repeat(65_536);
      }
    }
    const document = { head: () => "", elements: endless(), expected: 0, tail: () => "" };
    const printed = printLongDocument(document, createTurns(countingClock().clock));
    await printed.next();
    await printed.return();
    expect(read).toBe(16);
  });
});
