import type { ChannelLimits } from "@nats-streaming/store";
import type { Session, SqlRow, SqlValue } from "../database.ts";
import type { LogContent } from "../messages/sql-message-log.ts";
import { lockLost } from "../server-database.ts";
import { bigintOf, numberOf, textOf } from "../sql-values.ts";
import { textToName } from "../text-names.ts";
import type { RecoveryOptions } from "./recover-store.ts";

/** Sizes that are read at once when max_bytes was lowered. */
const SIZES_PER_READ = 4096;

/** A row of Channels. */
export interface ChannelRow {
  readonly id: number;
  /** Byte string. */
  readonly name: string;
  readonly maxSequence: number;
  readonly stored: { readonly maxMessages: number; readonly maxBytes: number; readonly maxAge: bigint };
  /** In force now. */
  readonly limits: ChannelLimits;
}

/** What the tables hold of a channel's messages. */
export interface FoundLog {
  readonly row: ChannelRow;
  /** Before the limits were applied, and after. */
  readonly before: Totals;
  readonly after: Totals;
}

export interface Totals {
  readonly count: number;
  readonly lowest: number;
  readonly highest: number;
  readonly bytes: number;
}

const NONE: Totals = { count: 0, lowest: 0, highest: 0, bytes: 0 };

/**
 * Finds what every channel holds, and applies the limits of now to it.
 * @throws (rejects) DatabaseError
 * @see sql-store.md 8.5
 */
export async function recoverMessages(options: RecoveryOptions): Promise<FoundLog[]> {
  const { database } = options;
  const rows = (await database.query("selectChannels", [])).map((row) => channelRow(row, options));
  const totals = new Map<number, Totals>();
  for (const [id, ...values] of await database.query("selectMessageTotals", []))
    totals.set(numberOf(id), totalsOf(values));
  const logs: FoundLog[] = [];
  for (const row of rows) {
    const before = totals.get(row.id) ?? NONE;
    logs.push({ row, before, after: await applyLimits(options, row, before) });
  }
  return logs;
}

/**
 * What a log begins with. A subscription that was sent more than there is tells that messages behind the last one have
 * been there: their sequences are not used again.
 */
export function contentOf({ row, before, after }: FoundLog, lastSent: Iterable<number>): LogContent {
  let known = Math.max(row.maxSequence, before.highest);
  for (const sequence of lastSent) known = Math.max(known, sequence);
  if (known > after.highest) {
    // What is left below cannot be read: it goes with the next removal.
    const isLastKept = known === row.maxSequence || (after.count === 0 && known === before.highest);
    return { first: known + 1, last: known, count: 0, bytes: 0, deletedTo: after.count === 0 ? known : 0, isLastKept };
  }
  const { count, lowest, highest, bytes } = after;
  return { first: lowest, last: highest, count, bytes, deletedTo: Math.max(0, lowest - 1), isLastKept: false };
}

/** Without caching: rows of single sequences below the first message are deleted before anything is read of them. */
export async function dropPendingBelow(options: RecoveryOptions, logs: readonly FoundLog[]): Promise<void> {
  const first = new Map<number, number>();
  for (const { row, after } of logs) if (after.lowest > 1) first.set(row.id, after.lowest);
  if (first.size === 0) return;
  const subscriptions = await options.database.query("selectSubscriptions", []);
  await guarded(options, async (session) => {
    for (const [channel, id] of subscriptions) {
      const below = first.get(numberOf(channel));
      if (below !== undefined) await session.run("deletePendingBelow", [numberOf(id), below]);
    }
  });
}

function channelRow([id, name, maxseq, maxmsgs, maxbytes, maxage]: SqlRow, options: RecoveryOptions): ChannelRow {
  const byteString = textToName(textOf(name));
  return {
    id: numberOf(id),
    name: byteString,
    maxSequence: numberOf(maxseq),
    stored: { maxMessages: numberOf(maxmsgs), maxBytes: numberOf(maxbytes), maxAge: bigintOf(maxage) },
    limits: options.limitsOf(byteString),
  };
}

function totalsOf(values: readonly SqlValue[]): Totals {
  const [count, lowest, highest, bytes] = values;
  return { count: numberOf(count), lowest: numberOf(lowest), highest: numberOf(highest), bytes: numberOf(bytes) };
}

/** Removes what is too old always, what is too much only when the limit is lower than it was. */
async function applyLimits(options: RecoveryOptions, row: ChannelRow, totals: Totals): Promise<Totals> {
  const { limits, stored, id } = row;
  const isChanged =
    limits.maxMessages !== stored.maxMessages || limits.maxBytes !== stored.maxBytes || limits.maxAge !== stored.maxAge;
  const isAged = limits.maxAge > 0n && totals.count > 0;
  if (!isChanged && !isAged) return totals;

  return await guarded(options, async (session) => {
    let left = totals;
    const again = async (): Promise<void> => {
      const [values] = await session.query("selectTotalsOf", [id]);
      left = totalsOf(values ?? []);
    };
    if (isAged && (await session.run("deleteMessagesByAge", [id, options.now - limits.maxAge])) > 0) {
      await again();
      // Without a message the next start would not know the last sequence, and it would be used again.
      if (left.count === 0) await session.run("updateMaxSequence", [totals.highest, id]);
    }
    if (limits.maxMessages > 0 && limits.maxMessages < stored.maxMessages && left.count > limits.maxMessages) {
      const [newest] = await session.query("selectNewest", [id, limits.maxMessages - 1]);
      await session.run("deleteMessagesTo", [id, numberOf(newest?.[0]) - 1]);
      await again();
    }
    if (limits.maxBytes > 0 && limits.maxBytes < stored.maxBytes && left.bytes > limits.maxBytes) {
      await session.run("deleteMessagesTo", [id, await lastAbove(session, id, left, limits.maxBytes)]);
      await again();
    }
    if (isChanged) {
      await session.run("updateChannelLimits", [limits.maxMessages, limits.maxBytes, limits.maxAge, id]);
    }
    return left;
  });
}

/** The last message that has to go, so that those behind it are within `maxBytes`; the very last one always stays. */
async function lastAbove(session: Session, id: number, { bytes, highest }: Totals, maxBytes: number): Promise<number> {
  let rest = bytes;
  let at = 0;
  for (;;) {
    const rows = await session.query("selectSizesFrom", [id, at + 1, SIZES_PER_READ]);
    for (const [sequence, size] of rows) {
      if (rest <= maxBytes || numberOf(sequence) === highest) return at;
      rest -= numberOf(size);
      at = numberOf(sequence);
    }
    if (rows.length === 0) return at;
  }
}

function guarded<T>({ database, guard }: RecoveryOptions, work: (session: Session) => Promise<T>): Promise<T> {
  return database.transaction(async (session) => {
    if (guard !== "" && (await session.run("guardLock", [guard])) === 0) throw lockLost();
    return await work(session);
  });
}
