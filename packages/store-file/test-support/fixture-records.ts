import { readFileSync } from "node:fs";
import { join } from "node:path";
import { toNanos } from "@nats-streaming/kernel";
import { SimulatedDisk } from "@nats-streaming/kernel/testing";
import {
  decodeClientDelete,
  decodeClientInfo,
  decodeSubState,
  decodeSubStateDelete,
  readSubStateUpdate,
} from "@nats-streaming/protocol/spb";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import { checksum, IEEE_POLYNOMIAL } from "../src/format/crc32.ts";
import {
  computedIndexChecksum,
  INDEX_RECORD_SIZE,
  indexEntry,
  readIndexRecord,
  storedIndexChecksum,
} from "../src/format/index-record.ts";
import { hex32, readUint32 } from "../src/format/record.ts";
import { RecordReader } from "../src/format/record-reader.ts";
import type { FixtureRecord } from "./fixtures.ts";

const crc = checksum(IEEE_POLYNOMIAL);

/** What a file of a data directory holds, in the words of expected.json. */
export interface ListedFile {
  readonly version: number;
  readonly records: readonly FixtureRecord[];
  readonly paddingAt: number | undefined;
}

/** Reads a file with what the store reads it with. */
export function listRecords(directory: string, path: string): ListedFile {
  const bytes = readFileSync(join(directory, path));
  return path.endsWith(".idx") ? listIndex(bytes) : listData(bytes, path);
}

function listIndex(bytes: Buffer): ListedFile {
  const records: FixtureRecord[] = [];
  const entry = indexEntry();
  for (let at = 4; at + INDEX_RECORD_SIZE <= bytes.length; at += INDEX_RECORD_SIZE) {
    readIndexRecord(bytes, at, entry);
    const stored = storedIndexChecksum(bytes, at);
    records.push({
      at,
      size: entry.size,
      crc: hex32(stored),
      crc_ok: stored === computedIndexChecksum(bytes, at, crc),
      seq: entry.sequence,
      offset: entry.offset,
      timestamp_ns: String(toNanos(entry.time)),
    });
  }
  // There zeros are listed as the records that they could be.
  return { version: readUint32(bytes, 0), records, paddingAt: undefined };
}

function listData(bytes: Buffer, path: string): ListedFile {
  const typed = path.endsWith("subs.dat") || path.endsWith("clients.dat");
  const file = new SimulatedDisk({ seed: 1 }).openNow("/file", { mode: "write" });
  file.writeNow(bytes, 0, bytes.length, 0);
  const reader = new RecordReader(file, bytes.length, typed, undefined, 4);
  const records: FixtureRecord[] = [];
  let step = reader.next();
  for (; step === "record"; step = reader.next()) {
    const { at, size, type, start, end } = reader;
    const crc_ok = crc(reader.bytes, start, end) === reader.storedChecksum;
    const head = { at, size, crc: hex32(reader.storedChecksum), crc_ok, ...(typed ? { type } : {}) };
    records.push({ ...head, ...meaning(path, type, reader.bytes.slice(start, end)) });
  }
  if (step === "torn") {
    const { at, size, type, storedChecksum } = reader;
    records.push({ at, size, crc: hex32(storedChecksum), ...(typed ? { type } : {}), incomplete: true });
  }
  return { version: readUint32(bytes, 0), records, paddingAt: step === "padding" ? reader.at : undefined };
}

/** What a record is about, as far as it can be decoded. */
function meaning(path: string, type: number, payload: Uint8Array): Partial<FixtureRecord> {
  const length = payload.length;
  if (path.endsWith("server.dat")) return {};
  if (path.endsWith("clients.dat")) {
    const decoded = type === 1 ? decodeClientInfo(payload, 0, length) : decodeClientDelete(payload, 0, length);
    return decoded.kind === "ok" ? { client_id: decoded.value.id } : {};
  }
  if (!path.endsWith("subs.dat")) {
    const decoded = decodeMsgProto(payload, 0, length);
    return decoded.kind === "ok" ? { seq: Number(decoded.value.sequence) } : {};
  }
  if (type <= 2) {
    const decoded = decodeSubState(payload, 0, length);
    return decoded.kind === "ok" ? { sub_id: decoded.value.id, last_sent: decoded.value.lastSent } : {};
  }
  if (type === 3) {
    const decoded = decodeSubStateDelete(payload, 0, length);
    return decoded.kind === "ok" ? { sub_id: decoded.value.id } : {};
  }
  const view = { id: 0, seqno: 0 };
  readSubStateUpdate(view, payload, 0, length);
  return { sub_id: view.id, seq: view.seqno };
}
