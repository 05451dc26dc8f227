import { timestampNanos } from "@nats-streaming/kernel";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, toHex } from "../../test-support/hex.ts";
import { arbitraryMessage, safeInteger } from "../../test-support/messages.ts";
import { protoType } from "../../test-support/proto-types.ts";
import { decodeMsgProto, encodeMsgProto, type MsgProto } from "./msg-proto.ts";
import {
  appendRedelivery,
  encodeSubjectField,
  msgProtoSize,
  REDELIVERY_SIZE_MAX,
  writeMsgProto,
} from "./msg-proto-writer.ts";

const arbitraryTime = fc.oneof(
  fc.record({ millis: fc.integer({ min: 0, max: 9_223_372_036_853 }), nanos: fc.nat(999_999) }),
  fc.record({ millis: fc.integer({ min: -9_223_372_036_854, max: 9_223_372_036_853 }), nanos: fc.nat(999_999) }),
  fc.record({ millis: fc.nat(100_000), nanos: fc.nat(999_999) }),
  fc.constantFrom(
    { millis: 0, nanos: 0 },
    { millis: 0, nanos: 1 },
    { millis: 72_057_594_037, nanos: 927_935 },
    { millis: 72_057_594_037, nanos: 927_936 },
    { millis: 72_057_594_038, nanos: 0 },
    { millis: 9_223_372_036_853, nanos: 999_999 },
  ),
);

describe("writeMsgProto", () => {
  it("writes what protobufjs writes, in exactly msgProtoSize bytes", () => {
    const proto = protoType("pb.MsgProto");
    fc.assert(
      fc.property(safeInteger, arbitraryMessage<MsgProto>("pb.MsgProto"), arbitraryTime, (sequence, value, time) => {
        const reply = ascii(value.reply);
        const data = value.data;
        const source = Uint8Array.from([1, 2, 3, ...reply, 4, ...data, 5]);
        const field = encodeSubjectField(value.subject);
        const size = msgProtoSize(sequence, field.length, reply.length, data.length, time);
        const target = new Uint8Array(size + 10).fill(0xee);
        const dataStart = 4 + reply.length;
        const end = writeMsgProto(
          target,
          7,
          sequence,
          field,
          source,
          3,
          3 + reply.length,
          dataStart,
          dataStart + data.length,
          time,
        );
        expect(end).toBe(7 + size);

        const nanos = BigInt(time.millis) * 1_000_000n + BigInt(time.nanos);
        const plain = {
          ...(sequence === 0 ? {} : { sequence: String(sequence) }),
          ...(value.subject === "" ? {} : { subject: ascii(value.subject) }),
          ...(reply.length === 0 ? {} : { reply }),
          ...(data.length === 0 ? {} : { data }),
          ...(nanos === 0n ? {} : { timestamp: String(nanos) }),
        };
        expect(toHex(target, 7, end)).toBe(toHex(proto.encode(proto.fromObject(plain)).finish()));
        expect([...target.subarray(0, 7), ...target.subarray(end)].every((byte) => byte === 0xee)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("writes sequences up to 2^53 - 1", () => {
    const field = encodeSubjectField("foo");
    const time = { millis: 1_700_000_000_123, nanos: 456_789 };
    for (const sequence of [1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 35, 2 ** 49, Number.MAX_SAFE_INTEGER]) {
      const target = new Uint8Array(msgProtoSize(sequence, field.length, 0, 0, time));
      writeMsgProto(target, 0, sequence, field, target, 0, 0, 0, 0, time);
      expect(decodeMsgProto(target)).toMatchObject({
        value: { sequence: BigInt(sequence), subject: "foo", timestamp: 1_700_000_000_123_456_789n },
      });
    }
  });
});

describe("appendRedelivery", () => {
  it("makes a redelivery of a copied message", () => {
    const stored = encodeMsgProto({ sequence: 1n, subject: "foo", timestamp: timestampNanos(5n) });
    for (const count of [1, 127, 128, 2 ** 31, 2 ** 32 - 1]) {
      const copy = new Uint8Array(stored.length + REDELIVERY_SIZE_MAX);
      copy.set(stored);
      const end = appendRedelivery(copy, stored.length, count);
      expect(decodeMsgProto(copy, 0, end)).toMatchObject({
        kind: "ok",
        value: { sequence: 1n, subject: "foo", redelivered: true, redeliveryCount: count },
      });
    }
  });
});
