import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toJson } from "./json.ts";

describe("toJson()", () => {
  it("indents by two spaces, keeps the order of keys and leaves out what is undefined", () => {
    expect(toJson({ b: 1, a: { d: undefined, c: true }, list: ["x", 2n] })).toBe(
      '{\n  "b": 1,\n  "a": {\n    "c": true\n  },\n  "list": [\n    "x",\n    2\n  ]\n}',
    );
  });

  it("prints empty lists and objects on one line", () => {
    expect(toJson({ a: [], b: {}, c: new Map() })).toBe('{\n  "a": [],\n  "b": {},\n  "c": {}\n}');
  });

  it("prints all digits of a 64-bit integer", () => {
    expect(toJson(18_446_744_073_709_551_615n)).toBe("18446744073709551615");
    expect(toJson(Number.MAX_SAFE_INTEGER)).toBe("9007199254740991");
  });

  it("keeps the order of a map whose keys look like numbers", () => {
    expect(
      toJson(
        new Map([
          ["10", 1],
          ["9", 2],
        ]),
      ),
    ).toBe('{\n  "10": 1,\n  "9": 2\n}');
  });

  it.each([
    ["foo.>", '"foo.\\u003e"'],
    ["<&>", '"\\u003c\\u0026\\u003e"'],
    ["a\u2028b\u2029", '"a\\u2028b\\u2029"'],
    ['say "x"\\\n', '"say \\"x\\"\\\\\\n"'],
    ["\u0000", '"\\u0000"'],
    ["zürich.日本", '"zürich.日本"'],
  ])("escapes %j", (text, expected) => {
    expect(toJson(text)).toBe(expected);
  });

  it("refuses a number that is not exact, and none at all", () => {
    for (const value of [2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => toJson(value)).toThrow("not an exact number");
    }
    expect(toJson(0.5)).toBe("0.5");
  });

  it("prints what JSON.parse reads back, for any value", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.string({ unit: "binary" }),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: "binary" }), tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (any) => {
        expect(JSON.parse(toJson(any as never))).toEqual(JSON.parse(JSON.stringify(any)));
      }),
      { numRuns: 200 },
    );
  });
});
