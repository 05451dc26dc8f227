import { describe, expect, it } from "vitest";
import {
  encodeMark,
  markOffset,
  readFrameHeader,
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
  segmentNumber,
  writeFrameHeader,
  writeSegmentHeader,
} from "./segment-format.ts";

const HEADER: SegmentHeader = {
  salt: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  generation: 2 ** 40 + 7,
  address: 2 ** 45 + 512,
  lowWater: 2 ** 33,
};

function segment(): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES + 1024).fill(0xee);
  writeSegmentHeader(bytes, HEADER);
  return bytes;
}

describe("segment headers", () => {
  it("have the layout of the drawing", () => {
    const bytes = segment();
    expect(Buffer.from(bytes.subarray(0, 8)).toString("latin1")).toBe("stanlog\x01");
    expect(Buffer.from(bytes.subarray(8, 40)).toString("hex")).toBe(
      "0102030405060708" + "0700000000010000" + "0002000000200000" + "0000000002000000",
    );
    expect(bytes.subarray(44, SEGMENT_HEADER_BYTES).every((byte) => byte === 0)).toBe(true);
    expect(bytes[SEGMENT_HEADER_BYTES]).toBe(0xee);
  });

  it("are read back, with the greatest low water of header and marks", () => {
    const bytes = segment();
    expect(readSegmentHeader(bytes)).toEqual({ kind: "header", header: HEADER, lowWater: 2 ** 33, spareMark: 0 });
    bytes.set(encodeMark(HEADER.salt, 2 ** 34), markOffset(0));
    expect(readSegmentHeader(bytes)).toMatchObject({ lowWater: 2 ** 34, spareMark: 1 });
    bytes.set(encodeMark(HEADER.salt, 2 ** 50), markOffset(1));
    expect(readSegmentHeader(bytes)).toMatchObject({ lowWater: 2 ** 50, spareMark: 0 });
  });

  it("ignore a torn mark, and one of a former use", () => {
    const bytes = segment();
    bytes.set(encodeMark(HEADER.salt, 2 ** 34), markOffset(0));
    const torn = encodeMark(HEADER.salt, 2 ** 50);
    for (let at = 0; at < torn.length; at++) {
      const copy = bytes.slice();
      copy.set(torn, markOffset(1));
      copy[markOffset(1) + at]! ^= 0x10;
      expect(readSegmentHeader(copy)).toMatchObject({ lowWater: 2 ** 34 });
    }
    bytes.set(encodeMark(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1), 2 ** 50), markOffset(1));
    expect(readSegmentHeader(bytes)).toMatchObject({ lowWater: 2 ** 34 });
  });

  it("are none when any byte is wrong, or missing, but say when the version is another", () => {
    const bytes = segment();
    for (let at = 0; at < 44; at++) {
      const copy = bytes.slice();
      copy[at]! ^= 0x04;
      expect(readSegmentHeader(copy)).toEqual(at === 7 ? { kind: "unsupported", version: 5 } : { kind: "none" });
      expect(readSegmentHeader(bytes.subarray(0, at))).toEqual({ kind: "none" });
    }
  });
});

describe("frame headers", () => {
  const framed = (): Uint8Array => {
    const bytes = segment();
    Buffer.from("payload").copy(bytes, SEGMENT_HEADER_BYTES + 512 + 28);
    const header = { length: 7, part: 300, isLast: true, batch: 255 };
    writeFrameHeader(bytes, SEGMENT_HEADER_BYTES + 512, HEADER.salt, HEADER.address + 512, header);
    return bytes;
  };

  it("are read back at their place", () => {
    const header = readFrameHeader(framed(), SEGMENT_HEADER_BYTES + 512, HEADER);
    expect(header).toEqual({ length: 7, part: 300, isLast: true, batch: 255 });
  });

  it("are none at another place, of another use, or where nothing is", () => {
    const bytes = framed();
    const moved = bytes.slice();
    moved.copyWithin(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 512);
    expect(readFrameHeader(moved, SEGMENT_HEADER_BYTES, HEADER)).toBeUndefined();
    const other = { ...HEADER, salt: new Uint8Array(8) };
    expect(readFrameHeader(bytes, SEGMENT_HEADER_BYTES + 512, other)).toBeUndefined();
    expect(readFrameHeader(segment(), SEGMENT_HEADER_BYTES, HEADER)).toBeUndefined();
    expect(readFrameHeader(bytes, bytes.length - 5, HEADER)).toBeUndefined();
  });

  it("are torn when any other byte is wrong", () => {
    const at = SEGMENT_HEADER_BYTES + 512;
    const bytes = framed();
    for (let i = 0; i < 35; i++) {
      const copy = bytes.slice();
      copy[at + i]! ^= 0x01;
      // Salt and address are what makes it a frame of this place at all.
      const want = i >= 8 && i < 24 ? undefined : "torn";
      expect(readFrameHeader(copy, at, HEADER)).toBe(want);
    }
  });
});

describe("segment names", () => {
  it("tell their numbers, and other files from segments", () => {
    expect(segmentNumber(segmentName(1))).toBe(1);
    expect(segmentNumber(segmentName(123_456))).toBe(123_456);
    for (const name of [".commit.0.log", ".commit.01.log", ".commit.x.log", "commit.1.log", ".commit.1.log.bak"]) {
      expect(segmentNumber(name)).toBeUndefined();
    }
  });
});
