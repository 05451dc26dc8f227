import { FakeSource, fakeBacklog, fakeChannel, fakeSubscription } from "./fake-source.ts";

/** A source of which every metric has a value. */
export function busySource(): FakeSource {
  const source = new FakeSource();
  source.serverSnapshot = {
    ...source.serverSnapshot,
    clients: 2,
    subscriptions: 5,
    channels: 1,
    inMessages: 4,
    inBytes: 288,
    outMessages: 5,
    outBytes: 140,
  };
  source.storeTotals = { messages: 4, bytes: 264 };
  source.fileDescriptors = { open: async () => 30, max: async () => 20_000 };
  const histogram = { bounds: [1, 10], counts: [1, 2, 3], sum: 60, count: 6 };
  source.workSnapshot = { redelivered: 3, publishLatency: histogram, flushLatency: histogram };
  source.storageSnapshot = {
    commitLogBytes: 1_000,
    commitLogDiskBytes: 50_331_648,
    checkpoints: 2,
    failedCheckpoints: 1,
    checkpointAgeMillis: 60_000,
    openFiles: 7,
    cachedBytes: 4_096,
  };
  source.partitionMap = {
    servers: [
      { serverId: "S1", kind: "partitioned", phase: "serving", since: 0, clientCount: 1, entries: ["foo", "bar"] },
    ],
    conflicts: [{ name: "foo", servers: ["S1", "S2"] }],
    unowned: [{ channel: "lost", serverIds: ["S1"] }],
    isComplete: true,
  };
  const backlog = fakeBacklog({ lagMessages: 1, oldestSequence: 1, oldestMillis: 0 });
  source.channels.set(
    "foo",
    fakeChannel("foo", { messages: 4, bytes: 264, first: 1, last: 4 }, [fakeSubscription()], [backlog]),
  );
  return source;
}
