/** How often one value of a queue group was inserted, and with which weights, oldest first. */
type Weights = number[];

/** Where the values of one match are gathered; groups of the same queue name from several patterns become one. */
export interface Gathering<V> {
  readonly values: V[];
  queues: Map<string, V[]> | undefined;
}

/**
 * What one pattern holds when that is more than a single plain value. A Map per kind: finding the value to remove does
 * not depend on how many share the pattern, and their order stays that of insertion.
 */
export class ValueBag<V> {
  /** Value → times inserted. */
  readonly #plain = new Map<V, number>();
  #plainCount = 0;
  /** Queue name → value → weights. */
  #queues: Map<string, Map<V, Weights>> | undefined;
  #queueCount = 0;
  /** Sum of all weights: what the queue groups add to a result. */
  #queueWeight = 0;

  /** Insertions held. */
  get count(): number {
    return this.#plainCount + this.#queueCount;
  }

  get plainCount(): number {
    return this.#plainCount;
  }

  get queueWeight(): number {
    return this.#queueWeight;
  }

  /** The value, when it is plain and the only one. */
  single(): { readonly value: V } | undefined {
    if (this.#plainCount !== 1 || this.#queueCount !== 0) return undefined;
    for (const value of this.#plain.keys()) return { value };
    return undefined;
  }

  hasQueue(queue: string): boolean {
    return this.#queues?.has(queue) === true;
  }

  addPlain(value: V): void {
    this.#plain.set(value, (this.#plain.get(value) ?? 0) + 1);
    this.#plainCount++;
  }

  /** @returns whether the value was there. */
  removePlain(value: V): boolean {
    const times = this.#plain.get(value);
    if (times === undefined) return false;
    if (times === 1) this.#plain.delete(value);
    else this.#plain.set(value, times - 1);
    this.#plainCount--;
    return true;
  }

  addQueue(queue: string, value: V, weight: number): void {
    this.#queues ??= new Map();
    let members = this.#queues.get(queue);
    if (members === undefined) {
      members = new Map();
      this.#queues.set(queue, members);
    }
    const weights = members.get(value);
    if (weights === undefined) members.set(value, [weight]);
    else weights.push(weight);
    this.#queueCount++;
    this.#queueWeight += weight;
  }

  /** Takes out the oldest insertion of the value. @returns whether there was one. */
  removeQueue(queue: string, value: V): boolean {
    const members = this.#queues?.get(queue);
    const weights = members?.get(value);
    const weight = weights?.shift();
    if (members === undefined || weights === undefined || weight === undefined) return false;
    this.#queueCount--;
    this.#queueWeight -= weight;
    if (weights.length === 0) members.delete(value);
    if (members.size === 0) this.#queues?.delete(queue);
    return true;
  }

  /** Gives the oldest insertion of the value another weight. @returns whether there was one. */
  setWeight(queue: string, value: V, weight: number): boolean {
    const weights = this.#queues?.get(queue)?.get(value);
    if (weights === undefined) return false;
    this.#queueWeight += weight - weights[0]!;
    weights[0] = weight;
    return true;
  }

  gather(into: Gathering<V>): void {
    for (const [value, times] of this.#plain) {
      for (let i = 0; i < times; i++) into.values.push(value);
    }
    if (this.#queueCount === 0 || this.#queues === undefined) return;
    into.queues ??= new Map();
    for (const [queue, members] of this.#queues) {
      let list = into.queues.get(queue);
      if (list === undefined) {
        list = [];
        into.queues.set(queue, list);
      }
      for (const [value, weights] of members) {
        for (const weight of weights) {
          for (let i = 0; i < weight; i++) list.push(value);
        }
      }
    }
  }

  /** Calls `visit` for each insertion: plain ones first (queue "", weight 1), then group by group. */
  visit(visit: (value: V, queue: string, weight: number) => void): void {
    for (const [value, times] of this.#plain) {
      for (let i = 0; i < times; i++) visit(value, "", 1);
    }
    for (const [queue, members] of this.#queues ?? []) {
      for (const [value, weights] of members) {
        for (const weight of weights) visit(value, queue, weight);
      }
    }
  }
}
