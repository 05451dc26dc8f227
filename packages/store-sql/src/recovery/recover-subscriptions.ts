import { decodeSubState } from "@nats-streaming/protocol/spb";
import type { SubState } from "@nats-streaming/store";
import type { Database, SqlRow } from "../database.ts";
import { corrupt } from "../errors.ts";
import { bytesOf, numberOf } from "../sql-values.ts";
import { isPending, notePending, noteRow, type PendingBook, pendingBook } from "../subscriptions/pending-book.ts";
import { decodeSequences } from "../subscriptions/sequence-list.ts";
import type { RecordedSubscription } from "../subscriptions/sql-subscription-log.ts";

/** Rows of SubsPending that are read at once: each lists up to 2,000 sequences. */
const PENDING_ROWS_PER_READ = 1000;

/** The subscriptions of one channel. */
export interface RecoveredSubscriptions {
  readonly subscriptions: Map<number, RecordedSubscription>;
  /** In the order of their IDs. */
  readonly states: Map<number, SubState>;
  highestRow: number;
}

export interface AllSubscriptions {
  /** By channel number. */
  readonly channels: ReadonlyMap<number, RecoveredSubscriptions>;
  /** No subscription has an ID above it. */
  readonly highest: number;
}

/**
 * Reads all subscriptions with what they have pending, in three passes over whole tables: the number of channels does not
 * matter. Rows of both kinds are read, whichever way this server writes them.
 * @throws (rejects) DatabaseError; StoreError `corrupt`
 * @see sql-store.md 8.5.4
 */
export async function recoverSubscriptions(database: Database, hasRedeliveries: boolean): Promise<AllSubscriptions> {
  const [highestRow] = await database.query("selectHighestSubscription", []);
  const channels = new Map<number, RecoveredSubscriptions>();
  const byId = new Map<number, { readonly of: RecoveredSubscriptions; readonly recorded: RecordedSubscription }>();
  for (const [channel, id, lastSent, proto] of await database.query("selectSubscriptions", [])) {
    const state = stateOf(numberOf(id), bytesOf(proto));
    let of = channels.get(numberOf(channel));
    if (of === undefined) {
      of = { subscriptions: new Map(), states: new Map(), highestRow: 0 };
      channels.set(numberOf(channel), of);
    }
    const book = pendingBook(Math.max(numberOf(lastSent), state.lastSent));
    const recorded: RecordedSubscription = { book, redeliveries: new Map() };
    of.subscriptions.set(state.id, recorded);
    of.states.set(state.id, state);
    byId.set(state.id, { of, recorded });
  }
  await forEachPendingRow(database, (row) => {
    const found = byId.get(numberOf(row[0]));
    if (found === undefined) return;
    found.of.highestRow = Math.max(found.of.highestRow, numberOf(row[1]));
    readPendingRow(found.recorded.book, row);
  });
  if (hasRedeliveries) {
    for (const [id, sequence, count] of await database.query("selectRedeliveries", [])) {
      const recorded = byId.get(numberOf(id))?.recorded;
      if (recorded !== undefined && isPending(recorded.book, numberOf(sequence))) {
        recorded.redeliveries.set(numberOf(sequence), numberOf(count));
      }
    }
  }
  return { channels, highest: numberOf(highestRow?.[0]) };
}

/** In ascending order: the acks of a row count only when what is pending was read before. */
async function forEachPendingRow(database: Database, visit: (row: SqlRow) => void): Promise<void> {
  let id = 0;
  let after = 0;
  for (;;) {
    const rows = await database.query("selectPending", [id, id, after, PENDING_ROWS_PER_READ]);
    for (const row of rows) visit(row);
    const last = rows[rows.length - 1];
    if (last === undefined || rows.length < PENDING_ROWS_PER_READ) return;
    id = numberOf(last[0]);
    after = numberOf(last[1]);
  }
}

function readPendingRow(book: PendingBook, [, number, sequence, lastSent, pending, acks]: SqlRow): void {
  const single = numberOf(sequence);
  if (single > 0) {
    const isNew = !book.written.has(single);
    // Two rows for one sequence are possible without caching: each is a row of its own.
    if (isNew) noteRow(book, numberOf(number), single, [single], []);
    else notePending(book, single);
    return;
  }
  noteRow(
    book,
    numberOf(number),
    numberOf(lastSent),
    decodeSequences(bytesOf(pending)),
    decodeSequences(bytesOf(acks)),
  );
}

function stateOf(id: number, proto: Uint8Array): SubState {
  const decoded = decodeSubState(proto);
  if (decoded.kind === "invalid") throw corrupt(`sql: unable to decode SubState: proto: ${decoded.reason}`);
  return { ...decoded.value, id };
}
