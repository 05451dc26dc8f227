import { seededRandom } from "@nats-streaming/kernel/testing";
import type { ClientInfo } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { createClientDigest } from "./client-digest.ts";

const info = (id: string, connection = id): ClientInfo => ({
  id,
  hbInbox: `_INBOX.${id}`,
  connId: Buffer.from(connection),
  protocol: 1,
  pingInterval: 5,
  pingMaxOut: 3,
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("a client digest", () => {
  it("is the same for the same clients, in whatever order they came and whoever came and went", () => {
    const [one, other] = [createClientDigest(), createClientDigest()];
    for (const id of ["a", "b", "c"]) one.add(info(id));
    for (const id of ["c", "x", "a", "b"]) other.add(info(id));
    expect(hex(one.bytes())).not.toBe(hex(other.bytes()));
    other.remove(info("x"));
    expect(hex(one.bytes())).toBe(hex(other.bytes()));
  });

  it("is another one for another connection of the same client", () => {
    const [one, other] = [createClientDigest(), createClientDigest()];
    one.add(info("a", "first"));
    other.add(info("a", "second"));
    expect(hex(one.bytes())).not.toBe(hex(other.bytes()));
  });

  it("differs for all of many sets", () => {
    const random = seededRandom(4);
    const digest = createClientDigest();
    const seen = new Set([hex(digest.bytes())]);
    for (let i = 0; i < 50_000; i++) {
      digest.add(info(`client-${i}`, String(random.next())));
      seen.add(hex(digest.bytes()));
    }
    expect(seen.size).toBe(50_001);
  });
});
