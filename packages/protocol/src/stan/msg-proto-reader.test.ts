import { timestampNanos } from "@nats-streaming/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, fromHex } from "../../test-support/hex.ts";
import { arbitraryBytes, arbitraryMessage, mutilated } from "../../test-support/messages.ts";
import { expectViewAsReference, type FieldsOfView } from "../../test-support/view.ts";
import { byteString } from "../wire/byte-string.ts";
import { WireFault } from "../wire/fault.ts";
import { bitsToBigInt } from "../wire/read.ts";
import { encodeMsgProto } from "./msg-proto.ts";
import {
  msgProtoView,
  readMsgProto,
  readMsgProtoSequence,
  readMsgProtoTime,
  readMsgProtoTimestamp,
} from "./msg-proto-reader.ts";

const view = msgProtoView();

function read(bytes: Uint8Array, start = 0, end = bytes.length): { fault: WireFault; fields: FieldsOfView } {
  const fault = readMsgProto(view, bytes, start, end);
  return {
    fault,
    fields: {
      sequence: view.sequence,
      subject: byteString(bytes, view.subjectStart, view.subjectEnd),
      reply: byteString(bytes, view.replyStart, view.replyEnd),
      data: byteString(bytes, view.dataStart, view.dataEnd),
      timestamp: bitsToBigInt(view.timestamp),
      redelivered: view.redelivered,
      redeliveryCount: view.redeliveryCount,
      crc32: view.crc32,
    },
  };
}

describe("readMsgProto", () => {
  it("shows every field", () => {
    const bytes = encodeMsgProto({
      sequence: 300n,
      subject: "foo",
      reply: "rep",
      data: ascii("hello"),
      timestamp: timestampNanos(1_700_000_000_123_456_789n),
      redelivered: true,
      redeliveryCount: 3,
      crc32: 0xdeadbeef,
    });
    expect(read(bytes)).toEqual({
      fault: WireFault.none,
      fields: {
        sequence: 300,
        subject: "foo",
        reply: "rep",
        data: "hello",
        timestamp: 1_700_000_000_123_456_789n,
        redelivered: true,
        redeliveryCount: 3,
        crc32: 0xdeadbeef,
      },
    });
  });

  it("says of messages cut at any offset what the rules say", () => {
    fc.assert(
      fc.property(arbitraryMessage("pb.MsgProto", { short: true }).map(encodeMsgProto), (whole) => {
        for (let end = 0; end <= whole.length; end++) {
          expectViewAsReference("pb.MsgProto", whole.subarray(0, end), read);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("says of mutilated and of arbitrary bytes what the rules say, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(mutilated(arbitraryMessage("pb.MsgProto").map(encodeMsgProto)), arbitraryBytes()), (bytes) =>
        expectViewAsReference("pb.MsgProto", bytes, read),
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("the accessors of a stored message", () => {
  const stored = encodeMsgProto({
    sequence: 42n,
    subject: "foo",
    data: ascii("hello"),
    timestamp: timestampNanos(1_795_354_993_841_807_296n),
  });
  const time = { millis: 0, nanos: 0 };

  it("read sequence and time", () => {
    expect(readMsgProtoSequence(stored, 0, stored.length)).toBe(42);
    expect(readMsgProtoTimestamp(stored, 0, stored.length)).toBe(1_795_354_993_841_807_296n);
    readMsgProtoTime(stored, 0, stored.length, time);
    expect(time).toEqual({ millis: 1_795_354_993_841, nanos: 807_296 });
  });

  it("give 0 for bytes that are no message", () => {
    const broken = fromHex("082a 12ff");
    expect(readMsgProtoSequence(broken, 0, broken.length)).toBe(0);
    expect(readMsgProtoTimestamp(broken, 0, broken.length)).toBe(0n);
    readMsgProtoTime(broken, 0, broken.length, time);
    expect(time).toEqual({ millis: 0, nanos: 0 });
  });

  it("agree on every int64", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (nanos) => {
        const bytes = encodeMsgProto({ sequence: 1n, timestamp: timestampNanos(nanos) });
        readMsgProtoTime(bytes, 0, bytes.length, time);
        expect(BigInt(time.millis) * 1_000_000n + BigInt(time.nanos)).toBe(nanos);
        expect(time.nanos).toBeGreaterThanOrEqual(0);
        expect(time.nanos).toBeLessThan(1_000_000);
        expect(readMsgProtoTimestamp(bytes, 0, bytes.length)).toBe(nanos);
      }),
    );
  });
});
