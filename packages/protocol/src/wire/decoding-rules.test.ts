import { describe, expect, it } from "vitest";
import { codecs } from "../../test-support/codecs.ts";
import { ascii, fromHex, toHex } from "../../test-support/hex.ts";
import { decodeSubState } from "../spb/index.ts";
import {
  ackView,
  decodeConnectRequest,
  decodeMsgProto,
  decodePubMsg,
  decodeSubscriptionRequest,
  encodePubAck,
  encodePubMsg,
  encodeSubscriptionRequest,
  msgProtoView,
  pubMsgView,
  readAck,
  readMsgProto,
  readPubMsg,
  writePubAck,
} from "../stan/index.ts";
import { byteString } from "./byte-string.ts";
import { WireFault } from "./fault.ts";

/** The in-place decoders, which have to keep the same rules as the rest. */
const readers: readonly [name: string, read: (bytes: Uint8Array) => WireFault][] = [
  ["readPubMsg", (bytes) => readPubMsg(pubMsgView(), bytes, 0, bytes.length)],
  ["readMsgProto", (bytes) => readMsgProto(msgProtoView(), bytes, 0, bytes.length)],
  ["readAck", (bytes) => readAck(ackView(), bytes, 0, bytes.length)],
];

function everyDecoderSays(valid: boolean, hex: string): void {
  const bytes = fromHex(hex);
  for (const { type, decode } of codecs) expect([type, decode(bytes).kind]).toEqual([type, valid ? "ok" : "invalid"]);
  for (const [name, read] of readers) expect([name, read(bytes) === WireFault.none]).toEqual([name, valid]);
}

describe("PROTO 4.1 encoding", () => {
  it("PROTO 4.1.1 leaves out fields at their default, so that a bare success has no bytes", () => {
    for (const { decode, encode } of codecs) {
      const empty = decode(new Uint8Array(0));
      expect(encode(empty.kind === "ok" ? empty.value : {})).toHaveLength(0);
    }
  });

  it("PROTO 4.1.1 writes fields in ascending order, whatever the order of the properties", () => {
    expect(toHex(encodePubAck({ error: "e", guid: "g" }))).toBe("0a0167120165");
  });

  it("PROTO 4.1.2 writes negative numbers in ten bytes", () => {
    expect(toHex(encodeSubscriptionRequest({ maxInFlight: -1 }))).toBe("28ffffffffffffffffff01");
    expect(toHex(encodeSubscriptionRequest({ startTimeDelta: -1n }))).toBe("60ffffffffffffffffff01");
  });
});

describe("PROTO 4.2 decoding", () => {
  it("PROTO 4.2 accepts fields in any order", () => {
    const bytes = fromHex("1a03666f6f 0a026d65 120167");
    expect(decodePubMsg(bytes)).toMatchObject({ kind: "ok", value: { clientId: "me", guid: "g", subject: "foo" } });
  });

  it("PROTO 4.2 lets the last one of a repeated field win", () => {
    expect(decodePubMsg(fromHex("120161 120162 1200 120163"))).toMatchObject({ kind: "ok", value: { guid: "c" } });
    const view = msgProtoView();
    expect(readMsgProto(view, fromHex("08010802"), 0, 4)).toBe(WireFault.none);
    expect(view.sequence).toBe(2);
  });

  it.each([
    ["varint", "f806 ff01"],
    ["64-bit", "f906 0102030405060708"],
    ["length-delimited", "fa06 03 010203"],
    ["group", "fb06 fc06"],
    ["group with fields and groups inside", "fb06 0801 1203666f6f 0b 0d01020304 0c 110102030405060708 fc06"],
    ["group that another number ends", "fb06 0801 0c"],
    ["32-bit", "fd06 01020304"],
    ["empty length-delimited", "fa06 00"],
  ])("PROTO 4.2 skips an unknown field: %s", (_wireType, hex) => {
    everyDecoderSays(true, hex);
  });

  it("PROTO 4.2 skips groups of any depth without recursion", () => {
    everyDecoderSays(true, `${"fb06".repeat(100_000)}${"fc06".repeat(100_000)}`);
    everyDecoderSays(false, "fb06".repeat(100_000));
  });

  it("PROTO 4.2 accepts varints that are not minimal", () => {
    expect(decodePubMsg(fromHex("12 8100 67"))).toMatchObject({ kind: "ok", value: { guid: "g" } });
    expect(decodePubMsg(fromHex("12 81808080808080808000 67"))).toMatchObject({ kind: "ok", value: { guid: "g" } });
    expect(decodePubMsg(fromHex("928080808000 0167"))).toMatchObject({ kind: "ok", value: { guid: "g" } });
  });

  it("PROTO 4.2 keeps the low 32 bits of a wider int32", () => {
    const decoded = (hex: string) => decodeConnectRequest(fromHex(hex));
    expect(decoded("18 8580808010")).toMatchObject({ kind: "ok", value: { protocol: 5 } });
    expect(decoded("18 8080808008")).toMatchObject({ kind: "ok", value: { protocol: -(2 ** 31) } });
    expect(decoded("18 ffffffffffffffffff01")).toMatchObject({ kind: "ok", value: { protocol: -1 } });
    expect(decodeSubscriptionRequest(fromHex("50 8480808010"))).toMatchObject({ value: { startPosition: 4 } });
    expect(decodeMsgProto(fromHex("38 8580808010"))).toMatchObject({ value: { redeliveryCount: 5 } });
  });

  it("PROTO 4.2 drops bits beyond the 64th of a ten-byte varint", () => {
    expect(decodeMsgProto(fromHex("08 ffffffffffffffffff7f"))).toMatchObject({ value: { sequence: 2n ** 64n - 1n } });
  });

  it("PROTO 4.2 reads any number but 0 as true", () => {
    expect(decodeMsgProto(fromHex("30 80808080808080808001"))).toMatchObject({ value: { redelivered: true } });
    expect(decodeMsgProto(fromHex("30 8000"))).toMatchObject({ value: { redelivered: false } });
  });

  it.each([
    ["text", "08 01", decodePubMsg],
    ["bytes", "2d 01020304", decodePubMsg],
    ["int32", "1a 0101", decodeConnectRequest],
    ["uint64", "09 0102030405060708", decodeMsgProto],
    ["int64", "2d 01020304", decodeMsgProto],
    ["bool", "32 0101", decodeMsgProto],
    ["uint32", "3b 3c", decodeMsgProto],
    ["enum", "52 0101", decodeSubscriptionRequest],
  ])("PROTO 4.2 refuses a known field with the wrong wire type: %s", (_type, hex, decode) => {
    expect(decode(fromHex(hex))).toMatchObject({ kind: "invalid", reason: expect.stringContaining("wrong wire type") });
  });

  it.each([
    ["0", "00 01"],
    ["0, in five bytes", "8080808000 01"],
    ["0, length-delimited", "02 0101"],
    ["2^31, which is negative as an int32", "8080808040 01"],
  ])("PROTO 4.2 refuses field number %s", (_number, hex) => {
    everyDecoderSays(false, hex);
  });

  it.each([
    ["in a tag", "80"],
    ["in a length", "fa06 80"],
    ["before a length", "fa06"],
    ["in length-delimited content", "fa06 03 0102"],
    ["in a varint", "f806 80"],
    ["in 32 bits", "fd06 010203"],
    ["in 64 bits", "f906 01020304050607"],
    ["in a group", "fb06 0801"],
    ["by a length of 2^32 + 1", "fa06 8180808010 01"],
    ["by a length of 2^64 - 1", "fa06 ffffffffffffffffff01 01"],
  ])("PROTO 4.2 refuses truncated input: %s", (_place, hex) => {
    everyDecoderSays(false, hex);
  });

  it.each([
    ["a value", "f806 8080808080808080808000"],
    ["a tag", "8880808080808080808000 01"],
    ["a length", "fa06 8080808080808080808000"],
  ])("PROTO 4.2 refuses a varint longer than ten bytes: %s", (_place, hex) => {
    everyDecoderSays(false, hex);
  });

  it("PROTO 4.2 refuses an end-group without start-group", () => {
    everyDecoderSays(false, "fc06");
    everyDecoderSays(false, "fb06 fc06 fc06");
    everyDecoderSays(false, "0c");
  });

  it.each(["06", "07", "fe06", "ff06", "fb06 0e fc06"])("PROTO 4.2 refuses wire types 6 and 7: %s", (hex) => {
    everyDecoderSays(false, hex);
  });

  it("PROTO 4.2 keeps text that is not UTF-8 byte for byte", () => {
    const odd = Uint8Array.from({ length: 256 }, (_, i) => i);
    const bytes = encodePubMsg({ guid: byteString(odd), subject: "\xff\xfe" });
    const view = pubMsgView();
    expect(readPubMsg(view, bytes, 0, bytes.length)).toBe(WireFault.none);

    const echo = new Uint8Array(600);
    const end = writePubAck(echo, 0, bytes, view.guidStart, view.guidEnd);
    expect(toHex(echo, 0, end)).toBe(`0a8002${toHex(odd)}`);

    const decoded = decodePubMsg(bytes);
    expect(decoded).toMatchObject({ kind: "ok", value: { subject: "\xff\xfe" } });
    expect(toHex(encodePubAck({ guid: decoded.kind === "ok" ? decoded.value.guid : "" }))).toBe(`0a8002${toHex(odd)}`);
  });

  it("PROTO 4.2 takes an empty payload for a message with all defaults", () => {
    everyDecoderSays(true, "");
  });

  it("PROTO 4.2 keeps the fields that stood before the fault", () => {
    const cut = encodePubMsg({ clientId: "me", guid: "g1", subject: "foo", data: ascii("hello") }).subarray(0, -1);
    expect(decodePubMsg(cut)).toMatchObject({
      kind: "invalid",
      reason: "PubMsg: unexpected end of message",
      partial: { clientId: "me", guid: "g1", subject: "foo", data: new Uint8Array(0) },
    });
  });

  it("refuses a stored record with an identifier above 2^53 - 1", () => {
    expect(decodeSubState(fromHex("08 ffffffffffffff0f"))).toMatchObject({ value: { id: Number.MAX_SAFE_INTEGER } });
    expect(decodeSubState(fromHex("08 8080808080808010"))).toMatchObject({
      kind: "invalid",
      reason: "SubState: number above 2^53 - 1",
    });
  });
});

describe("decoded values", () => {
  it("keep nothing of the buffer they came from, not even of a Buffer", () => {
    const bytes = Buffer.from(encodePubMsg({ guid: "g", data: ascii("hello") }));
    const decoded = decodePubMsg(bytes);
    bytes.fill(0);
    expect(decoded).toMatchObject({ value: { guid: "g", data: ascii("hello") } });
  });
});
