import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ask } from "../test-support/ask.ts";
import { clockAt, FakeSource, fakeChannel } from "../test-support/fake-source.ts";
import { SAMPLE_TIMES } from "../test-support/golden.ts";
import { type MonitoringOptions, startMonitoring } from "./start-monitoring.ts";

const releases: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const release of releases.splice(0)) await release();
});

async function start(options: Partial<MonitoringOptions> = {}, source = new FakeSource()): Promise<number> {
  const server = await startMonitoring({
    host: "127.0.0.1",
    port: 0,
    source,
    clock: clockAt(SAMPLE_TIMES.serverz),
    ...options,
  });
  releases.push(() => server.close());
  return server.port;
}

describe("the page at /", () => {
  it("links to everything where there is no dashboard", async () => {
    const port = await start();
    const { status, headers, body } = await ask(port, "/");
    expect({ status, type: headers["content-type"] }).toEqual({ status: 200, type: "text/html; charset=utf-8" });
    const links = [...body.matchAll(/href="\.(\/[a-z]+)"/g)].map(([, path]) => path ?? "");
    expect(links).toEqual(["/streaming", "/metrics", "/healthz", "/readyz"]);
    for (const path of links) expect((await ask(port, path)).status).toBe(200);
  });

  async function builtDashboard(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), "dashboard-"));
    releases.push(() => rm(directory, { recursive: true }));
    await mkdir(join(directory, "assets"));
    await writeFile(join(directory, "index.html"), "<!DOCTYPE html>the dashboard");
    await writeFile(join(directory, "assets", "index-a1b2.js"), "run()");
    await writeFile(join(directory, "notes.txt"), "not for the world");
    return directory;
  }

  it("is the dashboard, whose files may be loaded from here alone", async () => {
    const port = await start({ dashboard: await builtDashboard() });
    const page = await ask(port, "/");
    expect(page).toMatchObject({ status: 200, body: "<!DOCTYPE html>the dashboard" });
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(page.headers["cache-control"]).toBe("no-cache");
    const script = await ask(port, "/assets/index-a1b2.js");
    expect(script).toMatchObject({ status: 200, body: "run()" });
    expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect(script.headers["cache-control"]).toContain("immutable");
  });

  it("hands out nothing else of the disk", async () => {
    const directory = await builtDashboard();
    await symlink("/etc/hostname", join(directory, "assets", "link.json"));
    const port = await start({ dashboard: directory });
    for (const path of [
      "/notes.txt",
      "/assets",
      "/assets/link.json",
      "/../index.html",
      "/%2e%2e/%2e%2e/etc/hostname",
    ]) {
      expect((await ask(port, path)).status).toBe(404);
    }
  });

  it("fails with a code when there is no dashboard in the folder", async () => {
    await expect(start({ dashboard: "/nowhere/at/all" })).rejects.toMatchObject({ code: "dashboard_missing" });
    const directory = await mkdtemp(join(tmpdir(), "dashboard-"));
    releases.push(() => rm(directory, { recursive: true }));
    await expect(start({ dashboard: directory })).rejects.toThrow("there is no index.html in");
  });
});

describe("a guard", () => {
  const guard = { kind: "token", token: "s3cr3t" } as const;
  const bearer = { Authorization: "Bearer s3cr3t" };

  it("asks for the token on every path but those of probes, also on paths that do not exist", async () => {
    const port = await start({ guard });
    for (const path of ["/", "/metrics", "/streaming", "/streaming/serverz", "/nope"]) {
      const refused = await ask(port, path);
      expect(refused.status).toBe(401);
      expect(refused.headers["www-authenticate"]).toMatch(/^Basic realm=/);
      expect(refused.body).toContain("asks for a token or a password");
    }
    expect((await ask(port, "/streaming/serverz", { headers: { Authorization: "Bearer wrong" } })).status).toBe(401);
    for (const path of ["/healthz", "/readyz"]) expect((await ask(port, path)).status).toBe(200);
    expect((await ask(port, "/streaming/serverz", { headers: bearer })).status).toBe(200);
    expect((await ask(port, "/nope", { headers: bearer })).status).toBe(404);
  });

  it("does not answer pages of other sites with the password that a browser remembers; links work", async () => {
    const port = await start({ guard });
    const foreign = { ...bearer, "Sec-Fetch-Site": "cross-site" };
    expect(
      (await ask(port, "/streaming/serverz?callback=steal", { headers: { ...foreign, "Sec-Fetch-Mode": "no-cors" } }))
        .status,
    ).toBe(403);
    expect((await ask(port, "/", { headers: { ...foreign, "Sec-Fetch-Mode": "navigate" } })).status).toBe(200);
    expect((await ask(port, "/", { headers: { ...bearer, "Sec-Fetch-Site": "same-origin" } })).status).toBe(200);
  });

  it("lets those who pass it see messages from anywhere", async () => {
    const source = new FakeSource();
    source.channels.set("foo", fakeChannel("foo"));
    const port = await start({ guard }, source);
    const path = "/streaming/messagesz?channel=foo";
    expect((await ask(port, path, { headers: { ...bearer, Host: "monitor.example.com" } })).status).toBe(200);
  });
});

describe("messages without a guard", () => {
  it.each([
    ["127.0.0.1", 200],
    ["localhost", 200],
    ["[::1]", 200],
    ["localhost.example.com", 403],
    ["rebound.example.com", 403],
  ])("are shown to this machine when it calls %s: %i", async (name, status) => {
    const source = new FakeSource();
    source.channels.set("foo", fakeChannel("foo"));
    const port = await start({}, source);
    const answer = await ask(port, "/streaming/messagesz?channel=foo", { headers: { Host: `${name}:${port}` } });
    expect(answer.status).toBe(status);
  });
});
