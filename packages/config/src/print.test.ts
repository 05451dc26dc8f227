import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "./parse.ts";
import { type PlainValue, toPlain } from "./plain.ts";
import { printConfig, printValue } from "./print.ts";
import type { ConfigEntry, ConfigMap, ConfigPosition, ConfigValue } from "./value.ts";

const position: ConfigPosition = { file: "", line: 1, column: 1, source: { file: "", text: "", hidden: false } };

function map(entries: readonly (readonly [string, ConfigValue])[]): ConfigMap {
  const mapped = entries.map(([key, value]): [string, ConfigEntry] => [
    key,
    { key, position, value, usedAsVariable: false },
  ]);
  return { kind: "map", entries: new Map(mapped), position };
}

function string(value: string): ConfigValue {
  return { kind: "string", value, quoted: true, position };
}

function parsed(text: string): PlainValue {
  const outcome = parseConfig(text);
  if (outcome.kind === "failed") throw outcome.error;
  return toPlain(outcome.root);
}

describe("printConfig()", () => {
  it("writes one pair per line, nested by two blanks", () => {
    const outcome = parseConfig("a=1k,b {foo.>{:1, \"x y\": [true, 's' ], e: {}, f: []}\nd 2020-01-02T03:04:05Z");
    if (outcome.kind === "failed") throw outcome.error;
    expect(printConfig(outcome.root)).toBe(
      'a: 1000\nb: {\n  "foo.>{": 1\n  "x y": [\n    true\n    "s"\n  ]\n  e: {}\n  f: []\n}\nd: 2020-01-02T03:04:05Z\n',
    );
  });

  it.each<[value: number, text: string]>([
    [1, "1.0"],
    [-0, "-0.0"],
    [0.1, "0.1"],
    [-12.5, "-12.5"],
    [1e21, "1000000000000000000000.0"],
    [1.5e-7, "0.00000015"],
    [123456.75, "123456.75"],
  ])("writes the float %d without an exponent", (value, text) => {
    expect(printValue({ kind: "float", value, position })).toBe(text);
  });

  it("chooses the quotes of a key by what it holds", () => {
    expect(printConfig(map([['a"b', string("")]]))).toBe('\'a"b\': ""\n');
    expect(printConfig(map([["include", string("")]]))).toBe('"include": ""\n');
    expect(printConfig(map([["it's\"x", string("")]]))).toBe('it\'s"x: ""\n');
  });

  it("refuses what the language cannot say", () => {
    expect(() => printConfig(map([["both ' and \"", string("")]]))).toThrow(/cannot be written in any kind of quotes/);
    expect(() => printValue({ kind: "float", value: Number.NaN, position })).toThrow(/the float NaN cannot be written/);
  });

  const keys = fc
    .oneof(fc.string({ unit: "binary" }), fc.string(), fc.constantFrom("include", "}", "foo.>", "", "__proto__"))
    .filter((key) => !key.includes("\0") && !(key.includes('"') && key.includes("'")));
  const values = fc.letrec<{ value: ConfigValue; map: ConfigMap }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "binary" }).map(string),
      fc.string().map(string),
      fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((value): ConfigValue => ({ kind: "integer", value, text: "", position })),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value): ConfigValue => ({ kind: "float", value, position })),
      fc.boolean().map((value): ConfigValue => ({ kind: "boolean", value, position })),
      fc
        .integer({ min: Date.UTC(1, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 })
        .map((seconds): ConfigValue => ({ kind: "date", epochMillis: seconds * 1000, position })),
      fc.array(tie("value"), { maxLength: 4 }).map((items): ConfigValue => ({ kind: "array", items, position })),
      tie("map"),
    ),
    map: fc.array(fc.tuple(keys, tie("value")), { maxLength: 4 }).map(map),
  }));

  it("writes any value so that it parses back to the same", () => {
    fc.assert(
      fc.property(values.map, (root) => {
        const text = printConfig(root);
        expect(parsed(text)).toEqual(toPlain(root));
        const again = parseConfig(text);
        expect(again.kind === "parsed" && printConfig(again.root)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
