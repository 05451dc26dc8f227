import { type RunningServer, runServer, ServerError } from "@nats-streaming/server";
import { describe, expect, it } from "vitest";
import { createMailbox } from "../harness/mailbox.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan, type StanClient } from "../harness/stan.ts";
import { testStage } from "../harness/test-stage.ts";

function portOf(server: RunningServer): number {
  return Number(new URL(server.clientUrl).port);
}

function connect(stage: Stage, server: RunningServer, clientId: string): Promise<StanClient> {
  return connectStan(stage, clientId, { port: portOf(server) });
}

describe("runServer()", () => {
  it("OPS-08 OPS-22 serves inside the process, prints nothing, and is stopped by its scope", async () => {
    const stage = testStage();
    const lines: string[] = [];
    let last: RunningServer;
    {
      await using server = await runServer({ port: -1 }, { onLog: (level, text) => lines.push(`${level} ${text}`) });
      last = server;
      expect([server.state, server.lastError]).toEqual(["STANDALONE", undefined]);
      const client = await connect(stage, server, "embedded");
      await client.publish("foo", "hello");
      const subscription = await client.subscribe("foo");
      expect((await subscription.messages.take()).text).toBe("hello");
      await client.close();
    }
    expect(last.state).toBe("SHUTDOWN");
    expect(lines).toContain("INF STREAM: Streaming Server is ready");
    expect(lines.at(-1)).toBe("INF Server Exiting..");
  });

  it("runs several servers side by side that share nothing", async () => {
    const stage = testStage();
    await using one = await runServer({ port: -1, cluster_id: "test-cluster" });
    await using two = await runServer({ port: -1, cluster_id: "test-cluster" });
    expect(one.serverId).not.toBe(two.serverId);
    const [first, second] = [await connect(stage, one, "same"), await connect(stage, two, "same")];
    await first.publish("foo", "of one");
    await second.publish("foo", "of two");
    for (const [client, text] of [
      [first, "of one"],
      [second, "of two"],
    ] as const) {
      const subscription = await client.subscribe("foo");
      expect((await subscription.messages.take()).text).toBe(text);
      expect(subscription.messages.all).toHaveLength(1);
    }
    await first.close();
    await second.close();
  });

  it("OPS-11 closes twice without harm, and keeps what a file store holds", async () => {
    const stage = testStage();
    const config = { port: -1, store: "file", dir: await tempDir(stage) };
    const first = await runServer(config);
    const client = await connect(stage, first, "keeper");
    await client.publish("foo", "kept");
    client.vanish();
    await Promise.all([first.close(), first.close()]);
    await first.close();
    await using second = await runServer(config);
    const again = await connect(stage, second, "keeper");
    expect((await (await again.subscribe("foo")).messages.take()).text).toBe("kept");
    await again.close();
  });

  it("a second one on the same directory is refused, though both are in one process", async () => {
    const stage = testStage();
    const config = { port: -1, store: "file", dir: await tempDir(stage) };
    await using _first = await runServer(config);
    const refusal = await runServer(config).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ServerError);
    expect(refusal).toMatchObject({
      code: "start_failed",
      message: expect.stringContaining("is in use by another server"),
    });
  });

  it("says what is wrong with options, with the place and the remedy", async () => {
    const wrong = [
      [{ store: "tape" }, "unknown store type: tape"],
      [{ store_limits: { channels: { "foo..bar": {} } } }, 'invalid channel name "foo..bar"'],
      [{ hb_interval: "soon" }, 'time: invalid duration "soon"'],
    ] as const;
    for (const [config, message] of wrong) {
      await expect(runServer(config)).rejects.toMatchObject({
        code: "invalid_options",
        message: expect.stringContaining(message),
      });
    }
  });

  it("a fatal condition fails the server with an event, and leaves the process alone", async () => {
    const stage = testStage();
    await using network = await runServer({ port: -1, cluster_id: "network" });
    const partition = (channel: string): Promise<RunningServer> =>
      runServer({
        nats_server_url: network.clientUrl,
        cluster_id: "parts",
        partitioning: true,
        store_limits: { channels: { [channel]: {} } },
      });
    await using first = await partition("foo");
    await expect(partition("foo")).rejects.toMatchObject({
      code: "start_failed",
      message: expect.stringContaining('channel "foo" causes conflict with channels on server'),
    });
    expect(first.state).toBe("STANDALONE");
    stage.defer(() => first.close());
  });

  it("tells a fault tolerance member's host when it becomes active", async () => {
    const stage = testStage();
    await using network = await runServer({ port: -1, cluster_id: "network" });
    const config = {
      nats_server_url: network.clientUrl,
      cluster_id: "pair",
      ft_group: "pair",
      store: "file",
      dir: await tempDir(stage),
    };
    const first = await runServer(config);
    const events = createMailbox<string>("events");
    const second = await runServer(config);
    stage.defer(() => second.close());
    second.on("active", () => events.push("active"));
    expect(second.state).toBe("FT_STANDBY");
    while (first.state !== "FT_ACTIVE") await new Promise<void>((resolve) => setImmediate(resolve));
    await first.close();
    await events.take({ what: "the second member to become active" });
    expect(second.state).toBe("FT_ACTIVE");
  });
});
