import { describe, expect, it } from "vitest";
import { onBothBuses, openEmbeddedNetwork } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan } from "../harness/raw-stan.ts";
import { connectStan } from "../harness/stan.ts";
import { readLog, SERVER_VERSION } from "../harness/streaming-server.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { IGNORED_MILLIS, THREE_CHANNELS } from "./examples.ts";

onBothBuses("W1: the example of three channels", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    const server = await network.startServer({ config: THREE_CHANNELS, args: ["-SD"] });
    return { network, server };
  });

  it("W1 step 1: the log shows the listed subjects and channels, in order", async () => {
    const { server } = await started();
    const texts = server.log.map(({ level, text }) => `[${level}] ${text}`);
    const expected = [
      `[INF] STREAM: Starting nats-streaming-server[test-cluster] version ${SERVER_VERSION}`,
      `[INF] STREAM: ServerID: ${server.serverId}`,
      "[INF] STREAM: Recovering the state...",
      "[INF] STREAM: No recovered state",
      "[DBG] STREAM: Discover subject:           _STAN.discover.test-cluster",
      "[DBG] STREAM: Publish subjects root:      _STAN.pub.test-cluster",
      "[DBG] STREAM: Subscribe subject:          _STAN.sub.test-cluster",
      "[DBG] STREAM: Subscription Close subject: _STAN.subclose.test-cluster",
      "[DBG] STREAM: Unsubscribe subject:        _STAN.unsub.test-cluster",
      "[DBG] STREAM: Close subject:              _STAN.close.test-cluster",
      "[INF] STREAM: Message store is MEMORY",
      "[INF] STREAM: -------- List of Channels --------",
      "[INF] STREAM: foo",
      "[INF] STREAM: bar",
      "[INF] STREAM: baz.*",
      "[INF] STREAM: ----------------------------------",
      "[INF] STREAM: Streaming Server is ready",
    ];
    expect(texts.filter((text) => expected.includes(text))).toEqual(expected);
    // Entries without limits of their own inherit all of them: nothing is printed below their names.
    const list = texts.indexOf("[INF] STREAM: -------- List of Channels --------");
    expect(texts.slice(list)).toEqual(expected.slice(-6));
    expect(texts).not.toContain("[DBG] STREAM: Publish subject:            _STAN.pub.test-cluster.>");
  });

  it("W1: listing a channel does not create it (section 4)", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({ config: THREE_CHANNELS });
    expect(await server.monitor.channelNames()).toEqual([]);
  });

  it.each(["foo", "bar", "baz.one"])(
    "W1 step 2, PART-05: publishing to the listed %s is acknowledged and what was published is delivered",
    async (channel) => {
      const stage = testStage();
      const { network, server } = await started();
      const client = await connectStan(stage, `w1-listed-${channel.replace(".", "-")}`, { port: network.port });
      await client.publish(channel, `to ${channel}`);
      await server.child.line(`STREAM: Channel "${channel}" has been created`);
      const subscription = await client.subscribe(channel);
      const message = await subscription.messages.take();
      expect({ text: message.text, sequence: message.sequence }).toEqual({ text: `to ${channel}`, sequence: 1 });
      await subscription.unsubscribe();
      await client.close();
    },
  );

  it.each(["baz.one.two", "qux", "baz"])(
    "W1 step 2, PART-05: publishing to the unlisted %s is not answered, so that the library gives up",
    async (channel) => {
      const stage = testStage();
      const { network, server } = await started();
      const client = await connectStan(stage, `w1-unlisted-${channel.replaceAll(".", "-")}`, {
        port: network.port,
        ackMillis: IGNORED_MILLIS,
        requestMillis: IGNORED_MILLIS,
      });
      await expect(client.publish(channel, "for nobody")).rejects.toThrow("stan: publish ack timeout");
      await expect(client.subscribe(channel)).rejects.toThrow("stan: subscribe request timeout");
      expect(await server.monitor.channelNames()).not.toContain(channel);
      await client.close();
    },
  );

  it("W1 step 2: publishing to the wildcard itself is refused at once", async () => {
    const stage = testStage();
    const { network } = await started();
    const client = await connectStan(stage, "w1-wildcard", { port: network.port });
    await expect(client.publish("baz.*", "for all")).rejects.toThrow("stan: invalid publish request");
    await client.close();
  });

  it("PART-D7: a publish whose message names a channel outside the list is refused and creates nothing", async () => {
    const stage = testStage();
    const { network, server } = await started();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "w1-sneaky");
    const ack = await session.publish("sneaky", "x", { subject: "_STAN.pub.test-cluster.foo" });
    expect(ack.error).toBe("stan: invalid publish request");
    expect(await server.monitor.channelNames()).not.toContain("sneaky");
  });

  it("W1 step 3: SIGINT ends the server in order with exit code 0", async () => {
    const stage = testStage();
    const network = await openNetwork(stage);
    const server = await network.startServer({ config: THREE_CHANNELS });
    const end = await server.child.stop("SIGINT");
    expect({ code: end.code, signal: end.signal, stdout: end.stdout }).toEqual({ code: 0, signal: null, stdout: "" });
    expect(readLog(server.child.lines).map(({ text }) => text)).toContain("STREAM: Shutting down.");
  });
});

describe("W1: the banner of the embedded broker", () => {
  it("W1: one file feeds both sides, and the broker says where it listens", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    const server = await network.startServer({ config: THREE_CHANNELS });
    const texts = server.log.map(({ text }) => text);
    const expected = [
      "Starting nats-server",
      `Using configuration file: ${THREE_CHANNELS.path}`,
      `Listening for client connections on 127.0.0.1:${network.port}`,
      "Server is ready",
    ];
    expect(texts.filter((text) => expected.includes(text))).toEqual(expected);
  });
});
