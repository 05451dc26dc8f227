import { freePort } from "@nats-streaming/kernel/testing";
import { expect, it } from "vitest";
import { type Cable, createCable } from "../harness/cable.ts";
import { type NatsServer, startNatsServer } from "../harness/nats-server.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { SUBJECTS } from "../harness/raw-stan.ts";
import type { Stage } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { decodeCtrlMsg } from "../harness/stan-wire.ts";
import { configFile, launchServer, readLog, type StreamingServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

it("W5 a), PART-09: two servers with one channel, whose NATS servers join later, notice it and do not both go on", async () => {
  const stage = testStage();
  const { left, right, cable } = await separateServers(stage);
  const servers = await Promise.all([
    partitionServer(stage, left, "left", "foo"),
    partitionServer(stage, right, "right", "foo"),
  ]);
  const watcher = await connectRaw(stage, { port: left.port });
  const lists = await watcher.subscribe(SUBJECTS.partition);

  await cable.plug();

  const failed = await Promise.race(servers.map(async (server) => ({ server, end: await server.child.exit(20_000) })));
  expect(failed.end.code).toBe(1);
  const other = servers.find((server) => server !== failed.server);
  const fatal = readLog(failed.end.stderr.trimEnd().split("\n")).filter(({ level }) => level === "FTL");
  expect(fatal.map(({ text }) => text)).toEqual([
    `STREAM: Partitioning error: channel "foo" causes conflict with channels on server "${other?.serverId}"`,
  ]);
  const senders = lists.messages.all.map(({ payload }) => decodeCtrlMsg(payload).serverId);
  expect(senders).toContain(failed.server.serverId);
});

it("W5 a): two servers with different lists, whose NATS servers join later, go on and serve each other's clients", async () => {
  const stage = testStage();
  const { left, right, cable } = await separateServers(stage);
  await Promise.all([partitionServer(stage, left, "left", "foo"), partitionServer(stage, right, "right", "bar")]);
  const watcher = await connectRaw(stage, { port: left.port });
  const lists = await watcher.subscribe(SUBJECTS.partition);

  await cable.plug();

  const senders = (await lists.messages.takeMany(2)).map(({ payload }) => decodeCtrlMsg(payload).serverId);
  expect(new Set(senders).size).toBe(2);
  const client = await connectStan(stage, "across", { port: right.port });
  await client.publish("foo", "over the route");
  await client.publish("bar", "here");
  const subscription = await client.subscribe("foo");
  expect((await subscription.messages.take()).text).toBe("over the route");
  await client.close();
});

/** Two NATS servers that will be one cluster as soon as the cable is plugged in. */
async function separateServers(
  stage: Stage,
): Promise<{ readonly left: NatsServer; readonly right: NatsServer; readonly cable: Cable }> {
  const routePort = await freePort();
  const right = await startNatsServer(stage, {
    config: `cluster { name: "joined", listen: "127.0.0.1:${routePort}" }\n`,
  });
  const cable = await createCable(stage, routePort);
  const left = await startNatsServer(stage, {
    config: `cluster { name: "joined", listen: "127.0.0.1:${await freePort()}", routes: ["nats://127.0.0.1:${cable.port}"] }\n`,
  });
  return { left, right, cable };
}

async function partitionServer(
  stage: Stage,
  nats: NatsServer,
  name: string,
  channel: string,
): Promise<StreamingServer> {
  const path = await configFile(stage, partitionConfig([channel]));
  return untilReady(await launchServer(stage, `${name} partition`, ["-ns", nats.url, "-sc", path]));
}
