import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import {
  knownLastSent,
  noteAck,
  notePending,
  noteRow,
  type PendingBook,
  pendingBook,
  pendingOf,
} from "./pending-book.ts";
import { decodeSequences, encodeSequences } from "./sequence-list.ts";

interface Row {
  readonly lastSent: number;
  readonly pending: number[];
  readonly acks: number[];
}

/** What the table holds; a write of everything that is not in it. */
function write(book: PendingBook, rows: Map<number, Row>, number: number, column: { lastSent: number }): number {
  let next = number;
  if (book.unwritten.size + book.unwrittenAcks.size > 0) {
    const row = { lastSent: book.lastSent, pending: [...book.unwritten], acks: [...book.unwrittenAcks.keys()] };
    rows.set(next, row);
    noteRow(book, next, row.lastSent, row.pending, row.acks);
    next++;
  }
  for (const { number: useless } of book.useless) rows.delete(useless);
  book.useless = [];
  if (book.lastSent > knownLastSent(book)) column.lastSent = book.recordedLastSent = book.lastSent;
  return next;
}

function recover(rows: ReadonlyMap<number, Row>, lastSent: number): PendingBook {
  const book = pendingBook(lastSent);
  for (const [number, row] of rows) noteRow(book, number, row.lastSent, row.pending, row.acks);
  return book;
}

describe("pending book", () => {
  it("SQL-Q18 lets rows tell exactly what is pending, after any sequences, acks, writes and restarts", () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const rows = new Map<number, Row>();
      const column = { lastSent: 0 };
      let book = pendingBook(0);
      let number = 1;
      let sent = 0;
      const pending = new Set<number>();
      for (let step = 0; step < 120; step++) {
        const dice = random.next();
        if (dice < 0.45) {
          // Mostly the next one; now and then one that was sent before, or acknowledged.
          const sequence = dice < 0.4 ? ++sent : 1 + Math.floor(random.next() * Math.max(1, sent));
          sent = Math.max(sent, sequence);
          pending.add(sequence);
          notePending(book, sequence);
        } else if (dice < 0.8) {
          const all = [...pending];
          const sequence = all[Math.floor(random.next() * all.length)];
          if (sequence === undefined) continue;
          pending.delete(sequence);
          noteAck(book, sequence);
        } else if (dice < 0.95) {
          number = write(book, rows, number, column);
        } else {
          number = write(book, rows, number, column);
          book = recover(rows, column.lastSent);
          for (const { number: useless } of book.useless) rows.delete(useless);
          book.useless = [];
        }
        expect([seed, step, pendingOf(book)]).toEqual([seed, step, [...pending].sort((a, b) => a - b)]);
      }
      number = write(book, rows, number, column);
      const recovered = recover(rows, column.lastSent);
      expect([seed, pendingOf(recovered), recovered.lastSent]).toEqual([seed, pendingOf(book), book.lastSent]);
      for (const sequence of pending) noteAck(book, sequence);
      write(book, rows, number, column);
      expect([seed, pendingOf(recover(rows, column.lastSent))]).toEqual([seed, []]);
    }
  });

  it("drops an ack of what is not known, and raises the position", () => {
    const book = pendingBook(3);
    noteAck(book, 9);
    noteAck(book, 2);
    expect([book.lastSent, pendingOf(book), book.unwrittenAcks.size]).toEqual([9, [], 0]);
  });
});

describe("list of sequences", () => {
  it("is a JSON array without blanks, and nothing for none", () => {
    const text = (sequences: number[]): string => Buffer.from(encodeSequences(sequences)).toString();
    expect([text([1, 2, 3]), text([Number.MAX_SAFE_INTEGER]), text([])]).toEqual(["[1,2,3]", "[9007199254740991]", ""]);
    expect(decodeSequences(Buffer.from(" [3, 1,2 ]"))).toEqual([3, 1, 2]);
    expect(decodeSequences(new Uint8Array(0))).toEqual([]);
  });

  it("is refused when it is none, or holds a number that is no sequence", () => {
    for (const text of ["[1,2", '["1"]', "{}", "[1.5]", "[-1]", "[18446744073709551615]"]) {
      expect(() => decodeSequences(Buffer.from(text))).toThrow(`unable to read a list of sequences: ${text}`);
    }
  });
});
