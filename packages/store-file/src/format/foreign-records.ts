import type { ForeignBytes } from "../commit-log/replay-files.ts";
import { isSliceName } from "../files/names.ts";
import { nameOf } from "../files/paths.ts";
import type { Checksum } from "./crc32.ts";
import { FILE_HEADER, FILE_HEADER_SIZE, RECORD_HEADER_SIZE, readUint32 } from "./record.ts";

/**
 * Tells the records of another server from damage: where a record of ours is not in its place, a server that went on there
 * has left a record whose checksum is right. Anything else was written by nobody.
 */
export function foreignRecords(checksum: Checksum): ForeignBytes {
  return (file, position, bytes, start, end) => {
    let at = start;
    let place = position;
    if (place === 0) {
      const header = file.read(0, Math.min(FILE_HEADER_SIZE, file.size));
      if (!header.every((byte, i) => byte === FILE_HEADER[i])) return false;
      at += FILE_HEADER_SIZE;
      place += FILE_HEADER_SIZE;
    }
    const isTyped = !isSliceName(nameOf(`/${file.name}`));
    const sizeAt = (from: Uint8Array, i: number): number => readUint32(from, i) & (isTyped ? 0xff_ffff : -1);
    while (at + RECORD_HEADER_SIZE <= end && place + RECORD_HEADER_SIZE <= file.size) {
      const ours = RECORD_HEADER_SIZE + (sizeAt(bytes, at) >>> 0);
      if (place + ours <= file.size && Buffer.compare(file.read(place, ours), bytes.subarray(at, at + ours)) === 0) {
        at += ours;
        place += ours;
        continue;
      }
      const header = file.read(place, RECORD_HEADER_SIZE);
      const size = sizeAt(header, 0) >>> 0;
      const stored = readUint32(header, 4);
      const payload = place + RECORD_HEADER_SIZE;
      if ((size === 0 && stored === 0) || payload + size > file.size) return false;
      return checksum(file.read(payload, size), 0, size) === stored;
    }
    return false;
  };
}
