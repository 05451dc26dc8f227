import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareNames, createNameIndex } from "./name-index.ts";

describe("compareNames()", () => {
  it("orders as the UTF-8 bytes do, also beyond U+FFFF", () => {
    expect(["\u{1F600}", "\uFF5E", "b", "a.b", "a", "B"].sort(compareNames)).toEqual([
      "B",
      "a",
      "a.b",
      "b",
      "\uFF5E",
      "\u{1F600}",
    ]);
  });

  it("agrees with a comparison of the encoded bytes", () => {
    const name = fc.string({ unit: "grapheme" });
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe("createNameIndex()", () => {
  it("cuts pages out of the sorted names", () => {
    const index = createNameIndex();
    for (const name of ["d", "b", "a", "c"]) index.add(name);
    expect(index.page(1, 2)).toEqual(["b", "c"]);
    expect(index.page(3, 10)).toEqual(["d"]);
    expect(index.page(4, 10)).toEqual([]);
  });

  it("leaves a page that was handed out as it is when names come and go", () => {
    const index = createNameIndex();
    index.add("a");
    const page = index.page(0, 10);
    index.add("b");
    index.delete("a");
    expect(index.page(0, 10)).toEqual(["b"]);
    expect(page).toEqual(["a"]);
  });

  it("agrees with a sorted set after any sequence of additions, deletions and reads", () => {
    const step = fc.record({
      kind: fc.constantFrom("add", "delete", "read"),
      name: fc.string({ maxLength: 2, unit: fc.constantFrom("a", "b", "c") }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = createNameIndex();
        const model = new Set<string>();
        for (const { kind, name } of [...steps, { kind: "read", name: "" }]) {
          if (kind === "add") {
            expect(index.add(name)).toBe(!model.has(name));
            model.add(name);
          } else if (kind === "delete") {
            expect(index.delete(name)).toBe(model.delete(name));
          } else {
            expect(index.page(0, 1_000)).toEqual([...model].sort(compareNames));
          }
          expect(index.size).toBe(model.size);
          expect(index.has(name)).toBe(model.has(name));
        }
      }),
    );
  });
});
