/**
 * What a subscription has pending, and which rows of SubsPending say so: a row lists sequences that were sent and
 * sequences of earlier rows that were acknowledged since. A row is of no use any more when all that was pending in it is
 * acknowledged, and none of its acks belongs to a row that is there. Until then the acks of its own sequences are needed,
 * too: otherwise these would be pending again after a restart.
 * @see sql-store.md 7 "Caching"
 */
export interface PendingBook {
  /** Highest sequence that was sent. */
  lastSent: number;
  /** The highest one that the record of the subscription says. */
  recordedLastSent: number;
  /** Sent, and in no row yet. */
  readonly unwritten: Set<number>;
  /** Acknowledged in no row yet; each with the row in which it is pending. */
  readonly unwrittenAcks: Map<number, PendingRow>;
  /** Pending, and in a row. */
  readonly written: Map<number, PendingRow>;
  /** By ascending number. */
  readonly rows: Map<number, PendingRow>;
  /** Rows to be deleted. */
  useless: PendingRow[];
}

export interface PendingRow {
  readonly number: number;
  readonly lastSent: number;
  /** What was pending when it was written. */
  readonly sequences: readonly number[];
  /** How many of them still are. */
  open: number;
  /** The rows that say which of them are not any more: a sequence may be sent again after its ack, and be in a later row. */
  readonly acked: Map<number, PendingRow>;
  /** How many of its acks are needed. */
  acks: number;
}

export function pendingBook(lastSent: number): PendingBook {
  return {
    lastSent,
    recordedLastSent: lastSent,
    unwritten: new Set(),
    unwrittenAcks: new Map(),
    written: new Map(),
    rows: new Map(),
    useless: [],
  };
}

export function notePending(book: PendingBook, sequence: number): void {
  if (sequence > book.lastSent) book.lastSent = sequence;
  if (book.written.has(sequence)) return;
  const row = book.unwrittenAcks.get(sequence);
  if (row === undefined) {
    book.unwritten.add(sequence);
    return;
  }
  // Sent once more after its ack, which is not written: as if there had been none.
  book.unwrittenAcks.delete(sequence);
  book.written.set(sequence, row);
  row.open++;
}

export function noteAck(book: PendingBook, sequence: number): void {
  if (book.unwritten.delete(sequence)) return;
  const row = book.written.get(sequence);
  if (row === undefined) {
    if (sequence > book.lastSent) book.lastSent = sequence;
    return;
  }
  book.written.delete(sequence);
  book.unwrittenAcks.set(sequence, row);
  row.open--;
  dropIfUseless(book, row);
}

/** A row was written, or found at recovery. Of `acks` those count that are pending in a row which is there. */
export function noteRow(
  book: PendingBook,
  number: number,
  lastSent: number,
  pending: readonly number[],
  acks: readonly number[],
): void {
  if (lastSent > book.lastSent) book.lastSent = lastSent;
  const row: PendingRow = { number, lastSent, sequences: pending, acked: new Map(), open: 0, acks: 0 };
  book.rows.set(number, row);
  const touched = new Set<PendingRow>([row]);
  for (const sequence of pending) {
    if (sequence > book.lastSent) book.lastSent = sequence;
    book.unwritten.delete(sequence);
    const former = book.written.get(sequence);
    if (former === row) continue;
    if (former !== undefined) {
      former.open--;
      touched.add(former);
    }
    book.written.set(sequence, row);
    row.open++;
  }
  for (const sequence of acks) {
    const pendingIn = book.unwrittenAcks.get(sequence) ?? book.written.get(sequence);
    if (pendingIn === undefined) continue;
    if (book.written.delete(sequence)) pendingIn.open--;
    book.unwrittenAcks.delete(sequence);
    touched.add(pendingIn);
    // An ack in the same row goes with what it is about.
    if (pendingIn === row) continue;
    pendingIn.acked.set(sequence, row);
    row.acks++;
  }
  for (const one of touched) dropIfUseless(book, one);
}

function dropIfUseless(book: PendingBook, row: PendingRow): void {
  if (row.open > 0 || row.acks > 0 || !book.rows.delete(row.number)) return;
  book.useless.push(row);
  for (const sequence of row.sequences) {
    if (book.unwrittenAcks.get(sequence) === row) book.unwrittenAcks.delete(sequence);
  }
  for (const ackRow of row.acked.values()) {
    ackRow.acks--;
    dropIfUseless(book, ackRow);
  }
}

/** The highest lastSent that the database knows of, once the useless rows are gone. */
export function knownLastSent(book: PendingBook): number {
  let highest = book.recordedLastSent;
  for (const row of book.rows.values()) if (row.lastSent > highest) highest = row.lastSent;
  return highest;
}

export function isPending(book: PendingBook, sequence: number): boolean {
  return book.written.has(sequence) || book.unwritten.has(sequence);
}

/** Sent and not acknowledged, ascending. */
export function pendingOf(book: PendingBook): number[] {
  return [...book.written.keys(), ...book.unwritten].sort((one, other) => one - other);
}
