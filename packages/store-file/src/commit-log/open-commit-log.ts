import { type Clock, invariant, type Random } from "@nats-streaming/kernel";
import type { CommitLog, RefusalListener, ReplayReport } from "./commit-log.ts";
import { GATHERED_BYTES_MAX, Gathering } from "./gathering.ts";
import { surveySegments } from "./log-scan.ts";
import { type ReplayOptions, replayCommitLog } from "./replay.ts";
import { SegmentPool } from "./segment-pool.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { SegmentedCommitLog } from "./segmented-commit-log.ts";

/** A second or so of heavy publishing; large enough that taking the next one into use costs nothing. */
export const SEGMENT_BYTES_DEFAULT = 16_777_216;
/** Below that a batch would be in too many parts. */
export const SEGMENT_BYTES_MIN = 16_384;
/** Segments consist of whole pages. */
const SEGMENT_BYTES_UNIT = 4096;

export interface CommitLogOptions extends ReplayOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Size of a segment, at least {@link SEGMENT_BYTES_MIN}, in whole pages; {@link SEGMENT_BYTES_DEFAULT} if left out. */
  readonly segmentBytes?: number;
  /** Most bytes that may gather without a commit; {@link GATHERED_BYTES_MAX} if left out. */
  readonly gatheredBytesMax?: number;
  readonly onRefused?: RefusalListener;
}

export interface OpenedCommitLog {
  readonly log: CommitLog;
  /** Of the replay that came first; nothing in it when {@link replayCommitLog} was called before. */
  readonly report: ReplayReport;
}

/**
 * Opens the log of a root directory, which exists, for writing. What an earlier log has left is replayed first, if that has
 * not been done. A full disk does not keep it from opening: commits are refused until there is space.
 * @throws (rejects) as {@link replayCommitLog}
 */
export async function openCommitLog(options: CommitLogOptions): Promise<OpenedCommitLog> {
  const { directory, fileSystem, clock, logger, random, segmentBytes = SEGMENT_BYTES_DEFAULT } = options;
  invariant(
    segmentBytes >= SEGMENT_BYTES_MIN && segmentBytes % SEGMENT_BYTES_UNIT === 0,
    `segment of ${segmentBytes} bytes`,
  );
  const report = await replayCommitLog(options);
  const { segments, generation, addressLimit: address, lowWaterSegment } = surveySegments(fileSystem, directory);
  const numbers = segments.map(({ number }) => number);
  const free = numbers.filter((number) => number !== lowWaterSegment);
  const highest = Math.max(0, ...numbers);
  const pool = new SegmentPool({
    directory,
    fileSystem,
    segmentBytes,
    count: numbers.length,
    free,
    highest,
  });
  const writer = new SegmentWriter({ pool, segmentBytes, random, logger, clock, generation, address, lowWaterSegment });
  const gathering = new Gathering(writer.end, segmentBytes, options.gatheredBytesMax ?? GATHERED_BYTES_MAX);
  pool.prepare();
  const onRefused = options.onRefused ?? ((): void => {});
  return { log: new SegmentedCommitLog({ gathering, writer, pool, clock, logger, onRefused }), report };
}
