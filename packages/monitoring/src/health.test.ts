import { describe, expect, it } from "vitest";
import { FakeSource, UNLIMITED } from "../test-support/fake-source.ts";
import { healthResponse, readyResponse } from "./health.ts";
import type { ServerPhase } from "./source.ts";

function serverIn(phase: ServerPhase): FakeSource {
  const source = new FakeSource();
  source.serverSnapshot = { ...source.serverSnapshot, phase };
  return source;
}

const ready = async (source: FakeSource, query = ""): Promise<{ status: number; body: unknown }> => {
  const { status, body } = await readyResponse(source, new URLSearchParams(query));
  return { status, body: typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : body };
};

describe("/healthz", () => {
  it.each(["starting", "recovering", "standby", "active"] as const)("is ok while a server is %s", (phase) => {
    expect(healthResponse(serverIn(phase))).toEqual({
      status: 200,
      contentType: "application/json",
      body: '{"status":"ok"}',
    });
  });

  it.each(["failed", "stopped"] as const)("asks for a restart when a server has %s", (phase) => {
    const { status, body } = healthResponse(serverIn(phase));
    expect(status).toBe(503);
    expect(body).toBe(`{"status":"unavailable","error":"the server has ${phase}"}`);
  });
});

describe("/readyz", () => {
  it.each([
    ["active", 200, 200, 503],
    ["standby", 200, 503, 200],
    ["starting", 503, 503, 503],
    ["recovering", 503, 503, 503],
    ["failed", 503, 503, 503],
    ["stopped", 503, 503, 503],
  ] as const)(
    "answers for %s with %i, as the active one with %i, as a standby with %i",
    async (phase, any, active, standby) => {
      const source = serverIn(phase);
      expect(await ready(source)).toMatchObject({ status: any, body: { role: phase } });
      expect((await ready(source, "role=active")).status).toBe(active);
      expect((await ready(source, "role=standby")).status).toBe(standby);
    },
  );

  it("counts channels in quarantine and conflicts, which only count when asked", async () => {
    const source = serverIn("active");
    source.storeSnapshot = {
      type: "FILE",
      limits: { maxChannels: 0, ...UNLIMITED, channels: [] },
      quarantined: [{ name: "foo", reason: "broken" }],
    };
    expect(await ready(source)).toEqual({
      status: 200,
      body: { status: "ready", role: "active", state: "STANDALONE", quarantined_channels: 1, conflicts: 0 },
    });
    expect(await ready(source, "strict=1")).toMatchObject({ status: 503, body: { status: "not ready" } });
    source.storeSnapshot = { ...source.storeSnapshot, quarantined: [] };
    expect((await ready(source, "strict=1")).status).toBe(200);
    source.partitionMap = {
      servers: [],
      conflicts: [{ name: "foo", servers: ["A", "B"] }],
      unowned: [],
      isComplete: true,
    };
    expect(await ready(source, "strict=1")).toMatchObject({ status: 503, body: { conflicts: 1 } });
  });

  it("names no channel, for it is answered to everybody", async () => {
    const source = serverIn("active");
    source.storeSnapshot = {
      type: "FILE",
      limits: { maxChannels: 0, ...UNLIMITED, channels: [] },
      quarantined: [{ name: "secret.name", reason: "broken" }],
    };
    expect(JSON.stringify(await ready(source))).not.toContain("secret");
  });

  it("refuses a role that does not exist, with the remedy", async () => {
    expect(await ready(serverIn("active"), "role=leader")).toEqual({
      status: 400,
      body: 'Invalid role "leader": use role=active or role=standby\n',
    });
  });
});
