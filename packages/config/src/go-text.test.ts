import { describe, expect, it } from "vitest";
import { quoteText, valueText } from "./go-text.ts";
import { parseConfig } from "./parse.ts";

function shown(text: string): string {
  const outcome = parseConfig(`a: ${text}`);
  if (outcome.kind === "failed") throw outcome.error;
  return valueText(outcome.root.entries.get("a")?.value ?? outcome.root);
}

describe("valueText()", () => {
  it.each([
    ["5", "5"],
    ["xxx", "xxx"],
    ["[foo]", "[foo]"],
    ["[foo, 5 , true]", "[foo 5 true]"],
    ["{b: 1, a: [x]}", "map[a:[x] b:1]"],
    ["1.5", "1.5"],
    ["100000000000000000000000.0", "1e+23"],
    ["0.00001", "1e-05"],
    ["0.0001", "0.0001"],
    ["2020-01-02T03:04:05Z", "2020-01-02 03:04:05 +0000 UTC"],
    ['""', ""],
  ])("shows %s as %s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it("cuts what is very long", () => {
    expect(shown(`[${"word, ".repeat(10_000)}]`)).toHaveLength(201);
  });

  it("stops early at a value that variables have made huge", () => {
    const lines = Array.from({ length: 60 }, (_, n) => `v${n + 1}: [$v${n}, $v${n}]`);
    const outcome = parseConfig(`v0: x\n${lines.join("\n")}`);
    if (outcome.kind === "failed") throw outcome.error;
    expect(valueText(outcome.root.entries.get("v60")?.value ?? outcome.root)).toHaveLength(201);
  });
});

describe("quoteText()", () => {
  it.each([
    ["foo..bar", '"foo..bar"'],
    ['a"b\\', '"a\\"b\\\\"'],
    ["a\tb\n", '"a\\tb\\n"'],
    ["\x01\x7f", '"\\x01\\x7f"'],
    ["é\u00a0\u200b", '"é\\u00a0\\u200b"'],
  ])("quotes %j", (text, expected) => {
    expect(quoteText(text)).toBe(expected);
  });
});
