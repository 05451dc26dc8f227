import { describe, expect, it } from "vitest";
import { type ParseOutcome, parseConfig, parseConfigFile } from "./parse.ts";
import { CHAIN_MAX, DEPTH_MAX, type Environment, type ReadFile } from "./parse-state.ts";
import { type PlainValue, toPlain } from "./plain.ts";

interface Inputs {
  readonly env?: Environment;
  readonly files?: Readonly<Record<string, string>>;
}

function parse(text: string, inputs: Inputs = {}): ParseOutcome {
  return parseConfig(text, { file: "dir/main.conf", readFile: filesReader(inputs.files ?? {}), env: inputs.env ?? {} });
}

function filesReader(files: Readonly<Record<string, string>>): ReadFile {
  return (path) => {
    const text = files[path];
    return text === undefined
      ? { kind: "failed", reason: `open ${path}: no such file or directory` }
      : { kind: "text", text };
  };
}

function values(text: string, inputs: Inputs = {}): PlainValue {
  const outcome = parse(text, inputs);
  if (outcome.kind === "failed") throw outcome.error;
  return toPlain(outcome.root);
}

function failure(text: string, inputs: Inputs = {}): { message: string; place: string; code: string } {
  const outcome = parse(text, inputs);
  if (outcome.kind === "parsed") throw new Error(`parsed: ${JSON.stringify(text)}`);
  const { message, file, line, column, code } = outcome.error;
  return { message, place: `${file}:${line}:${column}`, code };
}

function warnings(text: string): string[] {
  const outcome = parse(text);
  if (outcome.kind === "failed") throw outcome.error;
  return outcome.warnings.map((warning) => `${warning.code} ${warning.position.line}:${warning.position.column}`);
}

describe("examples of configuration.md 1.9", () => {
  it("parses the flat partitioning file", () => {
    const text = `partitioning: true
store_limits: { channels: { foo.>: {}, "bar.*": {}, 'baz': {max_msgs: 10} } }
`;
    expect(values(text)).toEqual({
      partitioning: true,
      store_limits: { channels: { "foo.>": {}, "bar.*": {}, baz: { max_msgs: 10n } } },
    });
  });

  it("parses the file with a streaming section", () => {
    const text = `streaming {
  cluster_id = my_cluster        # comment
  store_limits {
    max_bytes: 1GB; max_age: "24h"
    // another
    channels { "foo": {}
               "bar": {} }
  }
}
`;
    expect(values(text)).toEqual({
      streaming: {
        cluster_id: "my_cluster",
        store_limits: { max_bytes: 1073741824n, max_age: "24h", channels: { foo: {}, bar: {} } },
      },
    });
  });

  it("parses the seed file of partitioning.md 18, comments between entries included", () => {
    const text = `partitioning: true
store_limits: {
    channels: {
        "foo": {}
        "bar": {}
        # comment lines may stand between entries,
        # more than one, with commas in them
        "baz.*": {}
    }
}
`;
    expect(values(text)).toEqual({ partitioning: true, store_limits: { channels: { foo: {}, bar: {}, "baz.*": {} } } });
  });
});

describe("structure (1.1)", () => {
  const cases: [text: string, expected: PlainValue][] = [
    ["", {}],
    ["\n\n# only a comment", {}],
    ["a: 1", { a: 1n }],
    ["a = 1", { a: 1n }],
    ["a 1", { a: 1n }],
    ["a\n:\t1", { a: 1n }],
    ["a: 1, b: 2; c: 3\nd: 4", { a: 1n, b: 2n, c: 3n, d: 4n }],
    ["{ a: 1\n}", { a: 1n }],
    ["{a: {b: 1}, c: [x,y]}", { a: { b: 1n }, c: ["x", "y"] }],
    ['{"a": "x", "b": {"c": [1 , 2 ]}}', { a: "x", b: { c: [1n, 2n] } }],
    ["a: foo#bar", { a: "foo#bar" }],
    ["a: http://x", { a: "http://x" }],
    ["a: foo //bar", { a: "foo" }],
    ["a: 1 # c\nb: 2 // d", { a: 1n, b: 2n }],
    ["m {\n a:\n 1\n b = 2, }", { m: { a: 1n, b: 2n } }],
    ["m { # c\n a: 1 // c\n # c\n }", { m: { a: 1n } }],
    ['a: [1, "x", true\n[2 ], {b: 3},\n]', { a: [1n, "x", true, [2n], { b: 3n }] }],
    ["a: [ # c\n 1 # c\n // c\n 2 ]", { a: [1n, 2n] }],
    ["a: []\nb: {}", { a: [], b: {} }],
    ["A: 1\na: 2", { A: 1n, a: 2n }],
    ["a: 1\r\nb: x\r\nm {\r\n c: 2\r\n}\r\n", { a: 1n, b: "x", m: { c: 2n } }],
    ["\uFEFFa: 1", { a: 1n }],
    // Kinder than the original, where the "]" becomes part of a word and the file is refused.
    ["a: [1,2]", { a: [1n, 2n] }],
    ["a: [1k]", { a: [1000n] }],
  ];
  it.each(cases)("parses %j", (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it("lets the last of a repeated key count, at its own place, and reports it", () => {
    const outcome = parse("a: 1\nb: 2\na: 3");
    if (outcome.kind === "failed") throw outcome.error;
    expect([...outcome.root.entries.keys()]).toEqual(["b", "a"]);
    expect(toPlain(outcome.root)).toEqual({ b: 2n, a: 3n });
    expect(outcome.warnings).toMatchObject([{ code: "repeated_key", position: { line: 3, column: 1 } }]);
  });

  it("keeps the keys of a map in the order of the file", () => {
    const outcome = parse("z: {}\n10: {}\na: {}\n9: {}");
    if (outcome.kind === "failed") throw outcome.error;
    expect([...outcome.root.entries.keys()]).toEqual(["z", "10", "a", "9"]);
  });

  it("knows file, line and column of every key and value", () => {
    const outcome = parse('a: 1\n  "b" : [ x, 5m ]');
    if (outcome.kind === "failed") throw outcome.error;
    const b = outcome.root.entries.get("b");
    expect(b?.position).toMatchObject({ file: "dir/main.conf", line: 2, column: 4 });
    expect(b?.value.position).toMatchObject({ line: 2, column: 9 });
    if (b?.value.kind !== "array") throw new Error("no array");
    expect(b.value.items.map((item) => item.position.column)).toEqual([11, 14]);
  });
});

describe("keys (1.2)", () => {
  it.each([
    ["foo.>: {}", "foo.>"],
    ["foo.> {}", "foo.>"],
    ["foo.*: {}", "foo.*"],
    ["é: 1", "é"],
    ["my-key 1", "my-key"],
    ["a{b:1", "a{b"],
    ['"foo bar": 1', "foo bar"],
    ["'a:b' = 1", "a:b"],
    ['"": 1', ""],
    ["include: x", "include"],
    ['"include" x', "include"],
    ["__proto__: 1", "__proto__"],
  ])("reads the key of %j", (text, key) => {
    const outcome = parse(text);
    if (outcome.kind === "failed") throw outcome.error;
    expect([...outcome.root.entries.keys()]).toEqual([key]);
  });

  it("swallows foo.>{} as the original does, but says so", () => {
    expect(values("channels { foo.>{} }\nb: 1")).toEqual({ channels: {}, b: 1n });
    expect(warnings("channels { foo.>{} }\nb: 1")).toEqual(["brace_in_key 1:12", "missing_value 1:12"]);
    expect(values("foo.>{}")).toEqual({});
    expect(warnings("foo.>{}")).toEqual(["brace_in_key 1:1", "missing_value 1:1"]);
  });

  it("says when a key takes the next line for its value", () => {
    expect(values("m {\nfoo.>{}\nbar\n}")).toEqual({ m: { "foo.>{}": "bar" } });
    expect(warnings("m {\nfoo.>{}\nbar\n}")).toEqual(["brace_in_key 2:1", "value_on_next_line 2:1"]);
    expect(warnings("m\n{\n}")).toEqual([]);
    expect(warnings("a:1\n{ b: 2\n}\n")).toEqual([]);
  });
});

describe("values (1.3)", () => {
  it.each<[text: string, expected: PlainValue]>([
    ['"text"', "text"],
    ['"a\\tb\\n\\r\\"\\\\"', 'a\tb\n\r"\\'],
    ['"\\x41\\xC3\\xA9"', "Aé"],
    ['"two\nlines"', "two\nlines"],
    ["'no \\q escapes'", "no \\q escapes"],
    ["'two\nlines'", "two\nlines"],
    ["a\\tb", "a\tb"],
    ["tr\\x75e", "true"],
    ["$\\x41", "$A"],
    ["word", "word"],
    ["12abc", "12abc"],
    ["10s", "10s"],
    ["1h30m", "1h30m"],
    ["100a", "100a"],
    ["1/2", "1/2"],
    ["1kx", "1kx"],
    ["1bb", "1bb"],
    ["5\\q", "5\\q"],
    ["0x10", "0x10"],
    ["null", "null"],
    ["a;b", "a"],
    ["x'", "x"],
    ["(\nline\n)", "\nline\n"],
    ["( x\n y)\n)\n", " x\n y)\n"],
    ["(\r\nx\r\n)\r\n", "\r\nx\r\n"],
    ["TRUE", true],
    ["yes", true],
    ["On", true],
    ["false", false],
    ["no", false],
    ["OFF", false],
    ['"true"', "true"],
    ["0", 0n],
    ["007", 7n],
    ["-5", -5n],
    ["-0", 0n],
    ["1.5", 1.5],
    ["-1.5", -1.5],
    ["2020-01-02T03:04:05Z", new Date(Date.UTC(2020, 0, 2, 3, 4, 5))],
    ["0001-02-03T04:05:06Z", new Date("0001-02-03T04:05:06Z")],
    ["127.0.0.1", "127.0.0.1"],
    ["10.1.2", "10.1.2"],
    ["0.0.0.0:4222", "0.0.0.0:4222"],
    ["-1.5.5", "-1.5.5"],
    ["9223372036854775807", 9223372036854775807n],
    ["-9223372036854775808", -9223372036854775808n],
    ["00000000000000000000000000000007", 7n],
    ["", ""],
    [",", ""],
    ["}", ""],
  ])("reads %j", (text, expected) => {
    expect(values(`a: ${text}`)).toEqual({ a: expected });
  });

  it("ends a value at ; , and a new line, and goes on with the next pair", () => {
    expect(values("a: x;b: y,c: z\nd: -5;e: 1.5,f: 127.0.0.1;g: 2020-01-02T03:04:05Z,h: 1")).toEqual({
      a: "x",
      b: "y",
      c: "z",
      d: -5n,
      e: 1.5,
      f: "127.0.0.1",
      g: new Date("2020-01-02T03:04:05Z"),
      h: 1n,
    });
  });

  it("ignores a key without a value at the end and says so", () => {
    expect(values("a: 1\nfoo")).toEqual({ a: 1n });
    expect(warnings("a: 1\nfoo")).toEqual(["missing_value 2:1"]);
    expect(warnings("m { a: }")).toEqual(["missing_value 1:5"]);
  });

  it("replaces escapes that are not UTF-8 and says so", () => {
    expect(values('a: "\\xff"')).toEqual({ a: "\uFFFD" });
    expect(warnings('a: "\\xff"')).toEqual(["bad_utf8 1:4"]);
  });
});

describe("sizes (1.4)", () => {
  const letters = ["k", "m", "g", "t", "p", "e"];
  it.each(
    letters.flatMap((letter, index): [string, bigint][] => [
      [`1${letter}`, 1000n ** BigInt(index + 1)],
      [`1${letter}b`, 1024n ** BigInt(index + 1)],
      [`1${letter.toUpperCase()}i`, 1024n ** BigInt(index + 1)],
      [`-3${letter}iB`, -3n * 1024n ** BigInt(index + 1)],
    ]),
  )("multiplies out %s", (text, expected) => {
    expect(values(`a: ${text}`)).toEqual({ a: expected });
  });

  it("wraps a size beyond 64 bits around and says so", () => {
    expect(values("a: 9eb")).toEqual({ a: BigInt.asIntN(64, 9n * 1024n ** 6n) });
    expect(warnings("a: 9eb")).toEqual(["overflow 1:4"]);
  });

  it("drops a pair with an unknown suffix and says so", () => {
    expect(values("a: 1kbb\nb: 2")).toEqual({ b: 2n });
    expect(warnings("a: 1kbb\nb: 2")).toEqual(["bad_suffix 1:4"]);
  });

  it("keeps the text of a number, so that 5m can be explained where a duration was wanted", () => {
    const outcome = parse("max_age: 5m");
    if (outcome.kind === "failed") throw outcome.error;
    expect(outcome.root.entries.get("max_age")?.value).toMatchObject({
      kind: "integer",
      value: 5_000_000n,
      text: "5m",
    });
  });
});

describe("variables (1.6)", () => {
  it.each<[text: string, env: Environment, expected: PlainValue]>([
    ["a: 1k\nb: $a", {}, { a: 1000n, b: 1000n }],
    ["a: 1\nm { a: 2, b: $a }", {}, { a: 1n, m: { a: 2n, b: 2n } }],
    ["a: 1\nm { n { b: $a } }", {}, { a: 1n, m: { n: { b: 1n } } }],
    ["a: 1\nl: [ $a, {b: $a} ]", {}, { a: 1n, l: [1n, { b: 1n }] }],
    ["m { x: {y: 1} }\nb: $m", {}, { m: { x: { y: 1n } }, b: { x: { y: 1n } } }],
    ["b: $A", { A: "1k" }, { b: 1000n }],
    ["b: $A", { A: "'1k'" }, { b: "1k" }],
    ["b: $A", { A: "{a:1}" }, { b: { a: 1n } }],
    ["b: $A", { A: "" }, { b: "" }],
    ["b: $A", { A: "$B", B: "true" }, { b: true }],
    ["A: file\nb: $A", { A: "env" }, { A: "file", b: "file" }],
    ["b: pre$x", {}, { b: "pre$x" }],
    ['b: "$x"', { x: "1" }, { b: "$x" }],
    ["b: '$x'", { x: "1" }, { b: "$x" }],
    ["p: $2a$11$abc.def/ghi", {}, { p: "$2a$11$abc.def/ghi" }],
    ["p: $2b$11$abc", {}, { p: "$2b$11$abc" }],
  ])("reads %j with %j", (text, env, expected) => {
    expect(values(text, { env })).toEqual(expected);
  });

  it("takes only keys already seen", () => {
    expect(failure("b: $a\na: 1").message).toBe("variable reference for 'a' on line 1 can not be found");
  });

  it("stands where it is used, and marks the key it came from", () => {
    const outcome = parse("a: 1\nb: 2\nc: $a");
    if (outcome.kind === "failed") throw outcome.error;
    const entries = [...outcome.root.entries.values()];
    expect(entries.map((entry) => entry.usedAsVariable)).toEqual([true, false, false]);
    expect(entries[2]?.value.position).toMatchObject({ line: 3, column: 4 });
  });

  it.each<[text: string, env: Environment, message: string]>([
    ["a: $x", {}, "variable reference for 'x' on line 1 can not be found"],
    ["a: $constructor", {}, "variable reference for 'constructor' on line 1 can not be found"],
    [`\na: $${"{x}"}`, { x: "1" }, "variable reference for '{x' on line 2 can not be found"],
    ["a: $x", { x: "1kbb" }, "variable reference for 'x' on line 1 can not be found"],
    [
      "a: $x",
      { x: "hello world" },
      "variable reference for 'x' on line 1 could not be parsed: Parse error on line 1: 'Expected a top-level value to end with a new line, comment or EOF, but got 'w' instead.'",
    ],
    [
      "a: $x",
      { x: "$y", y: "$x" },
      "variable reference for 'x' on line 1 could not be parsed: variable reference for 'y' on line 1 could not be parsed: variable reference for 'x' on line 1 could not be parsed: $x refers to itself",
    ],
  ])("refuses %j with %j", (text, env, message) => {
    expect(failure(text, { env })).toMatchObject({ message, code: "variable" });
  });

  it("never shows the text of an environment variable", () => {
    const outcome = parse("a: $x", { env: { x: "{p: secret, n: 1}" } });
    if (outcome.kind === "failed") throw outcome.error;
    const value = outcome.root.entries.get("a")?.value;
    if (value?.kind !== "map") throw new Error("no map");
    expect(value.entries.get("p")?.value.position.source).toMatchObject({ hidden: true });
    const failed = parse("a: $x", { env: { x: "secret [" } });
    if (failed.kind === "parsed") throw new Error("parsed");
    expect(failed.error.detail).not.toContain("secret");
  });
});

describe("include (1.7)", () => {
  const files = {
    "dir/a.conf": "x: 1\ny: 2",
    "dir/sub/b.conf": "include c.conf",
    "dir/sub/c.conf": "z: 3",
    "dir/abs/d.conf": "w: 4",
    "dir/bad.conf": "\n\nk: [,",
    "dir/self.conf": "include self.conf",
    "dir/uses.conf": "v: $outer",
  };

  it.each<[text: string, expected: PlainValue]>([
    ["include a.conf", { x: 1n, y: 2n }],
    ["include 'a.conf'", { x: 1n, y: 2n }],
    ['INCLUDE "a.conf" # c\nq: 1', { x: 1n, y: 2n, q: 1n }],
    ["include a.conf; q: 1", { x: 1n, y: 2n, q: 1n }],
    ["m { include a.conf }\nq: 1", { m: { x: 1n, y: 2n }, q: 1n }],
    ["include sub/b.conf", { z: 3n }],
    ["include /abs/d.conf", { w: 4n }],
    ["x: 0\ninclude a.conf\nq: $x", { x: 1n, y: 2n, q: 1n }],
  ])("merges %j", (text, expected) => {
    expect(values(text, { files })).toEqual(expected);
  });

  it("lists every file that was read", () => {
    const outcome = parse("include a.conf\ninclude sub/b.conf", { files });
    if (outcome.kind === "failed") throw outcome.error;
    expect(outcome.files).toEqual(["dir/main.conf", "dir/a.conf", "dir/sub/b.conf", "dir/sub/c.conf"]);
  });

  it.each([
    [
      "\ninclude x",
      "error parsing include file 'x', error opening config file: open dir/x: no such file or directory",
      "dir/main.conf:2:9",
    ],
    [
      "include bad.conf",
      "error parsing include file 'bad.conf', Parse error on line 3: 'Unexpected array value terminator ','.'",
      "dir/bad.conf:3:5",
    ],
    [
      "outer: 1\ninclude uses.conf",
      "error parsing include file 'uses.conf', variable reference for 'outer' on line 1 can not be found",
      "dir/uses.conf:1:4",
    ],
    [
      "include self.conf",
      "error parsing include file 'self.conf', error parsing include file 'self.conf', dir/self.conf includes itself",
      "dir/self.conf:1:9",
    ],
    ["include 5", "Parse error on line 1: 'Expected include value but found start of a number'", "dir/main.conf:1:9"],
    ["include [x]", "Parse error on line 1: 'Expected include value but found start of an array'", "dir/main.conf:1:9"],
    ["include {", "Parse error on line 1: 'Expected include value but found start of a map'", "dir/main.conf:1:9"],
    ["include \n", "Parse error on line 2: 'Expected include value but found new line'", "dir/main.conf:1:9"],
    ['include "x', "Parse error on line 1: 'Unexpected EOF in double quoted include'", "dir/main.conf:1:9"],
  ])("refuses %j", (text, message, place) => {
    expect(failure(text, { files })).toMatchObject({ message, place });
  });

  it("bounds the chain of files that include each other", () => {
    const chain = Object.fromEntries(
      Array.from({ length: CHAIN_MAX + 1 }, (_, n) => [`dir/${n}.conf`, `include "${n + 1}.conf"`]),
    );
    expect(failure('include "0.conf"', { files: chain }).message).toContain(
      `more than ${CHAIN_MAX} files include each other`,
    );
  });

  it("bounds the number of files, however they include each other", () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`dir/${n}.conf`, `include "${n + 1}.conf"\ninclude "${n + 1}.conf"`]),
    );
    expect(failure('include "0.conf"', { files: { ...doubling, "dir/20.conf": "" } }).message).toContain(
      "more than 1000 files are included",
    );
  });
});

describe("errors (1.8)", () => {
  it.each([
    ["a b c", 1, "Expected a top-level value to end with a new line, comment or EOF, but got 'c' instead.", "1:5"],
    ["a: 1 b: 2", 1, "Expected a top-level value to end with a new line, comment or EOF, but got 'b' instead.", "1:6"],
    ["a = b = c", 1, "Expected a top-level value to end with a new line, comment or EOF, but got '=' instead.", "1:7"],
    ["a: 1.5k", 1, "Expected a top-level value to end with a new line, comment or EOF, but got 'k' instead.", "1:7"],
    ["a: 1.5e3", 1, "Expected a top-level value to end with a new line, comment or EOF, but got 'e' instead.", "1:7"],
    ["a: 1 kb", 1, "Expected a top-level value to end with a new line, comment or EOF, but got 'k' instead.", "1:6"],
    [
      "a: [::1]:4222",
      1,
      "Expected a top-level value to end with a new line, comment or EOF, but got ':' instead.",
      "1:9",
    ],
    [
      "m { a: 1 b: 2 }",
      1,
      'Expected a map value terminator "," or a map terminator "}", but got \'b\' instead.',
      "1:10",
    ],
    [
      "m {\n a: b c\n}",
      2,
      'Expected a map value terminator "," or a map terminator "}", but got \'c\' instead.',
      "2:7",
    ],
    ["a: [1 2]", 1, 'Expected an array value terminator "," or an array terminator "]", but got \'2\' instead.', "1:7"],
    ["a: [1,,2]", 1, "Unexpected array value terminator ','.", "1:7"],
    ["m { a: , }", 1, 'Unexpected map value terminator ",".', "1:8"],
    ["a:\nb: 1", 2, "Expected value but found new line", "1:3"],
    ["= 1", 1, "Unexpected key separator '='", "1:1"],
    [": 1", 1, "Unexpected key separator ':'", "1:1"],
    ["m { : 1 }", 1, "Unexpected key separator ':'.", "1:5"],
    ["/", 1, "Unexpected EOF.", "1:1"],
    ['a: "abc\n\n', 3, "Unexpected EOF.", "1:4"],
    ["a: 'abc", 1, "Unexpected EOF.", "1:4"],
    ["m {\n", 2, "Unexpected EOF processing map.", "1:3"],
    ["m { a", 1, "Unexpected EOF processing map key.", "1:5"],
    ["m { ]", 1, "Unexpected array end ']' processing map.", "1:5"],
    ["a: (x)\n", 2, "Unexpected EOF processing block.", "1:4"],
    ["a: .5", 1, "Floats must start with a digit", "1:4"],
    ["x=.", 1, "Floats must start with a digit", "1:3"],
    ["a: 1. ", 1, "Floats must have a digit after the '.', but got ' ' instead.", "1:6"],
    ["a: 1.\n", 2, "Floats must have a digit after the '.', but got '\\n' instead.", "1:6"],
    ["a: -x", 1, "Expected a digit but got 'x'.", "1:5"],
    ["a: -.5", 1, "Floats must start with a digit, not '.'.", "1:5"],
    ["a: 20-01", 1, "All ISO8601 dates must be in full Zulu form.", "1:4"],
    ["a: 2020-1-02", 1, "Expected digit in ISO8601 datetime, but found '-' instead.", "1:10"],
    ["a: 2020-01-02 ", 1, "Expected 'T' in ISO8601 datetime, but found ' ' instead.", "1:14"],
    [
      'a: "q\\q"',
      1,
      "Invalid escape character 'q'. Only the following escape characters are allowed: \\xXX, \\t, \\n, \\r, \\\", \\\\.",
      "1:6",
    ],
    ['a: "\\xZZ"', 1, "Expected two hexadecimal digits after '\\x', but got 'ZZ'", "1:5"],
    ['a: "\\x4\n"', 2, "Expected two hexadecimal digits after '\\x', but hit end of line", "1:5"],
    ["a: 1\nb: \0", 2, "Unexpected EOF.", "2:4"],
  ])("refuses %j", (text, line, message, place) => {
    expect(failure(text)).toMatchObject({
      message: `Parse error on line ${line}: '${message}'`,
      place: `dir/main.conf:${place}`,
    });
  });

  it.each([
    ["a: 99999999999999999999", "integer '99999999999999999999' is out of the range"],
    ["a: 99999999999999999999k", "integer '99999999999999999999k' is out of the range"],
    ["a: -9223372036854775809", "integer '-9223372036854775809' is out of the range"],
    [`a: ${"9".repeat(400)}.0`, `float '${"9".repeat(400)}.0' is out of the range`],
    ["a: 2020-99-02T03:04:05Z", "expected Zulu formatted DateTime, but got '2020-99-02T03:04:05Z'"],
    ["a: 2021-02-29T03:04:05Z", "expected Zulu formatted DateTime, but got '2021-02-29T03:04:05Z'"],
    ["a: 2021-02-02T24:00:00Z", "expected Zulu formatted DateTime, but got '2021-02-02T24:00:00Z'"],
  ])("refuses %j", (text, message) => {
    expect(failure(text)).toMatchObject({ message, code: "number", place: "dir/main.conf:1:4" });
  });

  it("says what is open when the text ends inside a map or array", () => {
    expect(failure("a: [\n1\n")).toEqual({
      message:
        "Parse error on line 3: 'Expected an array value terminator \",\" or an array terminator \"]\", but got 'EOF' instead.'",
      place: "dir/main.conf:1:4",
      code: "unterminated",
    });
    expect(failure("m { a: 1")).toMatchObject({ code: "unterminated", place: "dir/main.conf:1:3" });
  });

  it("bounds how deep maps and arrays nest", () => {
    expect(values(`a: ${"[".repeat(DEPTH_MAX)}${"]".repeat(DEPTH_MAX)}`)).toBeDefined();
    expect(failure(`a: ${"[".repeat(DEPTH_MAX + 1)}`)).toMatchObject({ code: "too_deep" });
    expect(failure(`a: ${"{b:".repeat(100_000)}`)).toMatchObject({ code: "too_deep" });
  });

  it("shows the line with a caret under the fault", () => {
    const outcome = parse("ok: 1\n\tfoo: bar baz\r\n");
    if (outcome.kind === "parsed") throw new Error("parsed");
    expect(outcome.error.detail).toBe(
      "at dir/main.conf:2:11\n  \tfoo: bar baz\n  \t         ^\nput each pair on a line of its own, and a text with spaces in quotes",
    );
  });
});

describe("parseConfigFile()", () => {
  it("gives the reason when the file cannot be read", () => {
    const outcome = parseConfigFile("nope.conf", { readFile: filesReader({}) });
    expect(outcome).toMatchObject({
      kind: "failed",
      error: { code: "read", message: "open nope.conf: no such file or directory", file: "", line: 0, detail: "" },
    });
  });

  it("parses what it reads, and looks for included files beside it", () => {
    const readFile = filesReader({ "d/a.conf": "include b.conf", "d/b.conf": "x: 1" });
    const outcome = parseConfigFile("d/a.conf", { readFile });
    if (outcome.kind === "failed") throw outcome.error;
    expect(toPlain(outcome.root)).toEqual({ x: 1n });
    expect(outcome.files).toEqual(["d/a.conf", "d/b.conf"]);
  });
});
