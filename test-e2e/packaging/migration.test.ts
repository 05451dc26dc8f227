import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixtureDirectory, startFileServer } from "../harness/store-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { type OriginalDirectory, type OriginalSubscription, readAsOriginal } from "./original-directory.ts";
import { drainDurables, PUBLISHED_HERE } from "./rehearse.ts";
import { digestOf, readWritten, type StoredMessage, type WrittenState } from "./written-by-original.ts";

/** Directories with durables that had something pending when the Go server stopped, or was killed. */
const WITH_DURABLES = [
  { fixture: "durable-queue-pending", channel: "jobs" },
  { fixture: "killed-server", channel: "foo" },
  { fixture: "compacted", channel: "work" },
  { fixture: "bulk", channel: "bulk" },
];

const inShort = (messages: readonly StoredMessage[]): string[] =>
  messages.map(({ sequence, digest }) => `${sequence} ${digest}`);

const durablesOf = (subscriptions: readonly OriginalSubscription[]): OriginalSubscription[] =>
  subscriptions.filter(({ durableName, queueGroup }) => durableName !== "" || queueGroup.includes(":"));

/** What a directory holds, in a form to compare. */
function stateOf({ clients, channels }: OriginalDirectory | WrittenState): object {
  return {
    clients,
    channels: [...channels].map(([name, { messages, subscriptions }]) => [
      name,
      inShort(messages),
      subscriptions.map(({ lastSent, pending }) => [lastSent, pending]),
    ]),
  };
}

describe("moving from the Go server's file store and back", () => {
  it("is checked by a reader of directories that finds in each what the Go server says is in it", async () => {
    const stage = testStage();
    for (const { fixture } of WITH_DURABLES) {
      const directory = await fixtureDirectory(stage, fixture);
      const written = await readWritten(`file-store/${fixture}`);
      expect([fixture, stateOf(readAsOriginal(directory))]).toEqual([fixture, stateOf(written)]);
    }
  });

  it.each(WITH_DURABLES)(
    "resumes the durables of $fixture where they were, and hands the directory back",
    async ({ fixture, channel: name }) => {
      const stage = testStage();
      const directory = await fixtureDirectory(stage, fixture);
      const channel = (await readWritten(`file-store/${fixture}`)).channels.get(name);
      if (channel === undefined) throw new Error(`no channel ${name} in ${fixture}`);
      const dataFile = join(directory, name, "msgs.1.dat");
      const before = await readFile(dataFile);

      const here = await startFileServer(stage, directory, ["-file_recovery", "strict"]);
      await drainDurables(stage, here, name, channel);
      expect((await here.child.stop()).code).toBe(0);

      // What the Go server wrote is still there, byte for byte, and what came here follows it.
      expect(digestOf((await readFile(dataFile)).subarray(0, before.length))).toBe(digestOf(before));
      const after = readAsOriginal(directory);
      const stored = after.channels.get(name);
      const published = Array.from({ length: PUBLISHED_HERE }, (_, index) => ({
        sequence: channel.lastSequence + 1 + index,
        digest: digestOf(`here-${index + 1}`),
      }));
      expect(inShort(stored?.messages ?? [])).toEqual(inShort([...channel.messages, ...published]));
      const durables = durablesOf(stored?.subscriptions ?? []);
      expect(durables.length).toBe(channel.subscriptions.filter(({ durableName }) => durableName !== "").length);
      for (const { lastSent, pending } of durables) {
        expect([lastSent, pending]).toEqual([channel.lastSequence + PUBLISHED_HERE, []]);
      }

      // By the rules of the Go server it opens without a word of complaint, and nobody is owed anything.
      const back = await startFileServer(stage, directory, ["-file_recovery", "strict", "-file_sync=false"]);
      expect(back.log.filter(({ level }) => level === "WRN" || level === "ERR")).toEqual([]);
      expect((await back.monitor.channel(name)).lastSequence).toBe(channel.lastSequence + PUBLISHED_HERE);
      expect((await back.child.stop()).code).toBe(0);
    },
  );

  it("leaves a directory that it only opened as it found it", async () => {
    const stage = testStage();
    const directory = await fixtureDirectory(stage, "durable-queue-pending");
    const before = stateOf(readAsOriginal(directory));
    const server = await startFileServer(stage, directory);
    expect((await server.child.stop()).code).toBe(0);
    expect(stateOf(readAsOriginal(directory))).toEqual(before);
  });
});
