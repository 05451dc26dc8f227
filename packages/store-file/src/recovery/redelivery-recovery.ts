import { channelDirectory, REDELIVERIES_FILE } from "../files/names.ts";
import { pathIn } from "../files/paths.ts";
import { FILE_HEADER, FILE_HEADER_SIZE, readUint64 } from "../format/record.ts";
import {
  REDELIVERY_PAYLOAD_BYTES,
  REDELIVERY_RECORD,
  type RedeliveryTable,
  redeliveryRecords,
  replayRedelivery,
} from "../subscriptions/redelivery-records.ts";
import type { SubscriptionTable } from "../subscriptions/subscription-records.ts";
import { keepAside } from "./keep-aside.ts";
import { hasSoundVersion, rewrite } from "./record-file-recovery.ts";
import type { RecordSense } from "./record-sense.ts";
import type { RecoveryScope, Repair } from "./recovery-scope.ts";
import { SalvageScan } from "./salvage-scan.ts";

/** Counts of redeliveries that are of use, and where the next record goes; the end is 0 when there is no file. */
export interface RecoveredRedeliveries {
  readonly table: RedeliveryTable;
  readonly end: number;
}

const sense: RecordSense = {
  typed: true,
  isPlausible: (bytes, at) => bytes[at] === REDELIVERY_PAYLOAD_BYTES && bytes[at + 3] === REDELIVERY_RECORD,
  isUsable: (type, bytes, start, end) =>
    type === REDELIVERY_RECORD &&
    end - start === REDELIVERY_PAYLOAD_BYTES &&
    [0, 8, 16].every((field) => Number.isSafeInteger(readUint64(bytes, start + field))),
};

/**
 * Reads redeliveries.dat of a channel, whatever its state: to lose a count is to redeliver more often, which is no reason
 * not to serve a channel, in any mode. Counts of messages that are not pending any more are left out, and the file with them.
 * @param channel byte string
 * @throws FileError
 */
export function recoverRedeliveries(
  scope: RecoveryScope,
  channel: string,
  { byId }: SubscriptionTable,
  repair: (repair: Repair) => void,
): RecoveredRedeliveries {
  const { pool, fileSystem, checksum, root } = scope.context;
  const table: RedeliveryTable = new Map();
  const path = pathIn(root, channelDirectory(channel), REDELIVERIES_FILE);
  if (fileSystem.statNow(path) === undefined) return { table, end: 0 };
  const file = pool.file(path);
  try {
    const open = file.forReading();
    const size = open.sizeNow();
    let isDamaged = size > 0 && !hasSoundVersion(file);
    let isKept = size >= FILE_HEADER_SIZE && !isDamaged;
    const scan = new SalvageScan(open, size, sense, checksum);
    for (let step = scan.next(); step !== "end"; step = scan.next()) {
      if (step === "record") {
        replayRedelivery(table, scan.reader.bytes, scan.reader.start);
        continue;
      }
      isKept = false;
      if (scan.isTornEnd) break;
      isDamaged = true;
    }
    for (const [id, counts] of table) {
      const pending = byId.get(id)?.pending;
      for (const sequence of [...counts.keys()]) {
        if (pending?.has(sequence) === true) continue;
        counts.delete(sequence);
        isKept = false;
      }
      if (counts.size === 0) table.delete(id);
    }
    if (table.size === 0) isKept = false;
    if (isKept) return { table, end: size };
    const parts = table.size === 0 ? [] : [FILE_HEADER, ...redeliveryRecords(table, checksum)];
    repair({
      apply: () => {
        if (isDamaged) reportDamage(scope, channel, path);
        if (parts.length > 0) rewrite(file, parts, fileSystem);
        else file.remove();
      },
      abandon: () => {},
    });
    return { table, end: parts.reduce((sum, part) => sum + part.length, 0) };
  } finally {
    file.close();
  }
}

function reportDamage(scope: RecoveryScope, channel: string, path: string): void {
  const copy = keepAside(scope.context.fileSystem, path);
  const text = `File "${path}" was damaged: some messages may be redelivered more often; the damaged file is kept as "${copy}"`;
  scope.report({ kind: "salvaged", channel, file: path, copy, text, places: [], placeCount: 1 });
}
