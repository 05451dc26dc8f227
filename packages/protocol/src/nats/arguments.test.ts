import { describe, expect, it } from "vitest";
import { readMessageArguments, readSubscribeArguments, readUnsubscribeArguments } from "./arguments.ts";
import { bytesOf } from "./ascii.ts";
import { describeFault } from "./faults.ts";
import { emptyFrame } from "./frame.ts";

describe("readMessageArguments()", () => {
  const outcome = (text: string, hasSid: boolean, hasHeaders: boolean): number | string => {
    const bytes = bytesOf(text);
    const result = readMessageArguments(bytes, 0, bytes.length, emptyFrame(), { hasSid, hasHeaders });
    return typeof result === "number" ? result : describeFault(result);
  };

  it("returns the payload's size", () => {
    expect(outcome("foo 5", false, false)).toBe(5);
    expect(outcome("foo bar 12 17", false, true)).toBe(17);
    expect(outcome("foo 1 bar 5", true, false)).toBe(5);
  });

  it("says in the reference's words what is wrong", () => {
    expect(outcome("foo", false, false)).toBe('processPub Parse Error: "foo"');
    expect(outcome("\r", false, false)).toBe('processPub Parse Error: "\\r"');
    expect(outcome("foo bar", false, false)).toBe('processPub Bad or Missing Size: "foo bar"');
    expect(outcome("foo 2", false, true)).toBe('processHeaderPub Parse Error: "foo 2"');
    expect(outcome("foo x 12", false, true)).toBe('processHeaderPub Bad or Missing Header Size: "foo x 12"');
    expect(outcome("foo 12 x", false, true)).toBe('processHeaderPub Bad or Missing Total Size: "foo 12 x"');
    expect(outcome("foo 15 14", false, true)).toBe('processHeaderPub Header Size larger then TotalSize: "foo 15 14"');
  });

  it("shows no more than 128 bytes of wrong arguments", () => {
    expect(outcome("x".repeat(500), false, false)).toBe(`processPub Parse Error: "${"x".repeat(128)}"...`);
  });
});

describe("readSubscribeArguments()", () => {
  it("says what is wrong", () => {
    const bytes = bytesOf('a "b" c \xff d');
    const result = readSubscribeArguments(bytes, 0, bytes.length);
    expect("kind" in result && describeFault(result)).toBe('processSub Parse Error: "a \\"b\\" c \\xc3\\xbf d"');
  });
});

describe("readUnsubscribeArguments()", () => {
  it("says what is wrong", () => {
    const bytes = bytesOf("1 2\t3");
    const result = readUnsubscribeArguments(bytes, 0, bytes.length);
    expect("kind" in result && describeFault(result)).toBe('processUnsub Parse Error: "1 2\\t3"');
  });
});
