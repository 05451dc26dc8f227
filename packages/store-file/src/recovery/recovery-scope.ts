import type { OpenFile } from "@nats-streaming/kernel";
import { type BadRecord, badRecordLines } from "../format/damage-text.ts";
import { UNEXPECTED_EOF, versionFault } from "../format/record.ts";
import type { RecoveryMode } from "../options.ts";
import type { StoreContext } from "../store-context.ts";
import { type Damage, DamagedFile, isZeroFrom } from "./damage.ts";

/** What the parts of one recovery share. */
export interface RecoveryScope {
  readonly context: StoreContext;
  readonly mode: RecoveryMode;
  /** A commit log has just been replayed: indexes may be behind their data. */
  readonly hasReplayed: boolean;
  /** Notes damage, and says it in the log. */
  report(damage: Damage): void;
}

/** What has to be done to files so that they are as they were recovered. */
export interface Repair {
  apply(): void;
  /** The recovery has failed: leaves no trace. */
  abandon(): void;
}

/**
 * Decides about a record that cannot be read.
 * @returns when the file is to be cut off there; the caller reports that once it has been done
 * @throws DamagedFile otherwise
 * @see file-store.md 15
 */
export function decideBadRecord(scope: RecoveryScope, record: BadRecord): void {
  const { context, mode } = scope;
  const isTorn = record.fault === UNEXPECTED_EOF;
  const isRepaired = isTorn && (mode !== "strict" || context.options.truncateUnexpectedEof);
  if (mode === "strict") {
    for (const line of badRecordLines(record, context.root, isRepaired)) context.logger.error(line);
  }
  if (!isRepaired) throw new DamagedFile(record.file.path, record.at, record.fault);
}

/** Says that a file was cut off at a torn record. @param channel byte string; undefined for files of the root directory */
export function reportCut(
  scope: RecoveryScope,
  file: { readonly path: string },
  at: number,
  size: number,
  channel?: string,
): void {
  if (scope.mode === "strict") {
    scope.context.logger.info(`File "${file.path}" has been truncated to offset: ${at}`);
    scope.context.logger.info("Recovery resumes...");
    return;
  }
  scope.report({
    kind: "mended",
    ...(channel === undefined ? {} : { channel }),
    file: file.path,
    text: `File "${file.path}" ended in the middle of a record, as a crash leaves it: ${size - at} bytes from offset ${at} on were cut off`,
    places: [{ offset: at, bytes: size - at }],
    placeCount: 1,
  });
}

/** Eight zero bytes end a file; anything but zeros behind them is damage, except to the original. @throws DamagedFile */
export function checkPadding(scope: RecoveryScope, file: OpenFile, at: number, size: number): void {
  if (scope.mode === "strict" || isZeroFrom(file, at, size)) return;
  throw new DamagedFile(file.path, at, "zeros in the middle of the file");
}

/** Reads a file's version. @throws DamagedFile with the original's text */
export function checkVersion(file: OpenFile): void {
  const header = new Uint8Array(4);
  const fault = versionFault(header, file.readNow(header, 0, header.length, 0));
  if (fault !== undefined) throw new DamagedFile(file.path, undefined, fault);
}
