import { type SubState, type SubscriptionLog, storeError } from "@nats-streaming/store";

/**
 * Counts subscriptions and gives out their IDs. Nothing is ever recovered from memory, so neither states nor pending
 * sets are kept: the engine has its own.
 * @param maxSubscriptions 0 means unlimited
 */
export function createMemorySubscriptionLog(maxSubscriptions: number): SubscriptionLog {
  return new CountingSubscriptionLog(maxSubscriptions);
}

class CountingSubscriptionLog implements SubscriptionLog {
  readonly #maxSubscriptions: number;
  readonly #ids = new Set<number>();
  #highestId = 0;

  constructor(maxSubscriptions: number) {
    this.#maxSubscriptions = maxSubscriptions;
  }

  get count(): number {
    return this.#ids.size;
  }

  create(_state: SubState): number {
    if (this.#maxSubscriptions > 0 && this.#ids.size >= this.#maxSubscriptions) {
      throw storeError("too_many_subscriptions");
    }
    this.#highestId++;
    this.#ids.add(this.#highestId);
    return this.#highestId;
  }

  update(state: SubState): void {
    this.#ids.add(state.id);
    this.#highestId = Math.max(this.#highestId, state.id);
  }

  delete(id: number): void {
    this.#ids.delete(id);
  }

  addPending(_id: number, _sequence: number): void {}

  ackPending(_id: number, _sequence: number): void {}
}
