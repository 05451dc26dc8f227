import type { ChannelLimits, ChannelStore } from "@nats-streaming/store";
import { writeFailed } from "./errors.ts";
import type { RequestCompaction } from "./file-store.ts";
import { channelDirectory, dataFileName, indexFileName, REDELIVERIES_FILE, SUBSCRIPTIONS_FILE } from "./files/names.ts";
import { pathIn } from "./files/paths.ts";
import { RecordFile } from "./files/record-file.ts";
import { FILE_HEADER } from "./format/record.ts";
import { createFileMessageLog, type FileMessageLog } from "./messages/file-message-log.ts";
import { Slice } from "./messages/slice.ts";
import { sliceLimits } from "./messages/slice-limits.ts";
import { type RecoveredFiles, writeHeader } from "./recovery/channel-recovery.ts";
import type { RecoveredRedeliveries } from "./recovery/redelivery-recovery.ts";
import type { StoreContext } from "./store-context.ts";
import {
  createFileSubscriptionLog,
  type FileSubscriptionLog,
  type RedeliveryLogs,
} from "./subscriptions/file-subscription-log.ts";
import { createRedeliveryLog } from "./subscriptions/redelivery-log.ts";
import { subscriptionTable } from "./subscriptions/subscription-records.ts";

/** One channel: its directory with slices and subs.dat. */
export interface ChannelDirectory extends ChannelStore {
  readonly messages: FileMessageLog;
  readonly subscriptions: FileSubscriptionLog;
  readonly limits: ChannelLimits;
  /** Closes the files; they are opened again when they are used. */
  closeFiles(): void;
  /** Nothing is written any more. */
  close(): void;
}

export interface ChannelParts {
  readonly context: StoreContext;
  readonly requestCompaction: RequestCompaction;
}

/** Temporary files of a compaction, in the root directory: `subs` and digits. */
const COMPACTION_PREFIX = "subs";

/** Counts that change all the time are not to keep the disk busy with compactions. */
const REDELIVERIES_PACE_MILLIS = 1000;

/** Makes the directory of a new channel. @param channel byte string @throws StoreError `write_failed` */
export function createDirectory(parts: ChannelParts, channel: string, limits: ChannelLimits): ChannelDirectory {
  const { context } = parts;
  const { fileSystem, pool, root } = context;
  const directory = channelDirectory(channel);
  const path = pathIn(root, directory);
  const isNew = fileSystem.statNow(path) === undefined;
  try {
    fileSystem.makeDirectoryNow(path);
    if (!isNew) {
      removeMessages(path, context);
      fileSystem.removeNow(pathIn(path, REDELIVERIES_FILE));
    }
    const file = pool.file(pathIn(path, SUBSCRIPTIONS_FILE));
    writeHeader(file);
    // The commit log has to be told of the header, so that it can make the file; it is written once more then.
    const records = new RecordFile(file, `${directory}/${SUBSCRIPTIONS_FILE}`, 0, false, context);
    records.appendRaw(FILE_HEADER);
    pool.markDirectory(root);
    return openDirectory(parts, channel, limits, {
      slices: [],
      nextSlice: 1,
      subscriptionsFile: file,
      subscriptionRecords: records,
      subscriptions: subscriptionTable(),
      redeliveries: { table: new Map(), end: 0 },
    });
  } catch (error) {
    if (isNew) removeQuietly(path, context);
    throw writeFailed(error);
  }
}

/** Goes on with the files of a channel. */
export function openDirectory(
  { context, requestCompaction }: ChannelParts,
  channel: string,
  limits: ChannelLimits,
  files: RecoveredFiles,
): ChannelDirectory {
  const { root, pool, checksum, options } = context;
  const directory = channelDirectory(channel);
  const path = pathIn(root, directory);
  const messages = createFileMessageLog({
    context,
    channel,
    limits,
    sliceLimits: sliceLimits(options, limits),
    slices: files.slices,
    nextSlice: files.nextSlice,
    newSlice: (number) => {
      const name = dataFileName(number);
      const data = pool.file(pathIn(path, name));
      const index = pool.file(pathIn(path, indexFileName(number)));
      return new Slice(number, data, index, `${directory}/${name}`, checksum, false, false);
    },
    removeAll: () => removeMessages(path, context),
  });
  const subscriptions = createFileSubscriptionLog({
    context,
    maxSubscriptions: limits.maxSubscriptions,
    file: files.subscriptionsFile,
    records: files.subscriptionRecords,
    table: files.subscriptions,
    redeliveries: redeliveryLogs(path, directory, files.redeliveries, { context, requestCompaction }),
    requestCompaction: (log) => requestCompaction(log, `${directory}/${SUBSCRIPTIONS_FILE}`, COMPACTION_PREFIX),
  });
  return {
    messages,
    subscriptions,
    limits,
    closeFiles(): void {
      messages.closeFiles();
      for (const file of subscriptions.files) file.close();
    },
    close(): void {
      subscriptions.close();
      messages.close();
    },
  };
}

/** Makes the log of redeliveries, for those who need one: most channels never count any. */
function redeliveryLogs(
  path: string,
  directory: string,
  { table, end }: RecoveredRedeliveries,
  { context, requestCompaction }: ChannelParts,
): RedeliveryLogs {
  const name = `${directory}/${REDELIVERIES_FILE}`;
  return {
    isRecovered: end > 0,
    make: () => {
      const file = context.pool.file(pathIn(path, REDELIVERIES_FILE));
      return createRedeliveryLog({
        context,
        file,
        records: new RecordFile(file, name, end, false, context),
        table,
        isNew: end === 0,
        requestCompaction: (log) => requestCompaction(log, name, REDELIVERIES_FILE, REDELIVERIES_PACE_MILLIS),
      });
    },
  };
}

/** Removes slices, indexes and what was kept of them, as emptying a channel does. @throws FileError */
function removeMessages(path: string, { fileSystem, pool }: StoreContext): void {
  for (const { name, isDirectory } of fileSystem.listNow(path)) {
    if (!isDirectory && /^msgs\..*\./s.test(name)) fileSystem.removeNow(pathIn(path, name));
  }
  pool.markDirectory(path);
}

function removeQuietly(path: string, { fileSystem }: StoreContext): void {
  try {
    fileSystem.removeDirectoryNow(path);
  } catch {
    // An empty directory would be recovered as an empty channel: no harm.
  }
}
