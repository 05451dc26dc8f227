import type { FileRead } from "@nats-streaming/config";
import { describe, expect, it } from "vitest";
import { parseSignal } from "./signal-request.ts";

const readFile = (path: string): FileRead =>
  path === "good.pid"
    ? { kind: "text", text: "1234\n" }
    : { kind: "failed", reason: `open ${path}: no such file or directory` };

describe("parseSignal()", () => {
  it.each([
    ["quit", "quit", undefined],
    ["reload=77", "reload", 77],
    ["term=good.pid", "term", 1234],
    ["ldm=", "ldm", undefined],
  ])("reads %s", (text, command, pid) => {
    expect(parseSignal(text, readFile)).toEqual({ kind: "signal", command, pid });
  });

  it.each([
    ["foo", 'unknown signal "foo"'],
    ["foo=1", 'unknown signal "foo"'],
    ["quit=abc", "invalid pid: abc"],
    ["stop=0", "invalid pid: 0"],
    ["stop=-1", "invalid pid: -1"],
    ["quit=1=2", "invalid signal parameters: [2]"],
  ])("refuses %s", (text, message) => {
    expect(parseSignal(text, readFile)).toMatchObject({ kind: "invalid", message });
  });
});
