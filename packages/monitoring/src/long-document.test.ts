import { describe, expect, it } from "vitest";
import { printLongDocument } from "./long-document.ts";

const pauseCounter = (): { pauses: number; pause: () => Promise<void> } => {
  const counter = {
    pauses: 0,
    pause: async (): Promise<void> => {
      counter.pauses++;
    },
  };
  return counter;
};

const print = async (elements: Iterable<string | undefined>, expected: number) => {
  const counter = pauseCounter();
  const pieces: string[] = [];
  const document = { head: (count: number) => `${count}[`, elements, expected, tail: () => "]" };
  for await (const piece of printLongDocument(document, counter.pause)) pieces.push(piece);
  return { pieces, pauses: counter.pauses };
};

describe("printLongDocument()", () => {
  it("prints a short document in one piece and one turn", async () => {
    expect(await print(["a", "b"], 2)).toEqual({ pieces: ["2[a,b]"], pauses: 0 });
    expect(await print([], 0)).toEqual({ pieces: ["0[]"], pauses: 0 });
  });

  it("counts only what is still there when a page stays small", async () => {
    expect((await print([undefined, "b", undefined], 3)).pieces).toEqual(["1[b]"]);
  });

  it("gives other work a turn after every 65,536 characters", async () => {
    const element = "x".repeat(1_024);
    const { pieces, pauses } = await print(Array(1_024).fill(element), 1_024);
    expect(pauses).toBe(16);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toBe(`1024[${Array(1_024).fill(element).join(",")}]`);
  });

  it("hands out pieces beyond 4 MiB instead of gathering them", async () => {
    const element = "x".repeat(65_536);
    const { pieces } = await print(Array(100).fill(element), 100);
    expect(pieces.length).toBe(1 + 36 + 1);
    expect(pieces.join("")).toBe(`100[${Array(100).fill(element).join(",")}]`);
    expect(Math.max(...pieces.slice(1).map((piece) => piece.length))).toBeLessThanOrEqual(65_537);
  });

  it("fails before the first piece when an element within the first 4 MiB cannot be read", async () => {
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
    const printed = printLongDocument(document, async () => {});
    await printed.next();
    await printed.return();
    expect(read).toBe(64);
  });
});
