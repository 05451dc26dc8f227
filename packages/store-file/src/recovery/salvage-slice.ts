import type { FileSystem, OpenFile, Timestamp } from "@nats-streaming/kernel";
import { type MsgProtoView, msgProtoView, readMsgProto, readMsgProtoTime } from "@nats-streaming/protocol/stan";
import { FILE_HEADER, FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";
import { DAMAGED_PLACES_MAX, type DamagedPlace } from "./damage.ts";
import { IndexBuilder, type SliceSummary } from "./index-builder.ts";
import { keepAside } from "./keep-aside.ts";
import { messageSense } from "./record-sense.ts";
import { type RecoveryScope, reportCut } from "./recovery-scope.ts";
import { SalvageScan } from "./salvage-scan.ts";
import type { RecoveredSlice, SliceSlot } from "./slice-recovery.ts";

const view: MsgProtoView = msgProtoView();
const time: Timestamp = { millis: 0, nanos: 0 };

/**
 * Reads every message of a slice, whatever its index says. What is damaged is copied aside, and the slice written anew with
 * all messages that can be read; the index is always written anew, as it can be made from the data.
 * @throws FileError
 */
export function salvageSlice(scope: RecoveryScope, slot: SliceSlot): RecoveredSlice {
  const { context } = scope;
  const { data, index, channel } = slot;
  const dataFile = data.forReading();
  const size = dataFile.sizeNow();
  const builder = new IndexBuilder(context.fileSystem, index.path, context.checksum);
  const copy = new SliceCopy(context.fileSystem, data.path, dataFile, hasHeader(dataFile));
  const scan = new SalvageScan(dataFile, size, messageSense(channel), context.checksum);
  const places: DamagedPlace[] = [];
  let placeCount = copy.isNeeded && size > 0 ? 1 : 0;
  let tornAt: number | undefined;
  let end = Math.min(FILE_HEADER_SIZE, size);
  for (let step = scan.next(); step !== "end"; step = scan.next()) {
    if (step === "gap") {
      if (scan.isTornEnd) {
        tornAt = scan.gapStart;
        break;
      }
      copy.leaveOut(scan.gapStart);
      placeCount++;
      if (places.length < DAMAGED_PLACES_MAX) {
        places.push({ offset: scan.gapStart, bytes: scan.gapEnd - scan.gapStart });
      }
      continue;
    }
    const { reader } = scan;
    readMsgProto(view, reader.bytes, reader.start, reader.end);
    readMsgProtoTime(reader.bytes, reader.start, reader.end, time);
    const offset = copy.keep(reader.at, reader.bytes, reader.start - RECORD_HEADER_SIZE, reader.end);
    builder.add(view.sequence, offset, time, reader.size);
    end = reader.at + RECORD_HEADER_SIZE + reader.size;
  }
  const summary: SliceSummary | undefined = builder.finish();
  const copied = copy.finish();
  slot.repair({
    apply: () => {
      let aside: string | undefined;
      data.close();
      index.close();
      if (copied !== undefined) {
        if (size > 0) aside = keepAside(context.fileSystem, data.path);
        copy.apply();
      } else if (tornAt !== undefined) {
        data.forWriting().truncateNow(tornAt);
        reportCut(scope, data, tornAt, size, channel);
      }
      builder.apply();
      data.markUnsynced();
      index.markUnsynced();
      if (placeCount === 0) return;
      scope.report({
        kind: "salvaged",
        channel,
        file: data.path,
        ...(aside === undefined ? {} : { copy: aside }),
        text: salvagedText(data.path, placeCount, places, summary?.count ?? 0, "messages", aside),
        places,
        placeCount,
      });
    },
    abandon: () => {
      builder.abandon();
      copy.abandon();
    },
  });
  return { summary, dataEnd: copied ?? end, hasRest: false };
}

/** @param what the records are called */
export function salvagedText(
  path: string,
  placeCount: number,
  places: readonly DamagedPlace[],
  kept: number,
  what: string,
  aside: string | undefined,
): string {
  const where = places.length === 0 ? "" : ` (the first at offset ${places[0]!.offset}, ${places[0]!.bytes} bytes)`;
  const copy = aside === undefined ? "" : `; the damaged file is kept as "${aside}"`;
  return `File "${path}" was damaged in ${placeCount} place(s)${where}: ${kept} ${what} could be read and were kept${copy}`;
}

function hasHeader(file: OpenFile): boolean {
  const header = new Uint8Array(FILE_HEADER_SIZE);
  const length = file.readNow(header, 0, FILE_HEADER_SIZE, 0);
  return length === FILE_HEADER_SIZE && header.every((byte, i) => byte === FILE_HEADER[i]);
}

/** The slice's data without what is damaged in it; begun when the first damage is met. */
class SliceCopy {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #temporary: string;
  readonly #source: OpenFile;
  #target: OpenFile | undefined;
  #end = FILE_HEADER_SIZE;

  constructor(fileSystem: FileSystem, path: string, source: OpenFile, isSound: boolean) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#temporary = `${path}.new`;
    this.#source = source;
    if (!isSound) this.#begin(FILE_HEADER_SIZE);
  }

  get isNeeded(): boolean {
    return this.#target !== undefined;
  }

  /** What follows the first `position` bytes is damaged. */
  leaveOut(position: number): void {
    if (this.#target === undefined) this.#begin(position);
  }

  /** Keeps a record. @returns where it is now */
  keep(position: number, bytes: Uint8Array, start: number, end: number): number {
    const target = this.#target;
    if (target === undefined) return position;
    // The reader may have had to read header and payload apart.
    const header = new Uint8Array(RECORD_HEADER_SIZE);
    this.#source.readNow(header, 0, RECORD_HEADER_SIZE, position);
    const at = this.#end;
    target.writeNow(header, 0, RECORD_HEADER_SIZE, at);
    target.writeNow(bytes, start + RECORD_HEADER_SIZE, end - start - RECORD_HEADER_SIZE, at + RECORD_HEADER_SIZE);
    this.#end = at + end - start;
    return at;
  }

  /** @returns the copy's size, if there is one */
  finish(): number | undefined {
    return this.#target === undefined ? undefined : this.#end;
  }

  apply(): void {
    this.#target?.close();
    this.#fileSystem.renameNow(this.#temporary, this.#path);
  }

  abandon(): void {
    if (this.#target === undefined) return;
    this.#target.close();
    this.#fileSystem.removeNow(this.#temporary);
  }

  #begin(sound: number): void {
    const target = this.#fileSystem.openNow(this.#temporary, { mode: "write" });
    this.#target = target;
    target.truncateNow(0);
    target.writeNow(FILE_HEADER, 0, FILE_HEADER_SIZE, 0);
    const chunk = new Uint8Array(Math.min(COPY_CHUNK, Math.max(1, sound)));
    for (let at = FILE_HEADER_SIZE; at < sound; ) {
      const length = this.#source.readNow(chunk, 0, Math.min(chunk.length, sound - at), at);
      target.writeNow(chunk, 0, length, at);
      at += length;
    }
    this.#end = Math.max(FILE_HEADER_SIZE, sound);
  }
}

const COPY_CHUNK = 1024 * 1024;
