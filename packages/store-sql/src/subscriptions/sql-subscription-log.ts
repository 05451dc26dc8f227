import { encodeSubState } from "@nats-streaming/protocol/spb";
import { type SubState, type SubscriptionLog, storeError } from "@nats-streaming/store";
import type { Statement } from "../database.ts";
import type { BatchBuilder, LazyWriter, StoreContext } from "../store-context.ts";
import { isPending, type PendingBook, pendingBook } from "./pending-book.ts";
import { cachedPending, directPending, type PendingWriter, tidy } from "./pending-writer.ts";
import type { SubscriptionIds } from "./subscription-ids.ts";

export interface SqlSubscriptionLog extends SubscriptionLog {
  /** Nothing is recorded any more. */
  close(): void;
}

/** What a subscription log begins with. */
export interface SubscriptionContent {
  readonly subscriptions: ReadonlyMap<number, RecordedSubscription>;
  /** Highest row number of SubsPending in this channel. */
  readonly highestRow: number;
}

/** A subscription as the log keeps it. */
export interface RecordedSubscription {
  readonly book: PendingBook;
  /** Counts of redeliveries, as the database has them. */
  readonly redeliveries: Map<number, number>;
}

export const NO_SUBSCRIPTIONS: SubscriptionContent = { subscriptions: new Map(), highestRow: 0 };

export interface SqlSubscriptionLogOptions {
  readonly context: StoreContext;
  /** Channel number. */
  readonly channel: number;
  /** 0 means unlimited. */
  readonly maxSubscriptions: number;
  readonly ids: SubscriptionIds;
  readonly content: SubscriptionContent;
}

export function createSqlSubscriptionLog(options: SqlSubscriptionLogOptions): SqlSubscriptionLog {
  return new TableSubscriptionLog(options);
}

class TableSubscriptionLog implements SqlSubscriptionLog, LazyWriter {
  readonly #context: StoreContext;
  readonly #channel: number;
  readonly #maxSubscriptions: number;
  readonly #ids: SubscriptionIds;
  readonly #byId: Map<number, RecordedSubscription>;
  readonly #pending: PendingWriter;
  #row: number;
  /** Counts of redeliveries to be written: by subscription, then by sequence; 0 for one that is over. */
  readonly #redeliveries = new Map<number, Map<number, number>>();
  /** A row was marked deleted, so that its ID is not given again. */
  #hasMarked = false;
  #isTouched = false;
  #isClosed = false;

  constructor({ context, channel, maxSubscriptions, ids, content }: SqlSubscriptionLogOptions) {
    this.#context = context;
    this.#channel = channel;
    this.#maxSubscriptions = maxSubscriptions;
    this.#ids = ids;
    this.#byId = new Map(content.subscriptions);
    this.#row = content.highestRow;
    const writer = context.isUncached ? directPending : cachedPending;
    this.#pending = writer({ context, channel, rows: { next: () => ++this.#row }, touch: () => this.#touch() });
    if (!context.isUncached) this.#tidyRecovered(content);
  }

  /** Rows that recovery found to be of no use any more are deleted. */
  #tidyRecovered({ subscriptions }: SubscriptionContent): void {
    for (const [id, { book }] of subscriptions) {
      if (book.useless.length === 0) continue;
      this.#context.gathering.recordLazily({ operation: tidy(this.#channel, id, book) });
    }
  }

  get count(): number {
    return this.#byId.size;
  }

  create(state: SubState): number {
    if (this.#isClosed) throw storeError("closed");
    if (this.#maxSubscriptions > 0 && this.count >= this.#maxSubscriptions) throw storeError("too_many_subscriptions");
    const id = this.#ids.next();
    this.#record({ ...state, id });
    if (this.#hasMarked) {
      this.#hasMarked = false;
      const operation = [{ name: "deleteMarkedSubscriptions", params: [this.#channel, id] }] as const;
      this.#context.gathering.recordLazily({ operation });
    }
    return id;
  }

  update(state: SubState): void {
    if (this.#isClosed) return;
    this.#ids.raise(state.id);
    this.#record(state);
  }

  delete(id: number): void {
    if (this.#isClosed || !this.#byId.delete(id)) return;
    this.#pending.forget(id);
    this.#redeliveries.delete(id);
    const isHighest = id === this.#ids.highest;
    if (isHighest) this.#hasMarked = true;
    const operation: Statement[] = [
      { name: isHighest ? "markSubscriptionDeleted" : "deleteSubscription", params: [this.#channel, id] },
      { name: "deletePendingOf", params: [id] },
    ];
    if (this.#context.facts.hasRedeliveries) operation.push({ name: "deleteRedeliveriesOf", params: [id] });
    this.#context.gathering.record({ operation });
  }

  addPending(id: number, sequence: number): void {
    const found = this.#byId.get(id);
    if (found !== undefined) this.#pending.add(id, found.book, sequence);
  }

  ackPending(id: number, sequence: number): void {
    const found = this.#byId.get(id);
    if (found === undefined) return;
    this.#pending.ack(id, found.book, sequence);
    if (found.redeliveries.delete(sequence)) this.#noteCount(id, sequence, 0);
  }

  noteRedelivery(id: number, sequence: number, count: number): void {
    const found = this.#byId.get(id);
    const { facts, isUncached } = this.#context;
    if (found === undefined || !facts.hasRedeliveries) return;
    // Without caching it is not known what is pending; recovery leaves out what is not.
    if (!isUncached && !isPending(found.book, sequence)) return;
    found.redeliveries.set(sequence, count);
    this.#noteCount(id, sequence, count);
  }

  sealRecords(builder: BatchBuilder): void {
    this.#isTouched = false;
    if (this.#isClosed) return;
    this.#pending.seal(builder);
    for (const [id, counts] of this.#redeliveries) {
      for (const [sequence, count] of counts) {
        const statement: Statement =
          count === 0
            ? { name: "deleteRedelivery", params: [id, sequence] }
            : { name: "upsertRedelivery", params: [id, sequence, count] };
        builder.after.push({ operation: [statement] });
      }
    }
    this.#redeliveries.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.#byId.clear();
    this.#redeliveries.clear();
  }

  #record(state: SubState): void {
    const { id, lastSent } = state;
    let found = this.#byId.get(id);
    if (found === undefined) {
      found = { book: pendingBook(lastSent), redeliveries: new Map() };
      this.#byId.set(id, found);
    }
    const { book } = found;
    book.lastSent = book.recordedLastSent = Math.max(lastSent, book.lastSent);
    const proto = encodeSubState({ ...state, lastSent: book.lastSent });
    const operation = [{ name: "upsertSubscription", params: [this.#channel, id, proto] }] as const;
    this.#context.gathering.record({ operation });
  }

  #noteCount(id: number, sequence: number, count: number): void {
    let counts = this.#redeliveries.get(id);
    if (counts === undefined) {
      counts = new Map();
      this.#redeliveries.set(id, counts);
    }
    counts.set(sequence, count);
    this.#touch();
  }

  #touch(): void {
    if (this.#isTouched || this.#isClosed) return;
    this.#isTouched = true;
    this.#context.gathering.touchLazily(this);
  }
}
