import type { Statement } from "../database.ts";
import type { BatchBuilder, StoreContext } from "../store-context.ts";
import { knownLastSent, noteAck, notePending, noteRow, type PendingBook } from "./pending-book.ts";
import { encodeSequences } from "./sequence-list.ts";

/** Unwritten sequences or acks of one subscription that make it be written at once; the most that one row lists, too. */
const UNWRITTEN_MAX = 2000;

/** How what is pending gets into the database: together and later, or each by itself. */
export interface PendingWriter {
  add(id: number, book: PendingBook, sequence: number): void;
  ack(id: number, book: PendingBook, sequence: number): void;
  /** The subscription is gone. */
  forget(id: number): void;
  seal(builder: BatchBuilder): void;
}

/** Row numbers of one channel: never one twice. */
export interface RowNumbers {
  next(): number;
}

export interface PendingWriterOptions {
  readonly context: StoreContext;
  /** Channel number. */
  readonly channel: number;
  readonly rows: RowNumbers;
  /** {@link PendingWriter.seal} has to be called within a second. */
  readonly touch: () => void;
}

/** With caching: one row per subscription and flush. @see sql-store.md 7 "Caching" */
export function cachedPending({ context, channel, rows, touch }: PendingWriterOptions): PendingWriter {
  const changed = new Map<number, PendingBook>();
  const note = (id: number, book: PendingBook): void => {
    if (changed.size === 0) touch();
    changed.set(id, book);
    if (book.unwritten.size >= UNWRITTEN_MAX || book.unwrittenAcks.size >= UNWRITTEN_MAX) {
      context.gathering.writeLazySoon();
    }
  };
  return {
    add(id, book, sequence): void {
      notePending(book, sequence);
      note(id, book);
    },
    ack(id, book, sequence): void {
      noteAck(book, sequence);
      note(id, book);
    },
    forget(id): void {
      changed.delete(id);
    },
    seal({ after }): void {
      for (const [id, book] of changed) {
        const operation: Statement[] = [];
        const undo: Statement[] = [];
        while (book.unwritten.size + book.unwrittenAcks.size > 0) {
          const number = rows.next();
          const pending = firstOf(book.unwritten, UNWRITTEN_MAX);
          const acks = firstOf(book.unwrittenAcks.keys(), UNWRITTEN_MAX);
          const params = [id, number, book.lastSent, encodeSequences(pending), encodeSequences(acks)];
          operation.push({ name: "insertPendingBlock", params });
          undo.push({ name: "deletePendingRow", params: [id, number] });
          noteRow(book, number, book.lastSent, pending, acks);
        }
        operation.push(...tidy(channel, id, book));
        if (operation.length > 0) after.push({ operation, undo });
      }
      changed.clear();
    },
  };
}

/** Without caching: one row per pending sequence, as it comes. @see sql-store.md 7 "No caching" */
export function directPending({ context, channel, rows }: PendingWriterOptions): PendingWriter {
  const { gathering } = context;
  let waiting = 0;
  const count = (): void => {
    if (++waiting < UNWRITTEN_MAX) return;
    waiting = 0;
    gathering.writeLazySoon();
  };
  return {
    add(id, book, sequence): void {
      if (sequence > book.lastSent) book.lastSent = sequence;
      const row = rows.next();
      const operation = [{ name: "insertPending", params: [id, row, sequence] }] as const;
      gathering.recordLazily({ operation, undo: [{ name: "deletePendingRow", params: [id, row] }] });
      count();
    },
    ack(id, book, sequence): void {
      const operation: Statement[] = [{ name: "deletePendingSequence", params: [id, sequence] }];
      if (sequence >= book.lastSent) {
        book.lastSent = sequence;
        operation.unshift({ name: "updateLastSent", params: [sequence, channel, id] });
      }
      gathering.recordLazily({ operation });
      count();
    },
    forget(): void {},
    seal(): void {},
  };
}

/** Deletes the rows that are of no use any more, and keeps what else only they told: the position. */
export function tidy(channel: number, id: number, book: PendingBook): Statement[] {
  const statements = book.useless.map(({ number }): Statement => ({ name: "deletePendingRow", params: [id, number] }));
  book.useless = [];
  if (book.lastSent > knownLastSent(book)) {
    statements.push({ name: "updateLastSent", params: [book.lastSent, channel, id] });
    book.recordedLastSent = book.lastSent;
  }
  return statements;
}

function firstOf(values: Iterable<number>, count: number): number[] {
  const found: number[] = [];
  for (const value of values) {
    if (found.length === count) break;
    found.push(value);
  }
  return found;
}
