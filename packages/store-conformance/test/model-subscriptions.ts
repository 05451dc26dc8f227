import { type RecoveredSubscription, type SubState, type SubscriptionLog, storeError } from "@nats-streaming/store";

/** The highest ID, shared by all channels of a store. */
export interface IdSource {
  highest: number;
}

/** A subscription log that keeps everything, by the letter of the contract. */
export class ModelSubscriptions implements SubscriptionLog {
  readonly #max: number;
  readonly #ids: IdSource;
  readonly #records = new Map<number, { state: SubState; pending: Set<number> }>();

  constructor(max: number, ids: IdSource, recovered: readonly RecoveredSubscription[] = []) {
    this.#max = max;
    this.#ids = ids;
    for (const { state, pending } of recovered) this.#records.set(state.id, { state, pending: new Set(pending) });
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
    this.#records.set(state.id, { state, pending: this.#records.get(state.id)?.pending ?? new Set() });
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
  }

  states(): RecoveredSubscription[] {
    return [...this.#records.values()].map(({ state, pending }) => {
      return { state, pending: [...pending].sort((a, b) => a - b) };
    });
  }
}
