import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "./config-error.ts";
import { type ParseOutcome, parseConfig } from "./parse.ts";
import { printConfig } from "./print.ts";
import { readBoolean, readDuration, readInteger, readMap, readString, readStringArray } from "./readers.ts";
import type { ConfigMap } from "./value.ts";

const SAMPLE = `# sample
partitioning: true
id: 1k
cluster_id = "my \\x41 cluster" // c
store_limits: { channels: { foo.>: {}, "bar.*": {max_msgs: 10, max_bytes: 1GB}, 'baz': {max_age: "24h"} } }
peers: [a, "b", $id, -1.5 , 127.0.0.1:4222, 2020-01-02T03:04:05Z]
text (
 block
)
include part.conf
streaming { sd yes; hbi: 30s
  nested { deeper { port 4222 } } }
`;

/** What a character can be that means something, so that random texts reach the corners. */
const tokens = fc.constantFrom(
  ...[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")\n",
    ":",
    "=",
    ",",
    ";",
    "#",
    "//",
    "/",
    '"',
    "'",
    "\\",
    "\\x",
    "$",
    "-",
    ".",
    "\n",
    "\r\n",
  ],
  ...[
    " ",
    "\t",
    "a",
    "foo.>",
    "1",
    "1k",
    "5m",
    "2020-",
    "T",
    "Z",
    "true",
    "include ",
    "$x",
    "$y",
    "$2a$",
    "\0",
    "é",
    "\u00a0",
  ],
);

function parse(text: string): ParseOutcome {
  return parseConfig(text, {
    file: "m.conf",
    env: { x: "{a: 1}", y: "$y", HOME: "a b" },
    readFile: (path) =>
      path === "part.conf" ? { kind: "text", text: "p: 1\nq { r: $p }" } : { kind: "failed", reason: "no" },
  });
}

/** Parses, and checks what must hold for any text whatever. */
function check(text: string): void {
  const outcome = parse(text);
  if (outcome.kind === "failed") {
    expect(outcome.error).toBeInstanceOf(ConfigError);
    expect(outcome.error.message).not.toBe("");
    expect(outcome.error.line).toBeGreaterThan(0);
    expect(outcome.error.column).toBeGreaterThan(0);
    expect(outcome.error.detail).toContain(`${outcome.error.file}:${outcome.error.line}:${outcome.error.column}`);
    return;
  }
  for (const warning of outcome.warnings) expect(warning.position.line).toBeGreaterThan(0);
  readEverything(outcome.root);
  try {
    const printed = printConfig(outcome.root);
    const again = parseConfig(printed);
    expect(again.kind === "parsed" && printConfig(again.root)).toBe(printed);
  } catch (error) {
    if (!(error instanceof ConfigError) || error.code !== "unprintable") throw error;
  }
}

function readEverything(map: ConfigMap): void {
  for (const entry of map.entries.values()) {
    for (const reader of [readString, readBoolean, readInteger, readDuration, readMap, readStringArray]) {
      const reading = reader(entry);
      if (reading.kind === "wrong") expect(reading.error).toBeInstanceOf(ConfigError);
    }
    if (entry.value.kind === "map") readEverything(entry.value);
  }
}

describe("parseConfig() on texts nobody wrote", () => {
  it("parses the sample itself", () => {
    expect(parse(SAMPLE)).toMatchObject({ kind: "parsed", files: ["m.conf", "part.conf"], warnings: [] });
  });

  it("gives values or a ConfigError with a place for random tokens", () => {
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 60 }), (parts) => check(parts.join(""))),
      { numRuns: 1_000 },
    );
  });

  it("gives values or a ConfigError with a place for random characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 300 });
  });

  it("gives values or a ConfigError with a place for a mutilated file", () => {
    const edits = fc.array(
      fc.record({ at: fc.nat(SAMPLE.length), cut: fc.nat(12), put: fc.oneof(tokens, fc.string({ maxLength: 3 })) }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(edits, (list) => {
        let text = SAMPLE;
        for (const { at, cut, put } of list) text = text.slice(0, at) + put + text.slice(at + cut);
        check(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives values or a ConfigError with a place for a file cut at every place", () => {
    for (let end = 0; end <= SAMPLE.length; end++) check(SAMPLE.slice(0, end));
  });

  it("takes time in proportion to the length, also on one huge line", () => {
    const text = `a: [${"{b: [1 , 'x', word, 10s]}, ".repeat(20_000)}]`;
    const outcome = parse(text);
    expect(outcome.kind).toBe("parsed");
    expect(parse(`${text} x`)).toMatchObject({ kind: "failed", error: { line: 1 } });
  });
});
