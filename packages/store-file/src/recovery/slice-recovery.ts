import { errorText, type OpenFile, type Timestamp } from "@nats-streaming/kernel";
import { WireFault, wireFaultText } from "@nats-streaming/protocol";
import { type MsgProtoView, msgProtoView, readMsgProto, readMsgProtoTime } from "@nats-streaming/protocol/stan";
import type { PooledFile } from "../files/file-pool.ts";
import { FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";
import { RecordReader } from "../format/record-reader.ts";
import { DamagedFile } from "./damage.ts";
import { IndexBuilder, type SliceSummary } from "./index-builder.ts";
import { extendIndex } from "./index-extension.ts";
import { type IndexReading, readIndex, verifyLast } from "./index-reading.ts";
import { messageSense } from "./record-sense.ts";
import {
  checkPadding,
  checkVersion,
  decideBadRecord,
  type RecoveryScope,
  type Repair,
  reportCut,
} from "./recovery-scope.ts";
import { hasRecordAfter } from "./salvage-scan.ts";

/** Where a slice is, and what is done to it once it is known that its channel can be recovered. */
export interface SliceSlot {
  /** Byte string. */
  readonly channel: string;
  readonly data: PooledFile;
  readonly index: PooledFile;
  /** Takes a repair on; in `strict` mode it is applied at once, as the original does. */
  readonly repair: (repair: Repair) => void;
  /** A file is going to be opened: error texts name the last one. */
  readonly onOpen: (file: PooledFile) => void;
}

/** What recovery knows of a slice. */
export interface RecoveredSlice {
  /** undefined: no messages. */
  readonly summary: SliceSummary | undefined;
  /** Where the next record goes in the data file. */
  readonly dataEnd: number;
  /** The data file is longer than that, and stays so for now. */
  readonly hasRest: boolean;
}

/**
 * Recovers one slice: from its index if that fits the data, else from the data, writing the index anew.
 * @throws FileError, DamagedFile
 * @see file-store.md 14.4
 */
export function recoverSlice(scope: RecoveryScope, slot: SliceSlot): RecoveredSlice {
  const { context, mode } = scope;
  const { data, index } = slot;
  const hasIndex = context.fileSystem.statNow(index.path) !== undefined;
  slot.onOpen(data);
  const dataFile = data.forReading();
  checkVersion(dataFile);
  slot.onOpen(index);
  const dataSize = dataFile.sizeNow();
  const reading = hasIndex ? openIndex(scope, index) : undefined;
  const fault = reading === undefined ? undefined : indexFault(scope, data, dataFile, dataSize, reading);
  if (fault !== undefined) {
    context.logger.error(`Error with index file "${index.path}": ${fault}. Truncating and recovering from data file`);
  }
  if (fault !== undefined || reading?.kind !== "index" || reading.summary === undefined) {
    try {
      return rebuildIndex(scope, slot, dataSize, reading);
    } catch (error) {
      if (mode === "strict") index.remove();
      throw error;
    }
  }
  const { summary, paddingAt } = reading;
  if (paddingAt !== undefined) slot.repair(cutAt(index, paddingAt));
  const dataEnd = summary.last.offset + RECORD_HEADER_SIZE + summary.last.size;
  const isComplete = dataSize === dataEnd || (mode === "strict" && !scope.hasReplayed);
  if (isComplete) return { summary, dataEnd, hasRest: dataSize > dataEnd };
  return recoverTail(scope, slot, summary, dataEnd, dataSize);
}

/** The index, or why it cannot be used. In `strict` mode its version must be right. */
function openIndex(scope: RecoveryScope, index: PooledFile): IndexReading {
  const file = index.forReading();
  try {
    checkVersion(file);
  } catch (error) {
    if (scope.mode === "strict" || !(error instanceof DamagedFile)) throw error;
    return { kind: "damaged", fault: error.message };
  }
  return readIndex(file, file.sizeNow(), scope.context.verify);
}

function indexFault(
  { context }: RecoveryScope,
  data: PooledFile,
  dataFile: OpenFile,
  dataSize: number,
  reading: IndexReading,
): string | undefined {
  if (reading.kind === "damaged") return reading.fault;
  if (reading.summary === undefined) return undefined;
  const reason = verifyLast(dataFile, dataSize, reading.summary.last, context.checksum);
  if (reason === undefined) return undefined;
  const text = `Verification of last message for file "${data.path}" failed: ${reason}`;
  context.logger.error(text);
  return text;
}

const view: MsgProtoView = msgProtoView();
const time: Timestamp = { millis: 0, nanos: 0 };

/** Reads the whole data file. */
function rebuildIndex(
  scope: RecoveryScope,
  slot: SliceSlot,
  dataSize: number,
  former: IndexReading | undefined,
): RecoveredSlice {
  const { context } = scope;
  const dataFile = slot.data.forReading();
  const builder = new IndexBuilder(context.fileSystem, slot.index.path, context.checksum);
  try {
    const reader = new RecordReader(dataFile, dataSize, false, context.verify, FILE_HEADER_SIZE);
    let step = reader.next();
    for (; step === "record"; step = reader.next()) {
      const fault = readMsgProto(view, reader.bytes, reader.start, reader.end);
      if (fault !== WireFault.none) {
        throw new DamagedFile(dataFile.path, reader.at, `proto: MsgProto: ${wireFaultText(fault)}`);
      }
      readMsgProtoTime(reader.bytes, reader.start, reader.end, time);
      builder.add(view.sequence, reader.at, time, reader.size);
    }
    const dataEnd = reader.at;
    if (step === "torn" || step === "checksum") {
      const { at, fault } = reader;
      if (scope.mode !== "strict" && isIndexed(former, at, dataSize)) throw new DamagedFile(dataFile.path, at, fault);
      decideBadRecord(scope, { file: dataFile, fileSize: dataSize, typed: false, at, fault });
      slot.repair(cutTorn(scope, slot, at, dataSize));
    } else if (step === "padding") {
      checkPadding(scope, dataFile, dataEnd, dataSize);
      slot.repair(cutAt(slot.data, dataEnd));
    }
    const summary = builder.finish();
    slot.repair({
      apply: () => {
        slot.index.close();
        builder.apply();
        slot.index.markUnsynced();
      },
      abandon: () => builder.abandon(),
    });
    return { summary, dataEnd, hasRest: step === "end" && dataSize > dataEnd };
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

/** Whether an index knows of a message behind `at` that the file is large enough to hold: then no write was cut short. */
function isIndexed(index: IndexReading | undefined, at: number, dataSize: number): boolean {
  if (index?.kind !== "index" || index.summary === undefined) return false;
  const end = index.summary.last.offset + RECORD_HEADER_SIZE + index.summary.last.size;
  return at < end && end <= dataSize;
}

/**
 * The data goes on behind what the index knows of: whole messages are indexed, the torn end of a write is cut off. Bytes
 * that are neither are damage if any message comes behind them.
 */
function recoverTail(
  scope: RecoveryScope,
  slot: SliceSlot,
  indexed: SliceSummary,
  from: number,
  dataSize: number,
): RecoveredSlice {
  const { context } = scope;
  const dataFile = slot.data.forReading();
  const reader = new RecordReader(dataFile, dataSize, false, context.checksum, from);
  const extension = extendIndex(indexed, context.checksum);
  let step = reader.next();
  for (; step === "record"; step = reader.next()) {
    const isMessage = readMsgProto(view, reader.bytes, reader.start, reader.end) === WireFault.none;
    if (!isMessage || view.sequence <= extension.summary().last.sequence) break;
    readMsgProtoTime(reader.bytes, reader.start, reader.end, time);
    extension.add(view.sequence, reader.at, time, reader.size);
  }
  const { at } = reader;
  if (at < dataSize) {
    if (step === "torn")
      decideBadRecord(scope, { file: dataFile, fileSize: dataSize, typed: false, at, fault: reader.fault });
    else if (hasRecordAfter(dataFile, dataSize, messageSense(slot.channel), context.checksum, at)) {
      throw new DamagedFile(dataFile.path, at, reader.fault === "" ? "bytes that are no message" : reader.fault);
    }
    slot.repair(cutTorn(scope, slot, at, dataSize));
  }
  if (extension.bytes.length > 0) slot.repair(extension.repair(slot.index));
  return { summary: extension.summary(), dataEnd: at, hasRest: false };
}

function cutTorn(scope: RecoveryScope, slot: SliceSlot, at: number, dataSize: number): Repair {
  const cut = cutAt(slot.data, at);
  return {
    ...cut,
    apply: () => {
      cut.apply();
      reportCut(scope, slot.data, at, dataSize, slot.channel);
    },
  };
}

/** Cuts a file off. @throws (on apply) DamagedFile with the original's text */
export function cutAt(file: PooledFile, position: number): Repair {
  return {
    apply: () => {
      try {
        file.forWriting().truncateNow(position);
      } catch (cause) {
        const text = errorText(cause);
        const fault = `unable to repair file "${file.path}" by truncating at offset ${position}: ${text}`;
        throw new DamagedFile(file.path, position, fault, { cause });
      }
      file.markUnsynced();
    },
    abandon: () => {},
  };
}
