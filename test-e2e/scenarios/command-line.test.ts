import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { configFile, launchServer, runServer, SERVER_VERSION, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { THREE_CHANNELS } from "./examples.ts";

describe("the command line", () => {
  it.each([["-v"], ["--v"], ["-version"], ["--version"], ["version"]])(
    "CONF 4.1: %s prints the version on standard output and exits 0",
    async (flag) => {
      const end = await runServer(testStage(), [flag]);
      expect({ code: end.code, stdout: end.stdout, stderr: end.stderr }).toEqual({
        code: 0,
        stdout: `nats-streaming-server version ${SERVER_VERSION}, nats-server: v2.9.10-compatible\n`,
        stderr: "",
      });
    },
  );

  it.each([["-h"], ["--help"], ["help"]])(
    "CONF 4.1: %s prints the usage on standard output and exits 0",
    async (flag) => {
      const end = await runServer(testStage(), [flag]);
      expect({ code: end.code, stderr: end.stderr }).toEqual({ code: 0, stderr: "" });
      for (const known of ["-sc", "-cid", "-store", "-ns", "-SD", "-p"]) expect(end.stdout).toContain(known);
    },
  );

  for (const { args, error } of [
    { args: ["-partitionned"], error: "flag provided but not defined: -partitionned" },
    { args: ["--foo=1"], error: "flag provided but not defined: -foo" },
    { args: ["-p", "abc"], error: 'invalid value "abc" for flag -p: parse error' },
    { args: ["-p"], error: "flag needs an argument: -p" },
    { args: ["-SD=maybe"], error: 'invalid boolean value "maybe" for -SD: parse error' },
  ]) {
    it(`CONF 4.1: ${args.join(" ")} is refused with "${error}", the usage and exit code 2`, async () => {
      const end = await runServer(testStage(), args);
      expect({ code: end.code, firstLine: end.stderr.split("\n")[0] }).toEqual({ code: 2, firstLine: error });
      expect(end.stdout).toContain("-sc");
    });
  }

  for (const { args, error } of [
    { args: ["bogus"], error: 'unrecognized command: "bogus"' },
    { args: ["-SD", "true"], error: 'unrecognized command: "true"' },
    { args: ["-sc", "nope.conf"], error: "open nope.conf: no such file or directory" },
    { args: ["-mb", "12abc"], error: "mb should be a size, got '12abc'" },
    { args: ["-t"], error: "must specify [-c, --config] option to check configuration file syntax" },
  ]) {
    it(`CONF 4.1: ${args.join(" ")} is refused with "${error}" and exit code 1`, async () => {
      const end = await runServer(testStage(), args);
      expect({ code: end.code, stdout: end.stdout, firstLine: end.stderr.split("\n")[0] }).toEqual({
        code: 1,
        stdout: "",
        firstLine: error,
      });
    });
  }

  it("CONF 4.1: one and two dashes, separate values and values after = mean the same", async () => {
    const stage = testStage();
    const port = await freePort();
    const args = ["--cid=dashes", "-a=127.0.0.1", "--p", String(port), "--SD=true", "-store=memory"];
    const child = await launchServer(stage, "server with mixed flags", args);
    const server = await untilReady(child);
    const texts = server.log.map(({ text }) => text);
    expect(texts[0]).toBe(`STREAM: Starting nats-streaming-server[dashes] version ${SERVER_VERSION}`);
    expect(texts).toContain("STREAM: Publish subject:            _STAN.pub.dashes.>");
  });
});

describe("a configuration with an unknown key", () => {
  const config = 'streaming {\n  partitionning: true\n  store_limits { channels { "foo": {} } }\n}\n';

  it("CONF 11.4: is warned about with file, line and the nearest known key, and the server starts", async () => {
    const stage = testStage();
    const path = await configFile(stage, config);
    const port = String(await freePort());
    const child = await launchServer(stage, "server", ["-sc", path, "-a", "127.0.0.1", "-p", port]);
    const warning = await child.line("partitionning");
    expect(warning).toContain("[WRN] ");
    expect(warning).toContain(`${path}:2`);
    expect(warning).toMatch(/\bpartitioning\b/);
    await untilReady(child);
  });

  it("CONF 4.1: is an error for -t, which names file, line and the nearest known key and exits 1", async () => {
    const stage = testStage();
    const path = await configFile(stage, config);
    const end = await runServer(stage, ["-t", "-c", path]);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`${path}:2`);
    expect(end.stderr).toMatch(/partitionning.*\bpartitioning\b/s);
  });

  it("CONF 4.1: -t accepts a good file, starts nothing and exits 0", async () => {
    const end = await runServer(testStage(), ["-t", "-c", THREE_CHANNELS.path]);
    expect(end.code).toBe(0);
    expect(end.stderr).not.toContain("Streaming Server is ready");
  });
});

describe("signals", () => {
  for (const { signal, code } of [
    { signal: "SIGINT", code: 0 },
    { signal: "SIGTERM", code: 143 },
  ] as const) {
    it(`OPER 2: ${signal} shuts the server down in order with exit code ${code}`, async () => {
      const stage = testStage();
      const args = ["-a", "127.0.0.1", "-p", String(await freePort())];
      const child = await launchServer(stage, "server", args);
      await untilReady(child);
      const end = await child.stop(signal);
      expect({ code: end.code, signal: end.signal, stdout: end.stdout }).toEqual({ code, signal: null, stdout: "" });
      const texts = child.lines.map((line) => line.replace(/^.*\[INF\] /, ""));
      const closing = ["STREAM: Shutting down.", "Initiating Shutdown...", "Server Exiting.."];
      expect(texts.filter((text) => closing.includes(text))).toEqual(closing);
    });
  }

  it.each(["SIGUSR1", "SIGUSR2"] as const)("OPER 2: %s does not end the server", async (signal) => {
    const stage = testStage();
    const port = String(await freePort());
    const child = await launchServer(stage, "server", ["-a", "127.0.0.1", "-p", port]);
    await untilReady(child);
    child.signal(signal);
    if (signal === "SIGUSR1") await child.line("STREAM: File log re-open ignored, not a file logger");
    expect((await child.stop()).code).toBe(0);
  });
});
