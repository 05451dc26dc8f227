import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { monitorAt } from "../harness/monitor.ts";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { openEmbeddedNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { fixtureDirectory, startFileServer } from "../harness/store-server.ts";
import { configFile, launchServer, untilReady } from "../harness/streaming-server.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

/** A server whose monitoring port is known; its broker listens on `port`. */
async function startServer(stage: Stage, config: string, args: readonly string[] = []) {
  const [port, monitorPort] = [await freePort(), await freePort()];
  const path = await configFile(stage, config);
  const listen = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort), "-sc", path];
  const server = await untilReady(await launchServer(stage, "server", [...listen, ...args]));
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${monitorPort}${path}`, init);
  return { ...server, port, monitorPort, ask };
}

async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  return Object.fromEntries(Object.entries((await response.json()) ?? {}));
}

const rows = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value : []);

describe("a running server", () => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const server = await startServer(suite, partitionConfig(["foo.*", "jobs"]));
    const client = await connectStan(suite, "me", { port: server.port });
    for (let i = 1; i <= 5; i++) await client.publish("foo.bar", JSON.stringify({ i }));
    const durable = { durableName: "dur", manualAcks: true, maxInFlight: 2, ackWaitMillis: 60_000 };
    await (await client.subscribe("foo.bar", durable)).messages.takeMany(2);
    return server;
  });

  it("gives metrics under the names of the exporter, with lag, latencies and the partition", async () => {
    const { ask } = await started();
    const response = await ask("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const text = await response.text();
    const value = (series: RegExp): number => Number(new RegExp(`^${series.source} (\\S+)$`, "m").exec(text)?.[1]);
    expect(value(/nss_server_msgs_total\{server="test-cluster"\}/)).toBe(5);
    expect(value(/nss_server_in_msgs_total\{server="test-cluster"\}/)).toBe(5);
    expect(value(/nss_chan_last_seq\{server="test-cluster",channel="foo\.bar"\}/)).toBe(5);
    expect(
      value(/nss_lag_messages\{server="test-cluster",channel="foo\.bar",kind="durable",name="dur",client_id="me"\}/),
    ).toBe(5);
    expect(value(/nss_chan_stalled_subscriptions\{server="test-cluster",channel="foo\.bar"\}/)).toBe(1);
    expect(value(/nss_chan_stalled_seconds\{server="test-cluster",channel="foo\.bar"\}/)).toBeGreaterThan(0);
    expect(value(/nss_publish_latency_seconds_count\{server="test-cluster"\}/)).toBe(5);
    expect(value(/nss_partition_servers\{server="test-cluster"\}/)).toBe(1);
  });

  it("shows its partition map and that it is ready", async () => {
    const { ask, serverId } = await started();
    expect(await jsonOf(await ask("/streaming/partitionsz"))).toMatchObject({
      partitioning: true,
      servers: [{ server_id: serverId, self: true, state: "serving", entries: ["foo.*", "jobs"] }],
      conflicts: [],
    });
    const ready = await ask("/readyz");
    expect(ready.status).toBe(200);
    expect(await jsonOf(ready)).toMatchObject({ status: "ready", role: "active", quarantined_channels: 0 });
    expect((await ask("/readyz?role=standby")).status).toBe(503);
    expect(await (await ask("/healthz")).text()).toBe('{"status":"ok"}');
  });

  it("shows messages by sequence, from the end and by time", async () => {
    const { ask } = await started();
    const read = async (query: string): Promise<string[]> => {
      const { messages } = await jsonOf(await ask(`/streaming/messagesz?channel=foo.bar&${query}`));
      if (!Array.isArray(messages)) throw new Error("no messages");
      return messages.map(({ seq, data }) => `${seq} ${Buffer.from(data, "base64")}`);
    };
    expect(await read("from=2&count=2")).toEqual(['2 {"i":2}', '3 {"i":3}']);
    expect(await read("last=1")).toEqual(['5 {"i":5}']);
    expect(await read("time=2000-01-01")).toHaveLength(5);
    expect(await read("time=2100-01-01")).toEqual([]);
    expect((await ask("/streaming/messagesz?channel=nope")).status).toBe(404);
  });

  it("shows a channel's limits and how far its durable is behind on request", async () => {
    const { monitorPort } = await started();
    expect(await monitorAt(monitorPort).get("channelsz?channel=foo.bar&details=1")).toMatchObject({
      limits: { max_msgs: 1_000_000 },
      backlogs: [{ kind: "durable", name: "dur", lag_msgs: 5, pending_count: 2, oldest_seq: 1, stalled_count: 1 }],
    });
  });

  it.skipIf(leaveOutNatsServer)(
    "answers /varz, /connz, /subsz, /routez and /healthz with the keys of nats-server",
    async () => {
      const { ask } = await started();
      const monitorPort = await freePort();
      const stage = testStage();
      const nats = await startNatsServer(stage, { args: ["-m", String(monitorPort)] });
      await connectStan(stage, "also-there", { port: nats.port }).catch(() => {});
      const theirs = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${monitorPort}${path}`);
      // What belongs to features that are not here, and what nobody knows of a single thread.
      const without = new Set(["system_account", "tls_timeout", "connect_urls"]);
      const keys = async (response: Response): Promise<string[]> =>
        Object.keys(await jsonOf(response)).filter((key) => !without.has(key));
      expect(await keys(await ask("/varz"))).toEqual(await keys(await theirs("/varz")));
      expect(await keys(await ask("/connz"))).toEqual(await keys(await theirs("/connz")));
      expect(await keys(await ask("/routez"))).toEqual(await keys(await theirs("/routez")));
      for (const query of ["", "?subs=1"]) {
        expect(await keys(await ask(`/subsz${query}`))).toEqual(await keys(await theirs(`/subsz${query}`)));
      }
      expect(await (await ask("/healthz")).text()).toBe(await (await theirs("/healthz")).text());
      for (const query of ["sort=nope", "offset=x", "subs=2", "state=foo"]) {
        const [mine, original] = [await ask(`/connz?${query}`), await theirs(`/connz?${query}`)];
        expect([mine.status, await mine.text()]).toEqual([original.status, await original.text()]);
      }
      for (const test of ["foo.*", "a..b"]) {
        const [mine, original] = [await ask(`/subsz?test=${test}`), await theirs(`/subsz?test=${test}`)];
        expect([mine.status, await mine.text()]).toEqual([original.status, await original.text()]);
      }
      // The same client at both: what is shown of its subscriptions.
      const shown: unknown[] = [];
      for (const [port, shows] of [
        [(await started()).port, ask],
        [nats.port, theirs],
      ] as const) {
        const client = await connectRaw(stage, { port, connect: { name: "looked-at" } });
        await client.subscribe("foo.one", "grp");
        (await client.subscribe("foo.>")).unsubscribe(9);
        client.publish("foo.two", "x");
        await client.flush();
        const connection = rows((await jsonOf(await shows("/connz?subs=detail")))["connections"]).find(
          ({ name }) => name === "looked-at",
        );
        const listed = rows((await jsonOf(await shows("/subsz?subs=1")))["subscriptions_list"]);
        const { subscriptions_list: reached } = await jsonOf(await shows("/subsz?subs=1&acc=$G&test=foo.one"));
        const counts = await Promise.all(
          ["user=nobody", "cid=99999", "acc=OTHER", "mqtt_client=x"].map(async (query) => {
            const { num_connections, total } = await jsonOf(await shows(`/connz?${query}`));
            return `${query}: ${num_connections} of ${total === 0 ? 0 : "all"}`;
          }),
        );
        const own = [
          ...rows(connection?.["subscriptions_list_detail"]),
          ...listed.filter(({ cid, subject }) => cid === connection?.["cid"] && String(subject).startsWith("foo.")),
        ];
        shown.push([
          own.map((one) => JSON.stringify({ ...one, cid: 0 })).sort(),
          rows(reached).map(({ subject }) => subject),
          counts,
        ]);
        client.vanish();
      }
      expect(shown[0]).toEqual([
        expect.objectContaining({ length: 4 }),
        ["foo.one", "foo.>"],
        ["user=nobody: 0 of all", "cid=99999: 0 of all", "acc=OTHER: 0 of 0", "mqtt_client=x: 0 of all"],
      ]);
      expect(shown[0]).toEqual(shown[1]);
      const { connections } = await jsonOf(await ask("/connz?subs=1"));
      expect(connections).toEqual([expect.objectContaining({ kind: "Client", subscriptions_list: expect.anything() })]);
    },
  );
});

describe("monitoring options", () => {
  it("asks for a token on everything but probes", async () => {
    const { ask } = await startServer(testStage(), 'monitoring { token: "s3cr3t" }');
    for (const path of ["/", "/metrics", "/streaming/serverz", "/varz"]) expect((await ask(path)).status).toBe(401);
    for (const path of ["/healthz", "/readyz"]) expect((await ask(path)).status).toBe(200);
    expect((await ask("/streaming/serverz", { headers: { Authorization: "Bearer s3cr3t" } })).status).toBe(200);
  });

  it("asks for a user and a password", async () => {
    const { ask } = await startServer(testStage(), 'monitoring { username: "ops", password: "pw" }');
    const basic = (text: string) => ({ headers: { Authorization: `Basic ${Buffer.from(text).toString("base64")}` } });
    expect((await ask("/streaming/serverz", basic("ops:wrong"))).status).toBe(401);
    expect((await ask("/streaming/serverz", basic("ops:pw"))).status).toBe(200);
  });

  it("shows no dashboard and no messages when told so", async () => {
    const { ask, port } = await startServer(testStage(), 'monitoring { dashboard: false, messages: "nobody" }');
    const client = await connectStan(testStage(), "me", { port });
    await client.publish("foo", "x");
    expect(await (await ask("/")).text()).not.toContain("<script");
    expect((await ask("/streaming/messagesz?channel=foo")).status).toBe(403);
  });
});

describe("readiness", () => {
  it("counts channels in quarantine, and refuses with strict=1", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "corrupted-crc-no-idx");
    const { ask } = await startServer(stage, "", ["-store", "file", "-dir", directory]);
    expect(await jsonOf(await ask("/readyz"))).toMatchObject({ status: "ready", quarantined_channels: 1 });
    expect((await ask("/readyz?strict=1")).status).toBe(503);
    expect(await (await ask("/metrics")).text()).toContain('nss_quarantined_channels{server="test-cluster"} 1');
  });

  it("tells the active member of a fault tolerance group from the one that stands by", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    await network.startServer({ config: 'id: "other-cluster"' });
    const directory = await tempDir(stage);
    const [first, second] = [await freePort(), await freePort()];
    const member = (port: number): Promise<unknown> =>
      network.launchServer({ args: ["-store", "file", "-dir", directory, "-ft_group", "ft", "-m", String(port)] });
    const role = async (port: number): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz?role=active`).catch(() => undefined);
      return response && `${response.status} ${(await jsonOf(response))["role"]}`;
    };
    await member(first);
    await expect.poll(() => role(first), { timeout: 20_000 }).toBe("200 active");
    await member(second);
    await expect.poll(() => role(second), { timeout: 20_000 }).toBe("503 standby");
    expect((await fetch(`http://127.0.0.1:${second}/readyz`)).status).toBe(200);
  });
});

it("reads messages that are only on disk, and knows the age of what an offline durable has not read", async () => {
  const stage = testStage();
  const directory = await tempDir(stage);
  const first = await startFileServer(stage, directory);
  const client = await connectStan(stage, "me", { port: first.port });
  await (await client.subscribe("foo", { durableName: "dur" })).close();
  for (let i = 1; i <= 3; i++) await client.publish("foo", `message ${i}`);
  await client.close();
  await first.child.stop();
  const second = await startFileServer(stage, directory);
  const { messages } = await second.monitor.get("messagesz?channel=foo&from=2");
  expect(messages).toEqual([
    expect.objectContaining({ seq: 2, data: Buffer.from("message 2").toString("base64") }),
    expect.objectContaining({ seq: 3 }),
  ]);
  expect(await second.monitor.get("channelsz?channel=foo&details=1")).toMatchObject({
    backlogs: [{ name: "dur", is_offline: true, lag_msgs: 3, oldest_seq: 1, oldest_age_ms: expect.any(Number) }],
  });
});
