import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { formatLine } from "./line.ts";
import { createLogger } from "./logger.ts";
import { fileTarget } from "./target.ts";

const at = (iso: string): { millis: number; nanos: number } => ({ millis: new Date(iso).getTime(), nanos: 396_789 });

describe("formatLine()", () => {
  it("prints process, local time with microseconds, level and text", () => {
    const line = formatLine(
      { pid: 12530, time: true, colour: false },
      "INF",
      "STREAM: Streaming Server is ready",
      at("2026-11-22T13:38:19.714"),
    );
    expect(line).toBe("[12530] 2026/11/22 13:38:19.714396 [INF] STREAM: Streaming Server is ready\n");
  });

  it("leaves the time out when it is switched off", () => {
    const line = formatLine({ pid: 7444, time: false, colour: false }, "WRN", "text", at("2026-11-22T13:38:19.714"));
    expect(line).toBe("[7444] [WRN] text\n");
  });

  it("colours only the three letters", () => {
    const line = formatLine({ pid: 1, time: false, colour: true }, "WRN", "text", at("2026-11-22T13:38:19.714"));
    expect(line).toBe("[1] [\x1b[0;93mWRN\x1b[0m] text\n");
  });
});

describe("a text with control characters", () => {
  it("stays one line and steers no terminal", () => {
    const line = formatLine(
      { pid: 1, time: false, colour: false },
      "ERR",
      "a\n[1] [INF] forged\r\x1b[31m\x9b\u2028",
      at("2026-11-22"),
    );
    expect(line).toBe("[1] [ERR] a\\n[1] [INF] forged\\r\\x1b[31m\\x9b\\u2028\n");
  });
});

describe("createLogger()", () => {
  const lines: string[] = [];
  const target = { write: (line: string) => lines.push(line), reopen: () => false, close: () => {} };
  const options = {
    target: { ...target, write: (line: string) => void lines.push(line) },
    format: { pid: 1, time: false, colour: false },
    clock: new FakeClock(),
  };
  afterEach(() => {
    lines.length = 0;
  });

  it("puts the prefix before every line and keeps debug and trace apart", () => {
    const logger = createLogger({ ...options, prefix: "STREAM: ", verbosity: { debug: true, trace: false } });
    logger.info("a");
    logger.debug("b");
    logger.trace("c");
    expect(lines).toEqual(["[1] [INF] STREAM: a\n", "[1] [DBG] STREAM: b\n"]);
    expect([logger.debugEnabled, logger.traceEnabled]).toEqual([true, false]);
  });
});

describe("fileTarget()", () => {
  it("appends, and starts a new file of the old name after it was renamed and reopened", () => {
    const folder = mkdtempSync(join(tmpdir(), "log-"));
    try {
      const path = join(folder, "server.log");
      const target = fileTarget(path);
      target.write("one\n");
      renameSync(path, `${path}.1`);
      expect(target.reopen()).toBe(true);
      target.write("two\n");
      target.close();
      expect([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")]).toEqual(["one\n", "two\n"]);
      const again = fileTarget(path);
      again.write("three\n");
      again.close();
      expect(readFileSync(path, "utf8")).toBe("two\nthree\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
