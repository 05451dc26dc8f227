import { describe, expect, it } from "vitest";
import { parseConfig } from "./parse.ts";
import {
  type Reader,
  readArray,
  readBoolean,
  readDuration,
  readInteger,
  readMap,
  readNumber,
  readSize,
  readString,
  readStringArray,
} from "./readers.ts";
import type { ConfigEntry } from "./value.ts";

function entry(text: string): ConfigEntry {
  const outcome = parseConfig(text, { file: "x.conf" });
  if (outcome.kind === "failed") throw outcome.error;
  const [first] = outcome.root.entries.values();
  if (first === undefined) throw new Error("no entry");
  return first;
}

function read<T>(reader: Reader<T>, text: string): T | string {
  const reading = reader(entry(text));
  return reading.kind === "value" ? reading.value : `${reading.error.code}: ${reading.error.message}`;
}

function hint<T>(reader: Reader<T>, text: string): string {
  const reading = reader(entry(text));
  return reading.kind === "value" ? "" : reading.error.hint;
}

describe("typed readers", () => {
  it("read what they are named after", () => {
    expect(read(readString, "a: x")).toBe("x");
    expect(read(readBoolean, "a: yes")).toBe(true);
    expect(read(readInteger, "a: 9223372036854775807")).toBe(9223372036854775807n);
    expect(read(readSize, "a: 2MB")).toBe(2097152n);
    expect(read(readNumber, "a: 2")).toBe(2);
    expect(read(readNumber, "a: 2.5")).toBe(2.5);
    expect(read(readDuration, 'a: "1h30m"')).toBe(5_400_000_000_000n);
    expect(read(readDuration, "a: 10s")).toBe(10_000_000_000n);
    expect(read(readDuration, 'a: "0"')).toBe(0n);
    expect(read(readStringArray, 'a: [x, "y"]')).toEqual(["x", "y"]);
    expect(read(readArray, "a: [1 , x]")).toMatchObject({ kind: "array", items: [{ value: 1n }, { value: "x" }] });
    expect(read(readMap, "a { b: 1 }")).toMatchObject({ kind: "map" });
  });

  it.each<[reader: Reader<unknown>, text: string, message: string]>([
    [readString, "a: 5", 'parameter "a" value is expected to be string, got int64'],
    [readString, "a: 1.5", 'parameter "a" value is expected to be string, got float64'],
    [readString, "a: true", 'parameter "a" value is expected to be string, got bool'],
    [readString, "a: []", 'parameter "a" value is expected to be string, got slice'],
    [readString, "a: {}", 'parameter "a" value is expected to be string, got map'],
    [readString, "a: 2020-01-02T03:04:05Z", 'parameter "a" value is expected to be string, got struct'],
    [readBoolean, "Partitioning: 5", 'parameter "Partitioning" value is expected to be bool, got int64'],
    [readBoolean, 'a: "true"', 'parameter "a" value is expected to be bool, got string'],
    [readInteger, 'a: "5"', 'parameter "a" value is expected to be int64, got string'],
    [readInteger, "a: 1.5", 'parameter "a" value is expected to be int64, got float64'],
    [readSize, "a: foo", 'parameter "a" value is expected to be int64, got string'],
    [readNumber, "a: foo", 'parameter "a" value is expected to be float64, got string'],
    [readDuration, "max_age: 5m", 'parameter "max_age" value is expected to be string, got int64'],
    [readMap, "a: 5", 'parameter "a" value is expected to be map, got int64'],
    [readArray, "a: 5", 'parameter "a" value is expected to be slice, got int64'],
    [readStringArray, 'peers: "b,c"', 'parameter "peers" value is expected to be slice, got string'],
    [readStringArray, "peers: [a, 5 ]", 'parameter "peers" value is expected to be string, got int64'],
    [readString, "'a\"b': 5", 'parameter "a\\"b" value is expected to be string, got int64'],
  ])("refuse with the words of the original: %#", (reader, text, message) => {
    expect(read(reader, text)).toBe(`wrong_type: ${message}`);
  });

  it.each([
    ["foo", 'time: invalid duration "foo"'],
    ["1d", 'time: unknown unit "d" in duration "1d"'],
    ["'5'", 'time: missing unit in duration "5"'],
    ['""', 'time: invalid duration ""'],
  ])("refuse the duration %s", (text, message) => {
    expect(read(readDuration, `a: ${text}`)).toBe(`bad_value: ${message}`);
  });

  it("point at the value", () => {
    const reading = readBoolean(entry("\n  partitioning: 5"));
    if (reading.kind === "value") throw new Error("read");
    expect(reading.error).toMatchObject({ file: "x.conf", line: 2, column: 17 });
    expect(reading.error.excerpt).toBe("    partitioning: 5\n                  ^");
  });

  it("say what to write instead", () => {
    expect(hint(readDuration, "max_age: 5m")).toBe('5m without quotes is the number 5000000; write max_age: "5m"');
    expect(hint(readDuration, "max_age: 5")).toBe('a duration needs a unit: write max_age: "5s" for seconds');
    expect(hint(readSize, 'max_bytes: "10MB"')).toBe("write max_bytes: 10MB, without quotes");
    expect(hint(readBoolean, 'sd: "true"')).toBe("write sd: true or sd: false, without quotes");
    expect(hint(readString, "dir: 5")).toBe('write dir: "5"');
    expect(hint(readStringArray, 'peers: "b,c"')).toBe('write peers: ["a", "b"]');
  });
});
