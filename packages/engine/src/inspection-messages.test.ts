import { timestampNanos } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { setStage } from "../test/harness.ts";
import { setPersistentStage } from "../test/persistent-stage.ts";
import type { InspectedMessages, MessageLimits, MessageStart } from "./inspection-messages.ts";

const LIMITS: MessageLimits = { count: 100, bytes: 1_000_000 };

async function stageWith(texts: readonly string[]) {
  const stage = await setStage();
  const client = await stage.client("me");
  for (const text of texts) {
    await client.publish("foo", text);
    await stage.pass(1_000);
  }
  const read = (start: MessageStart, limits: Partial<MessageLimits> = {}): Promise<InspectedMessages> => {
    const channel = stage.engine.inspection.channel("foo");
    if (channel === undefined) throw new Error("no channel");
    return channel.readMessages(start, { ...LIMITS, ...limits });
  };
  return { stage, read };
}

const shown = ({ messages }: InspectedMessages) =>
  messages.map(({ sequence, data }) => [sequence, Buffer.from(data).toString()]);

describe("readMessages()", () => {
  it("reads from a sequence, page by page", async () => {
    const { read } = await stageWith(["a", "b", "c"]);
    const first = await read({ kind: "sequence", sequence: 1 }, { count: 2 });
    expect(shown(first)).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    expect(first).toMatchObject({ firstSequence: 1, lastSequence: 3, next: 3 });
    const second = await read({ kind: "sequence", sequence: first.next }, { count: 2 });
    expect(shown(second)).toEqual([[3, "c"]]);
    expect(second.next).toBe(0);
  });

  it("reads the last ones, and all of them when there are fewer", async () => {
    const { read } = await stageWith(["a", "b", "c"]);
    expect(shown(await read({ kind: "last", count: 2 }))).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
    expect(shown(await read({ kind: "last", count: 10 }))).toHaveLength(3);
  });

  it("reads from a time", async () => {
    const { read } = await stageWith(["a", "b", "c"]);
    const [, second] = (await read({ kind: "sequence", sequence: 1 })).messages;
    const timestamp = timestampNanos(second!.timestamp - 1n);
    expect(shown(await read({ kind: "time", timestamp }))).toEqual([
      [2, "b"],
      [3, "c"],
    ]);
  });

  it("ends a page that would grow too large, but never before its first message", async () => {
    const { read } = await stageWith(["12345", "12345", "12345"]);
    const page = await read({ kind: "sequence", sequence: 1 }, { bytes: 10 });
    expect(shown(page)).toHaveLength(2);
    expect(page.next).toBe(3);
    expect(shown(await read({ kind: "sequence", sequence: 1 }, { bytes: 1 }))).toHaveLength(1);
  });

  it("answers with nothing beyond the end", async () => {
    const { read } = await stageWith(["a"]);
    expect(await read({ kind: "sequence", sequence: 9 })).toEqual({
      firstSequence: 1,
      lastSequence: 1,
      messages: [],
      next: 0,
    });
  });

  it("brings what is not in memory from the disk", async () => {
    const { stage, client } = await coldStage();
    await client.publish("foo", "a");
    await client.publish("foo", "b");
    const page = await stage.engine.inspection.channel("foo")?.readMessages({ kind: "sequence", sequence: 1 }, LIMITS);
    expect(page && shown(page)).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
  });

  it("fails with the store when the disk cannot be read", async () => {
    const { stage, client } = await coldStage();
    await client.publish("foo", "a");
    stage.store.failing.set("load", new StoreError("read_failed", "input/output error"));
    const page = stage.engine.inspection.channel("foo")?.readMessages({ kind: "sequence", sequence: 1 }, LIMITS);
    await expect(page).rejects.toMatchObject({ code: "read_failed" });
  });
});

/** A stage on which nothing is in memory. */
async function coldStage() {
  const stage = await setPersistentStage();
  stage.store.isCold = () => true;
  return { stage, client: await stage.client("me") };
}
