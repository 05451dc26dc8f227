/** Subscription IDs, counted over all channels of a store. */
export interface SubscriptionIds {
  /** No ID above it was ever used. */
  readonly highest: number;
  next(): number;
  /** An ID that came from elsewhere. */
  raise(id: number): void;
}

export function createSubscriptionIds(): SubscriptionIds {
  let highest = 0;
  return {
    get highest(): number {
      return highest;
    },
    next: () => ++highest,
    raise(id): void {
      if (id > highest) highest = id;
    },
  };
}
