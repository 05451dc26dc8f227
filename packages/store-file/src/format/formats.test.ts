import { sequence } from "@nats-streaming/kernel";
import { SimulatedDisk } from "@nats-streaming/kernel/testing";
import {
  encodeClientDelete,
  encodeClientInfo,
  encodeSubState,
  encodeSubStateDelete,
  encodeSubStateUpdate,
} from "@nats-streaming/protocol/spb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { append, hex, newPlace, subState } from "../../test-support/place.ts";
import { checksum, IEEE_POLYNOMIAL } from "./crc32.ts";
import { indexEntry, readIndexRecord, writeIndexRecord } from "./index-record.ts";
import { encodeRecord } from "./record.ts";
import { RecordReader } from "./record-reader.ts";

const ieee = checksum(IEEE_POLYNOMIAL);
const CASTAGNOLI = 0x82f6_3b78;

describe("checksum()", () => {
  it("has the check values of CRC-32 and CRC-32C", () => {
    const bytes = Buffer.from("123456789");
    expect(ieee(bytes, 0, 9)).toBe(0xcbf4_3926);
    expect(checksum(CASTAGNOLI)(bytes, 0, 9)).toBe(0xe306_9283);
  });

  it("gives the same for long input, by the native function, as for its parts by the tables", () => {
    const bitwise = (bytes: Uint8Array, start: number, end: number): number => {
      let crc = 0xffff_ffff;
      for (let i = start; i < end; i++) {
        crc ^= bytes[i]!;
        for (let k = 0; k < 8; k++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ IEEE_POLYNOMIAL : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 900 }), fc.nat(20), (bytes, start) => {
        const from = Math.min(start, bytes.length);
        expect(ieee(bytes, from, bytes.length)).toBe(bitwise(bytes, from, bytes.length));
      }),
    );
  });
});

describe("records", () => {
  const state = subState({ id: 1, lastSent: 5 });
  it.each([
    ["a client that is added", 1, encodeClientInfo({ id: "c1", hbInbox: "a" }), "07000001 f3a4ddde 0a026331120161"],
    ["a client that is removed", 2, encodeClientDelete({ id: "c1" }), "04000002 48d37352 0a026331"],
    [
      "a new subscription",
      1,
      encodeSubState(state),
      "1c000001 0f4e11a2 080112026d652202696e2a02616b308008381e420364757248055001",
    ],
    ["a removed subscription", 3, encodeSubStateDelete({ id: 7 }), "02000003 540d6417 0807"],
    ["an ack", 4, encodeSubStateUpdate({ id: 1, seqno: 5 }), "04000004 1a7b9adf 08011005"],
    ["a pending message", 5, encodeSubStateUpdate({ id: 1, seqno: 5 }), "04000005 1a7b9adf 08011005"],
    ["a pending message above 127", 5, encodeSubStateUpdate({ id: 1, seqno: 256 }), "05000005 ae814587 0801108002"],
  ])("FS-G13 are written with header, type, checksum and payload: %s", (_, type, payload, expected) => {
    expect(Buffer.from(encodeRecord(type, payload, ieee)).toString("hex")).toBe(expected.replaceAll(" ", ""));
  });

  it("FS-G13 have a variant without type, and one without payload", () => {
    expect(encodeRecord(0, hex("0a0163"), ieee)).toEqual(hex("03000000 675d763f 0a0163"));
    expect(encodeRecord(3, new Uint8Array(0), ieee)).toEqual(hex("00000003 00000000"));
  });

  it("are written into whole files as the original writes them", async () => {
    const place = newPlace();
    const store = place.make();
    await store.recover();
    await store.init({ ...EMPTY_INFO, clusterId: "c" });
    expect(place.bytes("server.dat")).toEqual(hex("01000000 03000000 675d763f 0a0163"));
    const log = store.createChannel("foo").messages;
    place.clock.setWall(1_700_000_000_000);
    append(place, log, "m");
    await store.flush();
    expect(place.bytes("foo/msgs.1.dat")).toEqual(
      hex("01000000 14000000 a60bf809 08011203666f6f22016d288080a8b1e39fe7cb17"),
    );
    expect(place.bytes("foo/msgs.1.idx")).toEqual(
      hex("01000000 0100000000000000 0400000000000000 00002a36fe9c9717 14000000 7dfc2d05"),
    );
    // Nine nanoseconds later, as in file-store.md 12.
    const bytes = Buffer.from("m");
    const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 1 };
    log.append(sequence(4), message, { millis: 1_700_000_000_000, nanos: 9 });
    await store.flush();
    expect(place.bytes("foo/msgs.1.dat")).toEqual(
      hex(
        "01000000 14000000a60bf80908011203666f6f22016d288080a8b1e39fe7cb17" +
          "11000000e82894e208021203666f6f288980a8b1e39fe7cb17" +
          "1100000079b9fc4c08031203666f6f288980a8b1e39fe7cb17" +
          "140000004730d19b08041203666f6f22016d288980a8b1e39fe7cb17",
      ),
    );
    await store.close();
  });
});

const EMPTY_INFO = {
  clusterId: "",
  discovery: "",
  publish: "",
  subscribe: "",
  unsubscribe: "",
  close: "",
  subClose: "",
  acksSubs: "",
};

describe("RecordReader", () => {
  const reading = (bytes: Uint8Array, typed: boolean, verify = true) => {
    const file = new SimulatedDisk({ seed: 1 }).openNow("/file", { mode: "write" });
    file.writeNow(bytes, 0, bytes.length, 0);
    return new RecordReader(file, bytes.length, typed, verify ? ieee : undefined, 0);
  };
  const record = encodeRecord(2, hex("0102030405"), ieee);

  it("FS-G12 parts type and size, and gives the payload", () => {
    const reader = reading(record, true);
    expect(reader.next()).toBe("record");
    expect([reader.type, reader.size]).toEqual([2, 5]);
    expect(reader.bytes.slice(reader.start, reader.end)).toEqual(hex("0102030405"));
    expect(reader.next()).toBe("end");
  });

  it("FS-G12 tells a short header, a short payload, a wrong checksum, zeros and the end from each other", () => {
    for (let cut = 1; cut < record.length; cut++) {
      const reader = reading(record.subarray(0, cut), true);
      expect([cut, reader.next()]).toEqual([cut, cut === 8 ? "end" : "torn"]);
      expect(reader.fault).toBe(cut === 8 ? "" : "unexpected EOF");
    }
    const damaged = record.slice();
    damaged[10]! ^= 0xff;
    const reader = reading(damaged, true);
    expect([reader.next(), reader.fault]).toEqual([
      "checksum",
      expect.stringMatching(/^corrupted data, expected crc to be 0x[0-9a-f]{8}, got 0x[0-9a-f]{8}$/),
    ]);
    expect(reading(damaged, true, false).next()).toBe("record");
    expect(reading(new Uint8Array(9), true).next()).toBe("padding");
    expect(reading(new Uint8Array(7), true).next()).toBe("torn");
    expect(reading(new Uint8Array(0), true).next()).toBe("end");
  });

  it("FS-G12 passes on an error of the disk, and takes records larger than its buffer", () => {
    const large = encodeRecord(0, new Uint8Array(200_000).fill(7), ieee);
    const file = new SimulatedDisk({ seed: 1 }).openNow("/file", { mode: "write" });
    file.writeNow(large, 0, large.length, 0);
    const reader = new RecordReader(file, large.length, false, ieee, 0);
    expect([reader.next(), reader.size]).toEqual(["record", 200_000]);
    const disk = new SimulatedDisk({ seed: 1 });
    const failing = disk.openNow("/file", { mode: "write" });
    failing.writeNow(record, 0, record.length, 0);
    disk.inject({ operation: "read", kind: "io" });
    expect(() => new RecordReader(failing, record.length, true, ieee, 0).next()).toThrow("input/output error");
  });

  it("does not allocate what a wrong size asks for", () => {
    const huge = hex("ffffff7f 00000000 01");
    expect(reading(huge, false).next()).toBe("torn");
  });
});

describe("index records", () => {
  it("are read as they were written, for any time and any safe number", () => {
    const bytes = new Uint8Array(32);
    const entry = indexEntry();
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.maxSafeNat(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.nat(0xffff_ffff),
        (sequence, offset, nanos, size) => {
          const within = Number(((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n);
          const time = { millis: Number((nanos - BigInt(within)) / 1_000_000n), nanos: within };
          writeIndexRecord(bytes, 0, sequence, offset, time, size, ieee);
          expect(new DataView(bytes.buffer).getBigInt64(16, true)).toBe(nanos);
          readIndexRecord(bytes, 0, entry);
          expect(entry).toEqual({ sequence, offset, time, size });
        },
      ),
    );
  });
});
