import type { OpenFile } from "@nats-streaming/kernel";
import { WireFault, wireFaultText } from "@nats-streaming/protocol";
import { type MsgProtoView, msgProtoView, readMsgProto } from "@nats-streaming/protocol/stan";
import type { Checksum } from "../format/crc32.ts";
import {
  computedIndexChecksum,
  INDEX_RECORD_SIZE,
  type IndexEntry,
  indexEntry,
  isZeroIndexRecord,
  readIndexRecord,
  storedIndexChecksum,
} from "../format/index-record.ts";
import { checksumText, FILE_HEADER_SIZE, RECORD_HEADER_SIZE, readUint32, UNEXPECTED_EOF } from "../format/record.ts";
import { MESSAGE_OVERHEAD } from "../messages/slice.ts";
import type { SliceSummary } from "./index-builder.ts";

export type IndexReading =
  | {
      readonly kind: "index";
      /** undefined: no records. */
      readonly summary: SliceSummary | undefined;
      /** Where zeros begin that end the file. */
      readonly paddingAt: number | undefined;
    }
  | { readonly kind: "damaged"; readonly fault: string };

/** Bytes read at once: a multiple of a record. */
const CHUNK = 64 * 1024;

/** Sums up a whole index file. @param checksum undefined: records are not verified @throws FileError */
export function readIndex(file: OpenFile, size: number, checksum: Checksum | undefined): IndexReading {
  const first = indexEntry();
  const last = indexEntry();
  const chunk = new Uint8Array(Math.min(CHUNK, Math.max(INDEX_RECORD_SIZE, size - FILE_HEADER_SIZE)));
  let count = 0;
  let bytes = 0;
  let paddingAt: number | undefined;
  for (let at = FILE_HEADER_SIZE; at < size && paddingAt === undefined; ) {
    const length = file.readNow(chunk, 0, Math.min(chunk.length, size - at), at);
    if (length < INDEX_RECORD_SIZE) return { kind: "damaged", fault: UNEXPECTED_EOF };
    const whole = length - (length % INDEX_RECORD_SIZE);
    for (let i = 0; i < whole; i += INDEX_RECORD_SIZE) {
      if (isZeroIndexRecord(chunk, i)) {
        paddingAt = at + i;
        break;
      }
      if (checksum !== undefined) {
        const stored = storedIndexChecksum(chunk, i);
        const computed = computedIndexChecksum(chunk, i, checksum);
        if (stored !== computed) return { kind: "damaged", fault: checksumText(stored, computed) };
      }
      if (count === 0) readIndexRecord(chunk, i, first);
      bytes += readUint32(chunk, i + 24) + MESSAGE_OVERHEAD;
      count++;
      readIndexRecord(chunk, i, last);
    }
    at += whole;
  }
  return { kind: "index", summary: count === 0 ? undefined : { first, last, count, bytes }, paddingAt };
}

const view: MsgProtoView = msgProtoView();

/**
 * Holds the last record of an index against the data file; its checksum is verified in any case.
 * @returns what is wrong, in the original's words; undefined when nothing is
 * @throws FileError
 */
export function verifyLast(data: OpenFile, dataSize: number, last: IndexEntry, checksum: Checksum): string | undefined {
  const unreadable = (fault: string): string => `unable to read last record: ${fault}`;
  const left = dataSize - last.offset;
  if (left <= 0) return unreadable("EOF");
  if (left < RECORD_HEADER_SIZE) return unreadable(UNEXPECTED_EOF);
  const header = new Uint8Array(RECORD_HEADER_SIZE);
  data.readNow(header, 0, RECORD_HEADER_SIZE, last.offset);
  const size = readUint32(header, 0);
  const stored = readUint32(header, 4);
  if (size === 0 && stored === 0) return unreadable("end of file padded with zeros");
  if (size !== last.size) return unreadable(`expected record size to be ${last.size} bytes, got ${size} bytes`);
  if (size > 0 && left === RECORD_HEADER_SIZE) return unreadable("EOF");
  if (left < RECORD_HEADER_SIZE + size) return unreadable(UNEXPECTED_EOF);
  const payload = new Uint8Array(size);
  data.readNow(payload, 0, size, last.offset + RECORD_HEADER_SIZE);
  const computed = checksum(payload, 0, size);
  if (stored !== computed) return unreadable(checksumText(stored, computed));
  const fault = readMsgProto(view, payload, 0, size);
  if (fault !== WireFault.none) return `error decoding message: proto: MsgProto: ${wireFaultText(fault)}`;
  if (view.sequence === last.sequence) return undefined;
  return `last message sequence in index is ${last.sequence}, data file is ${view.sequence}`;
}
