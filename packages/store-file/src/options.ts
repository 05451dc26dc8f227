import { type DurationNanos, durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";

/** How a file store writes and reads. Sizes are in bytes. @see file-store.md 18 */
export interface FileStoreOptions {
  readonly compactEnabled: boolean;
  /** How much of a file must be of no use any more before it is compacted: 1 and up. */
  readonly compactFragmentationPercent: number;
  /** Time between two compactions of one file, at least 1. */
  readonly compactIntervalSeconds: number;
  /** Smaller files are not compacted; 0 for no minimum. */
  readonly compactMinBytes: number;
  /** How much of a channel may wait in memory for a flush; 0 writes every record at once. */
  readonly bufferBytes: number;
  /** Whether checksums are verified on reading; they are always written. */
  readonly crc: boolean;
  /** Reflected polynomial, 1 to 2^32 - 1. */
  readonly crcPolynomial: number;
  /** Whether a flush survives a power loss. */
  readonly sync: boolean;
  /** 0 for no limit. */
  readonly sliceMaxMessages: number;
  /** 0 for no limit. */
  readonly sliceMaxBytes: number;
  /** 0 for no limit. */
  readonly sliceMaxAge: DurationNanos;
  /** Program that is started for each slice that limits remove; empty: slices are deleted. */
  readonly sliceArchiveScript: string;
  /** 0: three quarters of what the process may have open. */
  readonly fileDescriptorsLimit: number;
  /** How many channels are recovered at the same time, at least 1. */
  readonly parallelRecovery: number;
  /** How much is read ahead of a message that is not in memory; 0 for that message only. */
  readonly readBufferBytes: number;
  /** How often what was not flushed or not synced is; 0 or less for never. */
  readonly autoSync: DurationNanos;
  /**
   * Cut a file off where it ends in the middle of a record: in `strict` mode only, as the others do so anyway. There it is
   * refused at two starts in a row.
   */
  readonly truncateUnexpectedEof: boolean;
}

/** What holds when nothing is said. */
export const defaultFileStoreOptions: FileStoreOptions = {
  compactEnabled: true,
  compactFragmentationPercent: 50,
  compactIntervalSeconds: 300,
  compactMinBytes: 1_048_576,
  bufferBytes: 2_097_152,
  crc: true,
  crcPolynomial: 3_988_292_384,
  sync: true,
  sliceMaxMessages: 0,
  sliceMaxBytes: 67_108_864,
  sliceMaxAge: durationNanos(0n),
  sliceArchiveScript: "",
  fileDescriptorsLimit: 0,
  parallelRecovery: 1,
  readBufferBytes: 2_097_152,
  autoSync: durationFromMillis(60_000),
  truncateUnexpectedEof: false,
};

/**
 * What recovery does about damage. `strict` refuses to start, in the original's words. `quarantine` serves all channels but
 * the damaged ones, whose files it leaves alone. `salvage` keeps what can be read of them, and a copy of the damaged files.
 */
export type RecoveryMode = "strict" | "quarantine" | "salvage";

/** Fills in defaults and checks. @throws StoreError `invalid_options`, with the text that a failed start prints */
export function fileStoreOptions(given: Partial<FileStoreOptions>): FileStoreOptions {
  const options = { ...defaultFileStoreOptions, ...given };
  const fault = optionsFault(options);
  if (fault !== undefined) throw new StoreError("invalid_options", fault);
  return options;
}

function optionsFault(options: FileStoreOptions): string | undefined {
  if (!isCount(options.bufferBytes)) return "buffer size value must be a positive number";
  if (!isCount(options.readBufferBytes)) return "read buffer size value must be a positive number";
  if (!isCount(options.compactIntervalSeconds, 1)) return "compact interval value must at least be 1 seconds";
  if (!isCount(options.compactFragmentationPercent, 1)) return "compact fragmentation value must at least be 1";
  if (!isCount(options.compactMinBytes)) return "compact minimum file size value must be a positive number";
  if (!isCount(options.crcPolynomial, 1) || options.crcPolynomial > 0xffff_ffff) {
    return "crc polynomial should be between 1 and 4294967295";
  }
  if (!isCount(options.sliceMaxMessages) || !isCount(options.sliceMaxBytes) || options.sliceMaxAge < 0n) {
    return "slice max values must be positive numbers";
  }
  if (!isCount(options.fileDescriptorsLimit)) return "file descriptor limit must be a positive number";
  if (!isCount(options.parallelRecovery, 1)) return "parallel recovery value must be at least 1";
  return undefined;
}

function isCount(value: number, least = 0): boolean {
  return Number.isSafeInteger(value) && value >= least;
}
