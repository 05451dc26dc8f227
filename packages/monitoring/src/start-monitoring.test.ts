import { readFileSync } from "node:fs";
import { Agent, request as requestHttp } from "node:http";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type AskOptions, ask as askPort, type HttpAnswer } from "../test-support/ask.ts";
import { clockAt, FakeSource, fakeChannel, fakeSubscription } from "../test-support/fake-source.ts";
import { local, SAMPLE_TIMES } from "../test-support/golden.ts";
import { type MonitoringOptions, type MonitoringServer, startMonitoring } from "./start-monitoring.ts";

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");

let server: MonitoringServer | undefined;
afterEach(() => server?.close());

async function start(source: FakeSource, options: Partial<MonitoringOptions> = {}): Promise<MonitoringServer> {
  const clock = clockAt(SAMPLE_TIMES.serverz);
  server = await startMonitoring({ host: "127.0.0.1", port: 0, source, clock, ...options });
  return server;
}

const ask = (path: string, options: AskOptions = {}): Promise<HttpAnswer> => askPort(server?.port, path, options);

describe("startMonitoring()", () => {
  it("MON-02 serves HTTP on a port of its own, a free one for port 0", async () => {
    await start(new FakeSource());
    expect(server?.port).toBeGreaterThan(0);
    const answer = await ask("/streaming");
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
  });

  it("MON-02 serves HTTPS with the given certificate", async () => {
    const tls = { cert: fixture("localhost-cert.pem"), key: fixture("localhost-key.pem") };
    await start(new FakeSource(), { tls });
    const answer = await ask("/streaming/serverz", { trusted: fixture("localhost-cert.pem") });
    expect(answer.status).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/json");
  });

  it("fails with a code when the port is taken", async () => {
    const first = await start(new FakeSource());
    await expect(start(new FakeSource(), { port: first.port })).rejects.toMatchObject({
      code: "listen_failed",
      message: expect.stringMatching(/^unable to start monitoring server: .*EADDRINUSE/),
    });
  });

  it("fails with a code when the certificate cannot be used", async () => {
    await expect(start(new FakeSource(), { tls: { cert: "x", key: "y" } })).rejects.toMatchObject({
      code: "listen_failed",
      message: expect.stringMatching(/^unable to start monitoring server: /),
    });
  });

  it("gives a short answer its length and no newline at the end", async () => {
    await start(new FakeSource());
    for (const path of ["/streaming/serverz", "/streaming/channelsz", "/streaming/storez?callback=f"]) {
      const { headers, body } = await ask(path);
      expect(headers["content-length"]).toBe(String(Buffer.byteLength(body)));
      expect(body).toMatch(/[})]$/);
    }
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS"])("answers %s like GET", async (method) => {
    await start(new FakeSource());
    const answer = await ask("/streaming/serverz", { method });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe((await ask("/streaming/serverz")).body);
  });

  it("answers HEAD with the headers alone", async () => {
    await start(new FakeSource());
    const full = await ask("/streaming/serverz");
    const head = await ask("/streaming/serverz", { method: "HEAD" });
    expect(head.body).toBe("");
    expect(head.status).toBe(200);
    expect(head.headers["content-type"]).toBe("application/json");
    expect(head.headers["content-length"]).toBe(full.headers["content-length"]);
  });

  it.each([
    "/streaming/",
    "/streaming/nope",
    "/Streaming",
    "/streaming/Serverz",
    "/streaming/serverz/",
    "/streaming/%zz",
    "//streaming",
    "/varz",
  ])("answers 404 for %s", async (path) => {
    await start(new FakeSource());
    const answer = await ask(path);
    expect(answer.status).toBe(404);
    expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
    expect(answer.body).toBe("404 page not found\n");
  });

  it("decodes the path, and takes a target with scheme and host", async () => {
    await start(new FakeSource());
    expect((await ask("/streaming/%73erverz")).status).toBe(200);
    expect((await ask("http://example.com/streaming/serverz")).status).toBe(200);
  });

  it("decodes names in the query", async () => {
    const source = new FakeSource();
    source.channels.set("a b&c", fakeChannel("a b&c"));
    await start(source);
    expect(JSON.parse((await ask("/streaming/channelsz?channel=a+b%26c")).body)).toMatchObject({ name: "a b&c" });
    expect((await ask("/streaming/channelsz?channel=%3Cscript%3E")).body).toBe("Channel <script> not found\n");
  });

  it("MON-04 answers isFTActive without a content type", async () => {
    const source = new FakeSource();
    await start(source);
    const passive = await ask("/streaming/isFTActive");
    source.serverSnapshot = { ...source.serverSnapshot, state: "FT_ACTIVE" };
    const active = await ask("/streaming/isFTActive");
    expect([passive.status, active.status]).toEqual([204, 200]);
    expect([passive.headers["content-type"], active.headers["content-type"]]).toEqual([undefined, undefined]);
    expect([passive.body, active.body]).toEqual(["", ""]);
  });

  it("serves the extra routes, which cannot take the place of the streaming ones", async () => {
    const text = (body: string) => () => ({ status: 200, contentType: "application/json", body });
    const routes = new Map([
      ["/varz", text("{}")],
      ["/streaming/isFTActive", text("no")],
    ]);
    await start(new FakeSource(), { routes });
    expect(await ask("/varz")).toMatchObject({ status: 200, body: "{}" });
    expect((await ask("/streaming/isFTActive")).status).toBe(204);
  });

  it("answers a failing store with 500 and a line of text, and goes on", async () => {
    const source = new FakeSource();
    const logger = recordingLogger();
    await start(source, { logger });
    source.totalsFailure = new Error("on purpose");
    const text = "Error getting information about channels state: on purpose";
    for (const path of ["/streaming/serverz", "/streaming/storez"]) {
      const answer = await ask(path);
      expect(answer.status).toBe(500);
      expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      expect(answer.body).toBe(`${text}\n`);
    }
    expect(logger.lines).toEqual([
      `ERR Monitoring: GET /streaming/serverz: ${text}`,
      `ERR Monitoring: GET /streaming/storez: ${text}`,
    ]);
    source.totalsFailure = undefined;
    expect((await ask("/streaming/serverz")).status).toBe(200);
  });

  it("MON-10 answers subs=1 with 500 when a channel of the page cannot be read", async () => {
    const source = new FakeSource();
    source.channels.set("a", fakeChannel("a"));
    const messageState = (): never => {
      throw new Error("on purpose");
    };
    source.channels.set("b", { ...fakeChannel("b"), messageState });
    await start(source);
    expect((await ask("/streaming/channelsz")).status).toBe(200);
    expect(await ask("/streaming/channelsz?subs=1")).toMatchObject({
      status: 500,
      body: 'Error getting information about channel "b": unable to get message state: on purpose\n',
    });
  });

  it("sends a long list in pieces, whole and in order", async () => {
    const source = new FakeSource();
    const subscriptions = Array.from({ length: 10 }, () => fakeSubscription());
    for (let i = 0; i < 3_000; i++) {
      const name = `ch.${String(i).padStart(5, "0")}`;
      source.channels.set(name, fakeChannel(name, {}, subscriptions));
    }
    await start(source);
    const { headers, body } = await ask("/streaming/channelsz?subs=1&limit=5000");
    expect(headers["transfer-encoding"]).toBe("chunked");
    const answer = JSON.parse(body);
    expect(answer).toMatchObject({ count: 3_000, total: 3_000 });
    expect(answer.channels.map((channel: { name: string }) => channel.name)).toEqual(source.channels.page(0, 5_000));
    const head = await ask("/streaming/channelsz?subs=1&limit=5000", { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, body: "" });
  });

  it("cuts the connection when a channel cannot be read after the answer has begun", async () => {
    const source = new FakeSource();
    const subscriptions = Array.from({ length: 10 }, () => fakeSubscription());
    for (let i = 0; i < 3_000; i++) {
      const name = `ch.${String(i).padStart(5, "0")}`;
      source.channels.set(name, fakeChannel(name, {}, subscriptions));
    }
    const sequences = (): never => {
      throw new Error("on purpose");
    };
    source.channels.set("ch.99999", { ...fakeChannel("ch.99999"), sequences });
    await start(source);
    await expect(ask("/streaming/channelsz?subs=1&limit=5000")).rejects.toThrow("aborted");
    expect((await ask("/streaming/serverz")).status).toBe(200);
  });

  it("answers other requests while a reader takes nothing of a long list", async () => {
    const source = new FakeSource();
    const subscriptions = Array.from({ length: 100 }, () => fakeSubscription());
    for (let i = 0; i < 1_000; i++) source.channels.set(`ch.${i}`, fakeChannel(`ch.${i}`, {}, subscriptions));
    await start(source);
    const stuck = requestHttp({ host: "127.0.0.1", port: server?.port, path: "/streaming/channelsz?subs=1" });
    stuck.on("error", () => {});
    const begun = new Promise<void>((resolve) => stuck.once("response", () => resolve()));
    stuck.end();
    await begun;
    expect(source.channels.found.length).toBeLessThan(1_000);
    expect((await ask("/streaming/serverz")).status).toBe(200);
    stuck.destroy();
  });

  it("MON-17 answers from every state of the server, on one connection", async () => {
    const source = new FakeSource();
    await start(source);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const state of ["STANDALONE", "SHUTDOWN", "FT_STANDBY", "FT_ACTIVE", "FAILED"] as const) {
      source.serverSnapshot = { ...source.serverSnapshot, state };
      for (const name of ["serverz", "storez", "clientsz", "channelsz"]) {
        expect((await ask(`/streaming/${name}`, { agent })).status).toBe(200);
      }
      expect((await ask("/streaming/isFTActive", { agent })).status).toBe(state === "FT_ACTIVE" ? 200 : 204);
    }
    agent.destroy();
  });

  it("shows the time of the given clock", async () => {
    await start(new FakeSource());
    expect(JSON.parse((await ask("/streaming/serverz")).body).now).toBe(local(SAMPLE_TIMES.serverz));
  });

  it("stops listening and cuts idle connections on close, once and for all", async () => {
    const started = await start(new FakeSource());
    const agent = new Agent({ keepAlive: true });
    await ask("/streaming/serverz", { agent });
    await started.close();
    await started.close();
    await expect(ask("/streaming/serverz", { agent })).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    agent.destroy();
  });
});
