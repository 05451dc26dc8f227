import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakeClock } from "@nats-streaming/kernel/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileTarget } from "./file-target.ts";
import { formatLine } from "./line.ts";
import { createLogger, type LogSink } from "./logger.ts";

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

const NOW = at("2026-11-22T13:38:19.714");

describe("createLogger()", () => {
  function memorySink(): { readonly lines: string[]; readonly sink: LogSink } {
    const lines: string[] = [];
    const write = (level: string, text: string): void => void lines.push(`${level} ${text}`);
    return { lines, sink: { target: { write, reopen: () => false, close: async () => {} } } };
  }

  it("OPS-06 OPS-07 puts the prefix before every line and keeps debug and trace apart", () => {
    const { lines, sink } = memorySink();
    const clock = new FakeClock();
    const logger = createLogger({ sink, clock, prefix: "STREAM: ", verbosity: { debug: true, trace: false } });
    logger.info("a");
    logger.debug("b");
    logger.trace("c");
    expect(lines).toEqual(["INF STREAM: a", "DBG STREAM: b"]);
    expect([logger.debugEnabled, logger.traceEnabled]).toEqual([true, false]);
    logger.setVerbosity({ debug: false, trace: true });
    logger.debug("d");
    logger.trace("e");
    expect(lines.slice(2)).toEqual(["TRC STREAM: e"]);
    expect([logger.debugEnabled, logger.traceEnabled]).toEqual([false, true]);
  });

  it("goes on with another target once the sink has one", () => {
    const [before, after] = [memorySink(), memorySink()];
    const logger = createLogger({
      sink: before.sink,
      clock: new FakeClock(),
      prefix: "",
      verbosity: { debug: false, trace: false },
    });
    logger.warn("one");
    before.sink.target = after.sink.target;
    logger.warn("two");
    expect([before.lines, after.lines]).toEqual([["WRN one"], ["WRN two"]]);
  });
});

describe("fileTarget()", () => {
  const format = { pid: 1, time: false, colour: false };
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "log-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("OPS-02 appends, and starts a new file of the old name after it was renamed and reopened", async () => {
    const path = join(folder, "server.log");
    const target = fileTarget({ path, format, sizeLimit: 0 });
    target.write("INF", "one", NOW);
    renameSync(path, `${path}.1`);
    expect(target.reopen()).toBe(true);
    target.write("INF", "two", NOW);
    await target.close();
    target.write("INF", "after the end", NOW);
    expect(readFileSync(`${path}.1`, "utf8")).toBe("[1] [INF] one\n");
    const again = fileTarget({ path, format, sizeLimit: 0 });
    again.write("WRN", "three", NOW);
    await again.close();
    expect(readFileSync(path, "utf8")).toBe("[1] [INF] two\n[1] [WRN] three\n");
  });

  it("OPS 1.2 puts a file aside that has grown beyond the limit, also after a reopen", async () => {
    const path = join(folder, "server.log");
    const target = fileTarget({ path, format, sizeLimit: 30 });
    target.write("INF", "short", NOW);
    expect(readdirSync(folder)).toEqual(["server.log"]);
    target.reopen();
    target.write("INF", "this one crosses the limit", NOW);
    const backup = "server.log.2026.11.22.13.38.19.714396789";
    expect(readdirSync(folder).toSorted()).toEqual(["server.log", backup]);
    expect(readFileSync(join(folder, backup), "utf8")).toBe("[1] [INF] short\n[1] [INF] this one crosses the limit\n");
    expect(readFileSync(path, "utf8")).toBe(
      `[1] [INF] Rotated log, backup saved as "${path}.2026.11.22.13.38.19.714396789"\n`,
    );
    await target.close();
  });

  it("goes on in the same file when it cannot be put aside, and tries again a limit's worth later", async () => {
    const path = join(folder, "server.log");
    const target = fileTarget({ path, format, sizeLimit: 40 });
    rmSync(path);
    for (let i = 0; i < 4; i++) target.write("INF", "a line of some length", NOW);
    // The file is gone: what is written to it is lost, but nothing fails.
    target.reopen();
    target.write("INF", "back", NOW);
    await target.close();
    expect(readFileSync(path, "utf8")).toContain("back");
  });
});
