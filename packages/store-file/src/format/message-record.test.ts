import { encodeSubjectField, msgProtoSize, writeMsgProto } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import { checksum, checksumSteps, IEEE_POLYNOMIAL } from "./crc32.ts";
import { writeMessageRecord } from "./message-record.ts";
import { RECORD_HEADER_SIZE, writeRecordHeader } from "./record.ts";

const POLYNOMIALS = [IEEE_POLYNOMIAL, 0x82f6_3b78];
const time = { millis: 1_700_000_000_123, nanos: 456_789 };
const name = Buffer.from("<orders.eu>");
const field = encodeSubjectField("orders.eu");

describe("writeMessageRecord()", () => {
  it.each([0, 1, 7, 8, 128, 319, 320, 5_000].flatMap((data) => [0, 30].map((reply) => [data, reply] as const)))(
    "FS-G13 writes header, checksum and message with %i bytes of data and %i of reply",
    (data, reply) => {
      const source = Uint8Array.from({ length: 11 + reply + data }, (_, i) => i * 13 + 5);
      const message = {
        bytes: source,
        replyStart: 11,
        replyEnd: 11 + reply,
        dataStart: 11 + reply,
        dataEnd: 11 + reply + data,
      };
      const { replyStart, replyEnd, dataStart, dataEnd } = message;
      const size = msgProtoSize(300, field.length, reply, data, time);
      for (const polynomial of POLYNOMIALS) {
        const expected = new Uint8Array(5 + RECORD_HEADER_SIZE + size + 5);
        const payload = 5 + RECORD_HEADER_SIZE;
        writeMsgProto(expected, payload, 300, field, source, replyStart, replyEnd, dataStart, dataEnd, time);
        writeRecordHeader(expected, 5, 0, size, checksum(polynomial));

        const written = new Uint8Array(expected.length);
        const end = writeMessageRecord(written, 5, 300, name, 1, 10, message, time, checksumSteps(polynomial));

        expect(written).toEqual(expected);
        expect(end).toBe(payload + size);
      }
    },
  );
});
