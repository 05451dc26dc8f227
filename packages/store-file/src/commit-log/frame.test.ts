import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GivenEntry } from "./commit-log.ts";
import { FrameReader, type FrameVisitor } from "./frame-reader.ts";
import { FrameWriter, NameTable, NOTE_DIRECTORY_REMOVED, NOTE_FILE_REMOVED } from "./frame-writer.ts";
import { FRAME_HEADER_BYTES } from "./segment-format.ts";

const PLACE = { opensSegment: false, offset: 4096, address: 0, room: 16_777_216 };

function frame(names: NameTable = new NameTable()): FrameWriter {
  return new FrameWriter(PLACE, names, undefined);
}

function payload(writer: FrameWriter): Uint8Array {
  return writer.bytes.slice(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + writer.length);
}

function recorder(): { readonly seen: unknown[]; readonly visitor: FrameVisitor } {
  const seen: unknown[] = [];
  return {
    seen,
    visitor: {
      append: (file, position, sequence, bytes, start, end) =>
        seen.push(["append", file, position, sequence, Buffer.from(bytes.subarray(start, end)).toString("hex")]),
      removedFile: (file) => seen.push(["removedFile", file]),
      removedDirectory: (directory) => seen.push(["removedDirectory", directory]),
      replaced: (file, temporary) => seen.push(["replaced", file, temporary]),
      refused: (file, from, to) => seen.push(["refused", file, from, to]),
      unknown: () => seen.push(["unknown"]),
    },
  };
}

const SAFE = fc.maxSafeNat();
const FILE = fc.oneof(
  fc.constantFrom("foo/msgs.1.dat", "foo/subs.dat", "clients.dat"),
  fc.string({ minLength: 1, unit: "grapheme" }),
);
const ENTRY = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      file: FILE,
      position: SAFE,
      sequence: SAFE,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("next" as const),
      file: FILE,
      bytes: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    }),
  },
  fc.record({ kind: fc.constantFrom("removedFile" as const, "removedDirectory" as const), file: FILE }),
  fc.record({ kind: fc.constant("replaced" as const), file: FILE, temporary: FILE }),
  fc.record({ kind: fc.constant("refused" as const), file: FILE, position: SAFE, sequence: SAFE }),
);

describe("frames", () => {
  it("are read back as they were written, for any entries, over the frames of segments, whether or not an entry is used again", () => {
    const segments = fc.array(fc.tuple(fc.boolean(), fc.array(ENTRY, { maxLength: 40 })), { maxLength: 5 });
    fc.assert(
      fc.property(segments, (frames) => {
        let names: NameTable = new NameTable();
        let reader = new FrameReader();
        const ends = new Map<string, { end: number; sequence: number }>();
        const kept = new Map<string, GivenEntry>();
        for (const [opensSegment, entries] of frames) {
          if (opensSegment) {
            names = new NameTable();
            reader = new FrameReader();
          }
          const writer = frame(names);
          const written: unknown[] = [];
          for (const entry of entries) {
            switch (entry.kind) {
              case "append":
              case "next": {
                const known = ends.get(entry.file) ?? { end: 4, sequence: 1 };
                const position = entry.kind === "next" ? known.end : entry.position;
                const sequence = entry.kind === "next" ? known.sequence : entry.sequence;
                if (!Number.isSafeInteger(position + 1000) || !Number.isSafeInteger(sequence + 1)) continue;
                const fresh: GivenEntry = { file: entry.file, position, sequence };
                const again = Object.assign(kept.get(entry.file) ?? fresh, fresh);
                kept.set(entry.file, again);
                const isKept = entry.bytes.length % 2 === 0;
                writer.append(isKept ? again : { ...fresh }, entry.bytes, 0, entry.bytes.length);
                ends.set(entry.file, {
                  end: position + entry.bytes.length,
                  sequence: sequence === 0 ? 0 : sequence + 1,
                });
                written.push(["append", entry.file, position, sequence, Buffer.from(entry.bytes).toString("hex")]);
                break;
              }
              case "replaced":
                writer.replaced(entry.file, entry.temporary);
                written.push(["replaced", entry.file, entry.temporary]);
                break;
              case "refused":
                writer.refused(entry.file, entry.position, entry.sequence);
                written.push(["refused", entry.file, entry.position, entry.sequence]);
                break;
              default:
                writer.removed(entry.file, entry.kind === "removedFile" ? NOTE_FILE_REMOVED : NOTE_DIRECTORY_REMOVED);
                written.push([entry.kind, entry.file]);
            }
          }
          const { seen, visitor } = recorder();
          const bytes = payload(writer);
          expect(reader.read(bytes, 0, bytes.length, visitor)).toBe(true);
          expect(seen).toEqual(written);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("cost two to four bytes for a message that follows another of its channel, and a name once per segment", () => {
    const names: NameTable = new NameTable();
    const bytes = new Uint8Array(100);
    const first = frame(names);
    for (let i = 0; i < 1000; i++) {
      first.append({ file: "orders/msgs.1.dat", position: 4 + 100 * i, sequence: i + 1 }, bytes, 0, 100);
    }
    expect(first.length).toBe(1000 * 102 + 19 + 2);
    const second = frame(names);
    for (let i = 0; i < 100; i++) {
      second.append({ file: `c${i}/msgs.1.dat`, position: 4, sequence: 1 }, bytes, 0, 100);
      second.append({ file: `c${i}/msgs.1.dat`, position: 104, sequence: 2 }, bytes, 0, 100);
    }
    const before = second.length;
    for (let i = 0; i < 100; i++)
      second.append({ file: `c${i}/msgs.1.dat`, position: 204, sequence: 3 }, bytes, 0, 100);
    expect((second.length - before) / 100).toBeLessThanOrEqual(104);
  });

  it("are refused where they are cut, at any byte", () => {
    const writer = frame();
    writer.append({ file: "foo/msgs.1.dat", position: 70_000, sequence: 9 }, Buffer.from("some bytes"), 0, 10);
    writer.refused("foo/msgs.1.dat", 5, 6);
    writer.replaced("foo/subs.dat", "subs123");
    const bytes = payload(writer);
    let whole = 0;
    for (let end = 0; end < bytes.length; end++) {
      const { visitor } = recorder();
      if (new FrameReader().read(bytes, 0, end, visitor)) whole++;
    }
    // Between entries nothing tells that there was more: the frame's own length does.
    expect(whole).toBe(5);
  });

  it("survive any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { visitor } = recorder();
        expect(typeof new FrameReader().read(bytes, 0, bytes.length, visitor)).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
  });

  it("report entries of names that were defined in a frame which is missing", () => {
    const names: NameTable = new NameTable();
    frame(names).append({ file: "lost", position: 0, sequence: 0 }, Buffer.from("x"), 0, 1);
    const second = frame(names);
    second.append({ file: "lost", position: 1, sequence: 0 }, Buffer.from("y"), 0, 1);
    second.append({ file: "known", position: 0, sequence: 0 }, Buffer.from("z"), 0, 1);
    const { seen, visitor } = recorder();
    const bytes = payload(second);
    expect(new FrameReader().read(bytes, 0, bytes.length, visitor)).toBe(true);
    expect(seen).toEqual([["unknown"], ["append", "known", 0, 0, "7a"]]);
  });

  it("pads with zeros to the end of the page in which a frame ends", () => {
    const writer = new FrameWriter({ ...PLACE, offset: 4096 + 512 }, new NameTable(), Buffer.alloc(70_000, 0xee));
    writer.append({ file: "f", position: 0, sequence: 0 }, new Uint8Array(4000).fill(1), 0, 4000);
    const written = writer.pad();
    expect((4096 + 512 + written) % 4096).toBe(0);
    const end = FRAME_HEADER_BYTES + writer.length;
    expect(writer.bytes.subarray(end, written).every((byte) => byte === 0)).toBe(true);
    expect(writer.bytes[written]).toBe(0xee);
  });
});
