import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { bytesOfKey } from "./subject-key.ts";
import { hashBytes, hashKey, KeyTopics, TopicTable } from "./topic.ts";

function found(table: TopicTable, key: string): ReturnType<TopicTable["find"]> {
  // Elsewhere in larger memory each time, as in a read buffer.
  const shift = key.length % 5;
  const bytes = new Uint8Array(key.length + 16);
  bytes.set(bytesOfKey(key), shift);
  return table.find(bytes, new DataView(bytes.buffer), shift, shift + key.length);
}

describe("hashBytes()", () => {
  it("equals hashKey of the same subject", () => {
    for (let length = 1; length < 40; length++) {
      const key = "\x01\xffabc.déf.*>_INBOX.0123456789abcdefghij".slice(0, length);
      const bytes = bytesOfKey(key);
      expect(hashBytes(bytes, new DataView(bytes.buffer), 0, bytes.length)).toBe(hashKey(key));
    }
  });
});

describe("TopicTable", () => {
  it("returns the same topic for the same bytes", () => {
    const table = new TopicTable();
    expect(found(table, "orders.new")).toBe(found(table, "orders.new"));
    expect(found(table, "orders.new").key).toBe("orders.new");
  });

  it("tells subjects apart that share a beginning or an end", () => {
    const table = new TopicTable();
    const keys = [
      "a",
      "aa",
      "a.b",
      "b.a",
      "x".repeat(63),
      "x".repeat(64),
      "x".repeat(65),
      "x".repeat(66),
      `${"x".repeat(65)}y`,
    ];
    const topics = keys.map((key) => found(table, key));
    expect(new Set(topics).size).toBe(keys.length);
    expect(topics.map((topic) => topic.key)).toEqual(keys);
    expect(keys.map((key) => found(table, key).key)).toEqual(keys);
  });

  it("always answers with the right subject, whatever it has to forget", () => {
    const table = new TopicTable();
    const random = seededRandom(1);
    for (let i = 0; i < 60_000; i++) {
      const number = Math.floor(random.next() * 30_000);
      const key = `orders.${number}${number % 7 === 0 ? "-long".repeat(15) : ""}`;
      expect(found(table, key).key).toBe(key);
    }
  });

  it("keeps one character per byte, whatever the bytes mean", () => {
    expect(found(new TopicTable(), "gr\xc3\xb6\xc3\x9fe\xff").key).toBe("gr\xc3\xb6\xc3\x9fe\xff");
  });
});

describe("KeyTopics", () => {
  it("returns the same topic for the same key, with its bytes", () => {
    const topics = new KeyTopics();
    const topic = topics.find("gr\xc3\xb6\xc3\x9fe.\xa0");
    expect(topics.find("gr\xc3\xb6\xc3\x9fe.\xa0")).toBe(topic);
    expect(topic.bytes).toEqual(new Uint8Array(Buffer.from("gr\xc3\xb6\xc3\x9fe.\xa0", "latin1")));
    expect(topic.isSendable).toBe(true);
    expect(topic.hash).toBe(hashKey(topic.key));
  });

  it("knows what cannot be sent", () => {
    const topics = new KeyTopics();
    expect(["", "a b", "a\tb", "a\r\nPUB"].map((text) => topics.find(text).isSendable)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(["a", "a.*", "ä", ">"].map((text) => topics.find(text).isSendable)).toEqual([true, true, true, true]);
  });

  it("keeps what is asked for again and again while others come and go", () => {
    const topics = new KeyTopics();
    const kept = topics.find("kept");
    for (let i = 0; i < 100_000; i++) {
      topics.find(`other.${i}`);
      if (i % 10_000 === 0) expect(topics.find("kept")).toBe(kept);
    }
  });
});
