import type { FileSystem, Logger } from "@nats-streaming/kernel";
import { quoteName } from "@nats-streaming/kernel";
import type { CommitEntry, LogDamage, ReplayReport } from "./commit-log.ts";
import { type Scan, type Survey, scanSegments, surveySegments } from "./log-scan.ts";
import { eachEntry, Replay } from "./replay-entries.ts";
import { type ForeignBytes, ReplayFiles } from "./replay-files.ts";
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
  /** Left out: whatever stands in the place of an entry was written by somebody else. */
  readonly isForeign?: ForeignBytes;
  /** The file, if any, that is written beside a file without a word to the log: it is synced with that. Paths below the root. */
  readonly companion?: (file: string) => string | undefined;
}

/** The files are what was committed; the log does not say so yet. */
export interface StartedReplay {
  /** Whether the log held anything that an earlier start has not done with. */
  readonly hasEntries: boolean;
  /**
   * Marks the log as done with, so that a second replay finds nothing to do. Whatever is made out of the files has to be
   * synced before: until then an interrupted start is repeated as a whole.
   * @throws (rejects) FileError; CommitLogError `sync_failed`
   */
  finish(): Promise<ReplayReport>;
}

/**
 * Brings the files below the root directory up to what was committed, syncs them, and marks the log as done with. To be
 * called before anybody reads the files. Interrupted at any point, it can be repeated.
 * @throws (rejects) FileError, when the disk is full for instance; CommitLogError `sync_failed`, `unsupported_version`
 */
export async function replayCommitLog(options: ReplayOptions): Promise<ReplayReport> {
  return (await startReplay(options)).finish();
}

/** As {@link replayCommitLog}, with the mark left to the caller. */
export async function startReplay(options: ReplayOptions): Promise<StartedReplay> {
  const { directory, fileSystem, logger } = options;
  const survey = surveySegments(fileSystem, directory);
  const scan = await scanSegments(fileSystem, survey);
  const replay = new Replay(survey, new ReplayFiles(fileSystem, directory, options.isForeign));
  const { tornTail } = scan;
  if (!replay.hasWork(scan)) {
    return { hasEntries: false, finish: async () => ({ ...replay.report(), tornTail, damaged: [] }) };
  }
  try {
    await eachEntry(fileSystem, scan, replay.removals);
    replay.files.rename(replay.lastRenames());
    replay.rewind();
    await eachEntry(fileSystem, scan, replay.placements);
  } finally {
    replay.files.close();
  }
  await syncFiles(options, replay.files.touched);
  return {
    hasEntries: true,
    async finish() {
      await markDone(fileSystem, survey, scan);
      const damaged = await setAside(fileSystem, directory, scan, survey);
      const report: ReplayReport = { ...replay.report(), tornTail, damaged };
      tell(logger, report, replay.discardedFiles);
      return report;
    },
  };
}

/** Also what was present may be in the system's cache only. */
async function syncFiles(options: ReplayOptions, files: ReadonlySet<string>): Promise<void> {
  const { fileSystem, directory: root, companion } = options;
  const directories = new Set([root]);
  const paths: string[] = [];
  for (const file of files) {
    const path = `${root}/${file}`;
    paths.push(path);
    const beside = companion?.(file);
    if (beside !== undefined && fileSystem.statNow(`${root}/${beside}`) !== undefined) paths.push(`${root}/${beside}`);
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
