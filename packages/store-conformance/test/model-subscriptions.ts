import { type RecoveredSubscription, type SubState, type SubscriptionLog, storeError } from "@nats-streaming/store";

/** The highest ID, shared by all channels of a store. */
export interface IdSource {
  highest: number;
}

interface ModelRecord {
  state: SubState;
  readonly pending: Set<number>;
  readonly redeliveries: Map<number, number>;
}

/** A subscription log that keeps everything, by the letter of the contract. */
export class ModelSubscriptions implements SubscriptionLog {
  readonly #max: number;
  readonly #ids: IdSource;
  readonly #records = new Map<number, ModelRecord>();

  constructor(max: number, ids: IdSource, recovered: readonly RecoveredSubscription[] = []) {
    this.#max = max;
    this.#ids = ids;
    for (const { state, pending, redeliveries } of recovered) {
      this.#records.set(state.id, { state, pending: new Set(pending), redeliveries: new Map(redeliveries) });
    }
  }

  get count(): number {
    return this.#records.size;
  }

  create(state: SubState): number {
    if (this.#max > 0 && this.count >= this.#max) throw storeError("too_many_subscriptions");
    const id = this.#ids.highest + 1;
    this.update({ ...state, id });
    return id;
  }

  update(state: SubState): void {
    this.#ids.highest = Math.max(this.#ids.highest, state.id);
    const known = this.#records.get(state.id);
    this.#records.set(state.id, {
      state,
      pending: known?.pending ?? new Set(),
      redeliveries: known?.redeliveries ?? new Map(),
    });
  }

  delete(id: number): void {
    this.#records.delete(id);
  }

  addPending(id: number, sequence: number): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.pending.add(sequence);
    record.state = { ...record.state, lastSent: Math.max(record.state.lastSent, sequence) };
  }

  ackPending(id: number, sequence: number): void {
    this.#records.get(id)?.pending.delete(sequence);
    this.#records.get(id)?.redeliveries.delete(sequence);
  }

  noteRedelivery(id: number, sequence: number, count: number): void {
    const record = this.#records.get(id);
    if (record?.pending.has(sequence)) record.redeliveries.set(sequence, count);
  }

  states(): RecoveredSubscription[] {
    return [...this.#records.values()].map(({ state, pending, redeliveries }) => {
      const sorted = [...pending].sort((a, b) => a - b);
      return redeliveries.size === 0
        ? { state, pending: sorted }
        : { state, pending: sorted, redeliveries: new Map(redeliveries) };
    });
  }
}
