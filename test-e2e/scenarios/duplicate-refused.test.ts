import { expect, it } from "vitest";
import { onBothBuses, openExternalNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { SUBJECTS } from "../harness/raw-stan.ts";
import { connectStan } from "../harness/stan.ts";
import { decodeChannelNames, decodeCtrlMsg, PARTITIONING } from "../harness/stan-wire.ts";
import { readLog, serverIdOf } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

onBothBuses("W3: a newcomer with a channel of a running server", (openNetwork) => {
  it("W3, PART-07: is refused with the name and the server's ID, exits 1, and the running server serves on", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const running = await network.startServer({ config: partitionConfig(["foo", "bar"]) });
    const client = await connectStan(stage, "before-and-after", { port: network.port });
    await client.publish("bar", "before");
    const linesBefore = running.child.lines.length;

    const newcomer = await network.runServer({ config: partitionConfig(["bar"]) });

    const log = readLog(newcomer.stderr.trimEnd().split("\n"));
    const last = log.at(-1);
    expect({ code: newcomer.code, stdout: newcomer.stdout, level: last?.level, text: last?.text }).toEqual({
      code: 1,
      stdout: "",
      level: "FTL",
      text: `STREAM: Failed to start: channel "bar" causes conflict with channels on server "${running.serverId}"`,
    });
    expect(log.map(({ text }) => text)).not.toContain("STREAM: Recovering the state...");

    await client.publish("bar", "after");
    const subscription = await client.subscribe("bar");
    expect((await subscription.messages.takeMany(2)).map(({ text }) => text)).toEqual(["before", "after"]);
    await client.close();
    const serious = running.log.slice(linesBefore).filter(({ level }) => level === "ERR" || level === "FTL");
    expect(serious).toEqual([]);
  });

  it("PART-D6: leaves a warning with the channel and its own ID on the running server", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const running = await network.startServer({ config: partitionConfig(["foo", "bar"]) });
    const newcomer = await network.runServer({ config: partitionConfig(["bar"]) });
    const newcomerId = serverIdOf(newcomer.stderr.trimEnd().split("\n"));
    const warning = await running.child.line(newcomerId);
    expect(warning).toContain("[WRN] STREAM: ");
    expect(warning).toContain('"bar"');
  });

  it("W3: the exchange is one request of 33 bytes and one reply of 31 bytes", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const running = await network.startServer({ config: partitionConfig(["foo", "bar"]) });
    const watcher = await connectRaw(stage, { port: network.port });
    const requests = await watcher.subscribe(SUBJECTS.partition);
    const inboxes = await watcher.subscribe("_INBOX.>");

    const newcomer = await network.runServer({ config: partitionConfig(["bar"]) });

    const request = await requests.messages.take();
    const sent = decodeCtrlMsg(request.payload);
    expect(request.payload).toHaveLength(33);
    expect({ type: sent.type, serverId: sent.serverId, names: decodeChannelNames(sent.data) }).toEqual({
      type: PARTITIONING,
      serverId: serverIdOf(newcomer.stderr.trimEnd().split("\n")),
      names: ["bar"],
    });
    expect(request.reply).toMatch(/^_INBOX\.[0-9A-Za-z]{22}/);

    const reply = await inboxes.messages.take({ where: ({ subject }) => subject === request.reply });
    expect(reply.payload).toHaveLength(31);
    expect(decodeCtrlMsg(reply.payload)).toEqual({
      type: PARTITIONING,
      serverId: running.serverId,
      data: Buffer.from("bar"),
    });

    await watcher.flush();
    expect(requests.messages.all).toHaveLength(1);
    expect(inboxes.messages.all.filter(({ subject }) => subject === request.reply)).toHaveLength(1);
  });

  for (const { own, newcomer, named, id } of [
    { own: "foo.*", newcomer: "foo.bar", named: "foo.bar", id: "PART-08" },
    { own: "foo.*", newcomer: ">", named: "foo.*", id: "PART-08" },
    { own: "foo.bar", newcomer: "foo.*", named: "foo.bar", id: "PART-08" },
    { own: "foo.*", newcomer: "*.bar", named: "*.bar", id: "PART-D2" },
  ]) {
    it(`${id}: a newcomer with ${newcomer} fails beside ${own}, naming ${named}`, async () => {
      const stage = testStage();
      const network = await openNetwork(stage);
      const running = await network.startServer({ config: partitionConfig([own]) });
      const end = await network.runServer({ config: partitionConfig([newcomer]) });
      expect(end.code).toBe(1);
      expect(readLog(end.stderr.trimEnd().split("\n")).at(-1)?.text).toBe(
        `STREAM: Failed to start: channel "${named}" causes conflict with channels on server "${running.serverId}"`,
      );
    });
  }
});

it("W3, PART-07: of two servers with the same list that start at the same instant, at most one survives", async () => {
  const stage = testStage();
  const network = await openExternalNetwork(stage);
  const [first, second] = await Promise.all([
    network.launchServer({ config: partitionConfig(["foo"]) }),
    network.launchServer({ config: partitionConfig(["foo"]) }),
  ]);
  const verdict = async (child: typeof first): Promise<"ready" | "refused"> => {
    try {
      await child.line("STREAM: Streaming Server is ready", 20_000);
      return "ready";
    } catch {
      const { code } = await child.exit();
      expect(code).toBe(1);
      await child.line(/STREAM: Failed to start: channel "foo" causes conflict with channels on server "\w{22}"$/);
      return "refused";
    }
  };
  const verdicts = await Promise.all([verdict(first), verdict(second)]);
  expect(verdicts.filter((one) => one === "ready").length).toBeLessThanOrEqual(1);
});
