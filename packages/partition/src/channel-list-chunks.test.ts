import { decodeChannelList, decodeCtrlMsg } from "@nats-streaming/protocol/spb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkChannelList } from "./channel-list-chunks.ts";

const SERVER_ID = "GgoICesjj9xGmQK5JEayWA";

function chunk(names: readonly string[], maxPayload: number): Uint8Array[] {
  const outcome = chunkChannelList(SERVER_ID, names, maxPayload);
  if (outcome.kind === "too_small") throw new Error(`too small for ${outcome.name}`);
  return [...outcome.chunks];
}

function namesOf(request: Uint8Array): readonly string[] {
  const message = decodeCtrlMsg(request);
  expect(message).toMatchObject({ kind: "ok", value: { msgType: 4, serverId: SERVER_ID } });
  const list = decodeChannelList(message.kind === "ok" ? message.value.data : new Uint8Array(1));
  return list.kind === "ok" ? list.channels : [];
}

describe("chunkChannelList()", () => {
  it("encodes the recorded request byte for byte", () => {
    const [request, ...more] = chunk(["bar", "foo"], 1_048_576);
    expect(Buffer.from(request ?? []).toString("hex")).toBe(
      `08041216${Buffer.from(SERVER_ID).toString("hex")}1a0a03006261720300666f6f`,
    );
    expect(request).toHaveLength(38);
    expect(more).toEqual([]);
  });

  it("PART-04 sends 5,000 names of about 14 bytes in one message of 78,923 bytes", () => {
    // 26 bytes of header, 4 of field tag and length, 2 + 13.7786 per name.
    const names = Array.from({ length: 5_000 }, (_, i) => `channel.${i}`.padEnd(i < 3_893 ? 14 : 13, "x"));
    const [request, ...more] = chunk(names, 1_048_576);
    expect(request).toHaveLength(78_923);
    expect(more).toEqual([]);
  });

  it.each([
    [50, 13, "chunks"],
    [50, 14, "too_small"],
    [50, 18, "too_small"],
    [37, 0, "chunks"],
    [137, 100, "chunks"],
    [136, 100, "too_small"],
  ])("PART-04 with a limit of %i takes a name of %i bytes as %s", (maxPayload, length, kind) => {
    expect(chunkChannelList(SERVER_ID, ["x".repeat(length)], maxPayload).kind).toBe(kind);
  });

  it("PART-04 with a limit of 100 puts three names of 18 or 19 bytes in a message, and a short one if it fits", () => {
    const name = (i: number): string => `partition.number.${i}`;
    const names = [name(1), name(2), name(3), name(10), name(11), name(12), name(4), name(5), name(6), "ab", name(7)];
    expect(chunk(names, 100).map(namesOf)).toEqual([
      [name(1), name(2), name(3)],
      [name(10), name(11), name(12)],
      [name(4), name(5), name(6), "ab"],
      [name(7)],
    ]);
  });

  it("names the entry that fits no message, wherever it stands", () => {
    const long = "x".repeat(70);
    expect(chunkChannelList(SERVER_ID, ["a", "b", long, "c"], 100)).toEqual({ kind: "too_small", name: long });
    const endless = "x".repeat(65_536);
    expect(chunkChannelList(SERVER_ID, [endless], 1_048_576)).toEqual({ kind: "too_small", name: endless });
  });

  it("PART-04 puts every name into exactly one message, in order, none of them over the limit", () => {
    const name = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom("a", "b", ".", "\u00ff") });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 60 }), fc.integer({ min: 67, max: 400 }), (names, max) => {
        const requests = chunk(names, max);
        expect(requests.flatMap(namesOf)).toEqual(names);
        for (const request of requests) {
          expect(request.length).toBeLessThanOrEqual(max);
          expect(namesOf(request).length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
