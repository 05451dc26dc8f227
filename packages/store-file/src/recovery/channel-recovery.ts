import { FileError } from "@nats-streaming/kernel";
import { StoreError } from "@nats-streaming/store";
import { messageStoreText, subscriptionStoreText, unrecoverable } from "../errors.ts";
import type { PooledFile } from "../files/file-pool.ts";
import {
  channelDirectory,
  dataFileName,
  indexFileName,
  isSliceName,
  SUBSCRIPTIONS_FILE,
  sliceNumber,
} from "../files/names.ts";
import { nameOf, pathIn } from "../files/paths.ts";
import { RecordFile } from "../files/record-file.ts";
import { FILE_HEADER } from "../format/record.ts";
import { Slice } from "../messages/slice.ts";
import {
  replaySubscription,
  type SubscriptionTable,
  subscriptionTable,
} from "../subscriptions/subscription-records.ts";
import { DamagedFile, isZeroFrom } from "./damage.ts";
import { moveAside } from "./keep-aside.ts";
import { recoverRecords, salvageRecords } from "./record-file-recovery.ts";
import { subscriptionSense } from "./record-sense.ts";
import { checkVersion, type RecoveryScope, type Repair } from "./recovery-scope.ts";
import { type RecoveredRedeliveries, recoverRedeliveries } from "./redelivery-recovery.ts";
import { salvageSlice } from "./salvage-slice.ts";
import { recoverSlice, type SliceSlot } from "./slice-recovery.ts";

/** The files of a channel, read and ready to be gone on with. */
export interface RecoveredFiles {
  /** Those with messages, in the order of their numbers. */
  readonly slices: Slice[];
  readonly nextSlice: number;
  readonly subscriptionsFile: PooledFile;
  readonly subscriptionRecords: RecordFile;
  readonly subscriptions: SubscriptionTable;
  readonly redeliveries: RecoveredRedeliveries;
}

/**
 * Recovers one channel. Unless the mode is `strict`, no file is changed before all of them are read, so that a channel
 * that cannot be recovered is as it was.
 * @param channel byte string
 * @throws StoreError `corrupt`, with the original's text; FileError `too_many_open`
 */
export function recoverChannel(scope: RecoveryScope, channel: string): RecoveredFiles {
  const repairs: Repair[] = [];
  const repair = (one: Repair): void => {
    if (scope.mode === "strict") one.apply();
    else repairs.push(one);
  };
  try {
    const messages = recoverMessages(scope, channel, repair);
    const subscriptions = recoverSubscriptions(scope, channel, repair);
    const redeliveries = recoverRedeliveries(scope, channel, subscriptions.subscriptions, repair);
    applyAll(channel, repairs);
    return { ...messages, ...subscriptions, redeliveries };
  } catch (error) {
    for (const one of repairs) one.abandon();
    throw error;
  }
}

/** A disk that does not let itself be written to keeps the channel from being served, and nothing else. @throws StoreError */
function applyAll(channel: string, repairs: Repair[]): void {
  try {
    for (let one = repairs.shift(); one !== undefined; one = repairs.shift()) one.apply();
  } catch (error) {
    throw asCorrupt(error, (what) => messageStoreText("recover", channel, channelDirectory(channel), what));
  }
}

function recoverMessages(
  scope: RecoveryScope,
  channel: string,
  repair: (repair: Repair) => void,
): Pick<RecoveredFiles, "slices" | "nextSlice"> {
  const { context } = scope;
  const directory = channelDirectory(channel);
  const path = pathIn(context.root, directory);
  let lastOpened = "";
  const onOpen = (file: PooledFile): void => {
    lastOpened = `${directory}/${nameOf(file.path)}`;
  };
  try {
    const slices: Slice[] = [];
    let nextSlice = 1;
    for (const { name, isDirectory } of context.fileSystem.listNow(path)) {
      if (isDirectory || !isSliceName(name)) continue;
      const number = sliceNumber(name);
      if (number === undefined) {
        setAside(scope, channel, pathIn(path, name), repair);
        continue;
      }
      const { slice, hasMessages } = recoverNumbered(scope, channel, number, { repair, onOpen });
      if (!hasMessages) continue;
      slices.push(slice);
      nextSlice = Math.max(nextSlice, number + 1);
    }
    slices.sort((one, other) => one.number - other.number);
    return { slices: inOrder(scope, slices), nextSlice };
  } catch (error) {
    throw asCorrupt(error, (what) => messageStoreText("recover", channel, lastOpened, what));
  }
}

/** A file that is named like a slice and cannot be one. @throws DamagedFile, unless what is damaged is to be salvaged */
function setAside(scope: RecoveryScope, channel: string, path: string, repair: (repair: Repair) => void): void {
  const fault = `message log has an invalid name: ${nameOf(path)}`;
  if (scope.mode !== "salvage") throw new DamagedFile(path, undefined, fault);
  repair({
    apply: () => {
      const copy = moveAside(scope.context.fileSystem, path);
      const text = `File "${path}" is named like a slice of messages and is none: it is kept as "${copy}"`;
      scope.report({ kind: "salvaged", channel, file: path, copy, text, places: [], placeCount: 1 });
    },
    abandon: () => {},
  });
}

function recoverNumbered(
  scope: RecoveryScope,
  channel: string,
  number: number,
  { repair, onOpen }: Pick<SliceSlot, "repair" | "onOpen">,
): { readonly slice: Slice; readonly hasMessages: boolean } {
  const { context } = scope;
  const directory = channelDirectory(channel);
  const data = context.pool.file(pathIn(context.root, directory, dataFileName(number)));
  const index = context.pool.file(pathIn(context.root, directory, indexFileName(number)));
  const slot: SliceSlot = { channel, data, index, repair, onOpen };
  try {
    const found = scope.mode === "salvage" ? salvageSlice(scope, slot) : recoverMended(scope, slot);
    const name = `${directory}/${dataFileName(number)}`;
    const slice = new Slice(number, data, index, name, context.checksum, true, found.hasRest);
    if (found.summary !== undefined) slice.recovered({ ...found.summary, dataEnd: found.dataEnd });
    return { slice, hasMessages: found.summary !== undefined };
  } finally {
    data.close();
    index.close();
  }
}

/** A file that a crash left without its version: nothing in it was ever durable. */
function recoverMended(scope: RecoveryScope, slot: SliceSlot): ReturnType<typeof recoverSlice> {
  if (scope.mode === "strict" || !isUnborn(slot.data)) return recoverSlice(scope, slot);
  slot.repair({ apply: () => writeHeader(slot.data), abandon: () => {} });
  return { summary: undefined, dataEnd: FILE_HEADER.length, hasRest: false };
}

/** Whether a crash left a file without its version. @throws FileError */
export function isUnborn(file: PooledFile): boolean {
  const open = file.forReading();
  const size = open.sizeNow();
  return size < FILE_HEADER.length || isZeroFrom(open, 0, size);
}

/** Sequences grow with the numbers of slices; where they do not, the slices do not belong together. */
function inOrder(scope: RecoveryScope, slices: Slice[]): Slice[] {
  if (scope.mode === "strict") return slices;
  for (const [i, slice] of slices.entries()) {
    const former = slices[i - 1];
    if (former === undefined || slice.first > former.last) continue;
    const fault = `begins with sequence ${slice.first}, but slice ${former.number} ends with ${former.last}`;
    throw new DamagedFile(slice.data.path, undefined, `${nameOf(slice.data.path)} ${fault}`);
  }
  return slices;
}

function recoverSubscriptions(
  scope: RecoveryScope,
  channel: string,
  repair: (repair: Repair) => void,
): Pick<RecoveredFiles, "subscriptionsFile" | "subscriptionRecords" | "subscriptions"> {
  const { context, mode } = scope;
  const directory = channelDirectory(channel);
  const path = pathIn(context.root, directory, SUBSCRIPTIONS_FILE);
  const name = `${directory}/${SUBSCRIPTIONS_FILE}`;
  const file = context.pool.file(path);
  const subscriptions = subscriptionTable();
  const made = (end: number, hasRest: boolean) => {
    const subscriptionRecords = new RecordFile(file, name, end, hasRest, context);
    return { subscriptionsFile: file, subscriptionRecords, subscriptions };
  };
  try {
    const isMissing = context.fileSystem.statNow(path) === undefined;
    if (isMissing || (mode !== "strict" && isUnborn(file))) {
      repair({ apply: () => writeHeader(file), abandon: () => {} });
      return made(FILE_HEADER.length, false);
    }
    if (mode !== "salvage") checkVersion(file.forReading());
    const slot = {
      file,
      channel,
      sense: subscriptionSense,
      repair,
      replay: (type: number, bytes: Uint8Array, start: number, end: number) =>
        replaySubscription(subscriptions, type, bytes, start, end),
    };
    const found = mode === "salvage" ? salvageRecords(scope, slot) : recoverRecords(scope, slot);
    return made(found.end, found.hasRest);
  } catch (error) {
    throw asCorrupt(error, (what) => subscriptionStoreText("recover", channel, what));
  } finally {
    file.close();
  }
}

/** Makes a file whose only content is its version. @throws FileError */
export function writeHeader(file: PooledFile): void {
  const open = file.forWriting();
  open.truncateNow(0);
  open.writeNow(FILE_HEADER, 0, FILE_HEADER.length, 0);
  file.markMade();
}

/** What could not be read becomes a start that fails; a lack of descriptors is no damage. */
function asCorrupt(error: unknown, text: (what: string) => string): StoreError {
  if (error instanceof FileError && error.code === "too_many_open") throw error;
  if (error instanceof DamagedFile || error instanceof FileError) return unrecoverable(text(error.message), error);
  if (error instanceof StoreError || error instanceof RangeError) return unrecoverable(text(error.message), error);
  throw error;
}
