import type { PooledFile } from "../files/file-pool.ts";
import { encodeRecord, FILE_HEADER, FILE_HEADER_SIZE } from "../format/record.ts";
import { RecordReader } from "../format/record-reader.ts";
import { DAMAGED_PLACES_MAX, DamagedFile, type DamagedPlace } from "./damage.ts";
import { keepAside } from "./keep-aside.ts";
import type { RecordSense } from "./record-sense.ts";
import { checkPadding, decideBadRecord, type RecoveryScope, type Repair, reportCut } from "./recovery-scope.ts";
import { SalvageScan } from "./salvage-scan.ts";
import { salvagedText } from "./salvage-slice.ts";
import { cutAt } from "./slice-recovery.ts";

/** A file of typed records that was read. */
export interface RecoveredRecords {
  /** Where the next record goes. */
  readonly end: number;
  /** The file is longer than that, and stays so for now. */
  readonly hasRest: boolean;
}

export interface RecordFileSlot {
  readonly file: PooledFile;
  /** Byte string; undefined for files of the root directory. */
  readonly channel: string | undefined;
  readonly sense: RecordSense;
  readonly repair: (repair: Repair) => void;
  /** Applies a record. @returns what is wrong with it */
  readonly replay: (type: number, bytes: Uint8Array, start: number, end: number) => string | undefined;
}

/** Replays a file whose version is right. @throws FileError, DamagedFile @see file-store.md 2, 15 */
export function recoverRecords(scope: RecoveryScope, slot: RecordFileSlot): RecoveredRecords {
  const file = slot.file.forReading();
  const size = file.sizeNow();
  const reader = new RecordReader(file, size, true, scope.context.verify, FILE_HEADER_SIZE);
  let step = reader.next();
  for (; step === "record"; step = reader.next()) {
    const fault = slot.replay(reader.type, reader.bytes, reader.start, reader.end);
    if (fault !== undefined) throw new DamagedFile(file.path, reader.at, fault);
  }
  const { at, fault } = reader;
  if (step === "torn" || step === "checksum") {
    decideBadRecord(scope, { file, fileSize: size, typed: true, at, fault });
    slot.repair(cutTorn(scope, slot, at, size));
    return { end: at, hasRest: false };
  }
  if (step === "padding") {
    checkPadding(scope, file, at, size);
    slot.repair(cutAt(slot.file, at));
    return { end: at, hasRest: false };
  }
  return { end: at, hasRest: at < size };
}

/**
 * Keeps every record that can be read. A file in which something cannot is copied aside and written anew.
 * @throws FileError
 */
export function salvageRecords(scope: RecoveryScope, slot: RecordFileSlot): RecoveredRecords {
  const { context } = scope;
  const file = slot.file.forReading();
  const size = file.sizeNow();
  const scan = new SalvageScan(file, size, slot.sense, context.checksum);
  const kept: Uint8Array[] = [FILE_HEADER];
  let keptBytes = FILE_HEADER_SIZE;
  const places: DamagedPlace[] = [];
  let placeCount = hasSoundVersion(slot.file) ? 0 : 1;
  let tornAt: number | undefined;
  for (let step = scan.next(); step !== "end"; step = scan.next()) {
    const { reader } = scan;
    if (step === "record") {
      slot.replay(reader.type, reader.bytes, reader.start, reader.end);
      const record = encodeRecord(reader.type, reader.bytes.subarray(reader.start, reader.end), context.checksum);
      kept.push(record);
      keptBytes += record.length;
    } else if (scan.isTornEnd) {
      tornAt = scan.gapStart;
      break;
    } else {
      placeCount++;
      if (places.length < DAMAGED_PLACES_MAX)
        places.push({ offset: scan.gapStart, bytes: scan.gapEnd - scan.gapStart });
    }
  }
  if (placeCount === 0) {
    if (tornAt !== undefined) slot.repair(cutTorn(scope, slot, tornAt, size));
    return { end: tornAt ?? size, hasRest: false };
  }
  slot.repair({
    apply: () => {
      const aside = size > 0 ? keepAside(context.fileSystem, slot.file.path) : undefined;
      rewrite(slot.file, kept, context.fileSystem);
      const channel = slot.channel === undefined ? {} : { channel: slot.channel };
      const copy = aside === undefined ? {} : { copy: aside };
      const text = salvagedText(slot.file.path, placeCount, places, kept.length - 1, "records", aside);
      scope.report({ kind: "salvaged", ...channel, file: slot.file.path, ...copy, text, places, placeCount });
    },
    abandon: () => {},
  });
  return { end: keptBytes, hasRest: false };
}

function cutTorn(scope: RecoveryScope, slot: RecordFileSlot, at: number, size: number): Repair {
  const cut = cutAt(slot.file, at);
  return {
    ...cut,
    apply: () => {
      cut.apply();
      reportCut(scope, slot.file, at, size, slot.channel);
    },
  };
}

/** Whether a file begins with the version that this store writes. */
export function hasSoundVersion(file: PooledFile): boolean {
  const header = new Uint8Array(FILE_HEADER_SIZE);
  const length = file.forReading().readNow(header, 0, FILE_HEADER_SIZE, 0);
  return length === FILE_HEADER_SIZE && header.every((byte, i) => byte === FILE_HEADER[i]);
}

/** Writes the parts into a new file that takes the name of the old one. */
export function rewrite(
  file: PooledFile,
  parts: readonly Uint8Array[],
  fileSystem: RecoveryScope["context"]["fileSystem"],
): void {
  const bytes = Buffer.concat(parts);
  const temporary = `${file.path}.new`;
  const target = fileSystem.openNow(temporary, { mode: "write" });
  try {
    target.truncateNow(0);
    target.writeNow(bytes, 0, bytes.length, 0);
  } finally {
    target.close();
  }
  file.close();
  fileSystem.renameNow(temporary, file.path);
  file.markUnsynced();
}
