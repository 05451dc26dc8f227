import type { FileSystem, Logger } from "@nats-streaming/kernel";
import { quoteName } from "@nats-streaming/kernel";
import type { CommitEntry, LogDamage, ReplayReport } from "./commit-log.ts";
import { type Scan, type Survey, scanSegments, surveySegments } from "./log-scan.ts";
import { eachEntry, Replay } from "./replay-entries.ts";
import { ReplayFiles } from "./replay-files.ts";
import { encodeMark, markOffset } from "./segment-format.ts";
import { synced } from "./synced.ts";

/** Files that are synced at the same time: as many threads as there are for it by default. */
const SYNCS_AT_ONCE = 4;
/** Files with discarded entries that get a line in the log each. */
const DISCARD_LINES_MAX = 20;

export interface ReplayOptions {
  /** The root directory of the store; it need not exist. */
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
}

/**
 * Brings the files below the root directory up to what was committed, syncs them, and marks the log as done with, so
 * that a second replay finds nothing to do. To be called before anybody reads the files. Interrupted at any point, it can be
 * repeated.
 * @throws (rejects) FileError, when the disk is full for instance; CommitLogError `sync_failed`, `unsupported_version`
 */
export async function replayCommitLog({ directory, fileSystem, logger }: ReplayOptions): Promise<ReplayReport> {
  const survey = surveySegments(fileSystem, directory);
  const scan = await scanSegments(fileSystem, survey);
  const replay = new Replay(survey, new ReplayFiles(fileSystem, directory));
  if (replay.hasWork(scan)) {
    try {
      await eachEntry(fileSystem, scan, replay.removals);
      replay.files.rename(replay.lastRenames());
      replay.rewind();
      await eachEntry(fileSystem, scan, replay.placements);
    } finally {
      replay.files.close();
    }
    await syncFiles(fileSystem, directory, replay.files.touched);
  }
  if (!replay.hasWork(scan)) return { ...replay.report(), tornTail: scan.tornTail, damaged: [] };
  await markDone(fileSystem, survey, scan);
  const damaged = await setAside(fileSystem, directory, scan, survey);
  const report: ReplayReport = { ...replay.report(), tornTail: scan.tornTail, damaged };
  tell(logger, report, replay.discardedFiles);
  return report;
}

/** Also what was present may be in the system's cache only. */
async function syncFiles(fileSystem: FileSystem, root: string, files: ReadonlySet<string>): Promise<void> {
  const directories = new Set([root]);
  const paths: string[] = [];
  for (const file of files) {
    const path = `${root}/${file}`;
    paths.push(path);
    for (let slash = path.lastIndexOf("/"); slash > root.length; slash = path.lastIndexOf("/", slash - 1)) {
      directories.add(path.slice(0, slash));
    }
  }
  const syncFile = async (path: string): Promise<void> => {
    const file = fileSystem.openNow(path, { mode: "write" });
    try {
      await synced(file.sync());
    } finally {
      file.close();
    }
  };
  await eachAtOnce(paths, syncFile);
  await eachAtOnce([...directories], (path) => synced(fileSystem.syncDirectory(path)));
}

async function eachAtOnce(items: readonly string[], work: (item: string) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, worker));
}

/** Renames damaged segments, so that nothing overwrites what may be wanted for an investigation. */
async function setAside(
  fileSystem: FileSystem,
  directory: string,
  { damaged }: Scan,
  { segments }: Survey,
): Promise<readonly LogDamage[]> {
  const renamed: LogDamage[] = [];
  for (const { file, offset } of damaged) {
    const generation = segments.find(({ path }) => path === file)?.header?.generation ?? 0;
    const target = `${directory}/.commit.damaged.${generation}`;
    fileSystem.renameNow(file, target);
    renamed.push({ file: target, offset });
  }
  if (renamed.length > 0) await synced(fileSystem.syncDirectory(directory));
  return renamed;
}

/** Makes it known in the newest segment that all frames are done with. */
async function markDone(fileSystem: FileSystem, { segments, addressLimit }: Survey, { damaged }: Scan): Promise<void> {
  const aside = new Set(damaged.map(({ file }) => file));
  const newest = segments.findLast(({ path, header }) => header !== undefined && !aside.has(path));
  if (newest?.header === undefined) return;
  const file = fileSystem.openNow(newest.path, { mode: "write" });
  try {
    const mark = encodeMark(newest.header.salt, addressLimit);
    file.writeNow(mark, 0, mark.length, markOffset(newest.spareMark));
    await synced(file.sync());
  } finally {
    file.close();
  }
}

function tell(
  logger: Logger,
  { replayed, present, discardedCount, damaged }: ReplayReport,
  files: ReadonlyMap<string, { readonly first: CommitEntry; readonly count: number }>,
): void {
  logger.info(`Commit log: ${replayed} entries written to their files, ${present} were there`);
  for (const { file, offset } of damaged) {
    logger.error(`Commit log: committed entries cannot be read; segment kept as ${file} (damaged at ${offset})`);
  }
  if (discardedCount === 0) return;
  logger.warn(`Commit log: ${discardedCount} entries discarded, as other bytes stand at their places`);
  for (const [file, { first, count }] of [...files].slice(0, DISCARD_LINES_MAX)) {
    const where = file === "" ? "files unknown, after damage in the log" : quoteName(file);
    logger.warn(`Commit log: ${where}: ${count}, the first at ${first.position} (sequence ${first.sequence})`);
  }
}
