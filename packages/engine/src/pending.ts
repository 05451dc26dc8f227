import { invariant } from "@nats-streaming/kernel";

/**
 * The pending set of one subscription: sequences that were sent and not acknowledged, each with a deadline.
 *
 * ```text
 *            base                                 top
 *  ring:  ┌───┬───┬───┬───┬───┬───┬───┬───┬───┬───┐      slot of a sequence = sequence & mask
 *         │ A │ A │   │ A │ B │   │ B │ C │ C │   │      a slot holds the run that the sequence belongs to
 *         └───┴───┴───┴───┴───┴───┴───┴───┴───┴───┘
 *  runs:  A (deadline 1.00, 3 left)  B (1.02, 2 left)  C (1.40, 2 left)    sorted by deadline
 * ```
 *
 * Sequences that were sent together share one run, so that a deadline costs something per batch and nothing per message;
 * an acknowledgement is an array store and a decrement. A sequence is pending when its slot holds a run; a slot that was
 * given to another run is how a run learns that it no longer owns that sequence.
 */
export interface PendingAcks {
  readonly size: number;
  /** The earliest deadline, in milliseconds of the monotonic clock; undefined when nothing is pending. */
  readonly nextDeadline: number | undefined;
  has(sequence: number): boolean;
  deadlineOf(sequence: number): number | undefined;
  /** Adds a sequence, or gives a pending one another deadline. */
  add(sequence: number, deadline: number): void;
  /** @returns false when the sequence was not pending. */
  remove(sequence: number): boolean;
  /** Those with a deadline up to `until`, by deadline and then by sequence. They stay pending. */
  due(until: number): DueMessage[];
  /** All of them, ascending. */
  sequences(): number[];
  /** Gives everything that is pending the same deadline. */
  postpone(deadline: number): void;
  clear(): void;
}

export interface DueMessage {
  readonly sequence: number;
  readonly deadline: number;
}

/** Sequences with one deadline; `left` counts those that are still pending. */
interface Run {
  readonly deadline: number;
  from: number;
  to: number;
  left: number;
}

const RING_SLOTS_MIN = 16;

/**
 * Widest span between the oldest and the newest pending sequence that the ring covers, 8 bytes a slot. What lags behind
 * further, such as one message that is never acknowledged while a million others are, moves to a map.
 */
const RING_SLOTS_MAX = 131_072;

/** Sends within this many milliseconds share a run; far below the 15 ms by which redelivery groups anyway. */
const RUN_GRAIN_MILLIS = 1;

export function createPendingAcks(): PendingAcks {
  return new RingPendingAcks();
}

class RingPendingAcks implements PendingAcks {
  #ring: (Run | undefined)[] = new Array(RING_SLOTS_MIN).fill(undefined);
  #mask = RING_SLOTS_MIN - 1;
  /** Every pending sequence of the ring is in [base, top). */
  #base = 0;
  #top = 0;
  /** Pending sequences below base. */
  #laggards: Map<number, Run> | undefined;
  /** Sorted by deadline; those before head are done with. */
  #runs: Run[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get nextDeadline(): number | undefined {
    this.#dropFinishedRuns();
    return this.#runs[this.#head]?.deadline;
  }

  has(sequence: number): boolean {
    return this.#runOf(sequence) !== undefined;
  }

  deadlineOf(sequence: number): number | undefined {
    return this.#runOf(sequence)?.deadline;
  }

  add(sequence: number, deadline: number): void {
    this.remove(sequence);
    if (this.#size === 0) this.#restart(sequence);
    const run = this.#runFor(sequence, deadline);
    run.left++;
    this.#size++;
    if (sequence < this.#base && !this.#extendDown(sequence)) {
      this.#laggards ??= new Map();
      this.#laggards.set(sequence, run);
      return;
    }
    if (sequence >= this.#top) this.#extendUp(sequence);
    this.#ring[sequence & this.#mask] = run;
  }

  remove(sequence: number): boolean {
    if (sequence >= this.#base && sequence < this.#top) {
      const slot = sequence & this.#mask;
      const run = this.#ring[slot];
      if (run === undefined) return false;
      this.#ring[slot] = undefined;
      run.left--;
      this.#size--;
      if (sequence === this.#base) this.#advanceBase();
      return true;
    }
    const run = this.#laggards?.get(sequence);
    if (run === undefined) return false;
    this.#laggards?.delete(sequence);
    run.left--;
    this.#size--;
    return true;
  }

  due(until: number): DueMessage[] {
    this.#dropFinishedRuns();
    const due: DueMessage[] = [];
    for (let i = this.#head; i < this.#runs.length; i++) {
      const run = this.#runs[i]!;
      if (run.deadline > until) break;
      if (run.left === 0) continue;
      for (let sequence = run.from; sequence <= run.to; sequence++) {
        if (this.#runOf(sequence) === run) due.push({ sequence, deadline: run.deadline });
      }
    }
    // Runs are in order of their deadline; those with the same one interleave.
    return due.sort((a, b) => a.deadline - b.deadline || a.sequence - b.sequence);
  }

  sequences(): number[] {
    const all = [...(this.#laggards?.keys() ?? [])].sort((a, b) => a - b);
    for (let sequence = this.#base; sequence < this.#top; sequence++) {
      if (this.#ring[sequence & this.#mask] !== undefined) all.push(sequence);
    }
    return all;
  }

  postpone(deadline: number): void {
    const all = this.sequences();
    this.clear();
    for (const sequence of all) this.add(sequence, deadline);
  }

  clear(): void {
    this.#ring.fill(undefined);
    this.#laggards = undefined;
    this.#runs = [];
    this.#head = 0;
    this.#size = 0;
    this.#base = 0;
    this.#top = 0;
  }

  #runOf(sequence: number): Run | undefined {
    if (sequence >= this.#base && sequence < this.#top) return this.#ring[sequence & this.#mask];
    return this.#laggards?.get(sequence);
  }

  /** The run that a sequence with this deadline joins: the newest one where it can, else a new one in its place. */
  #runFor(sequence: number, deadline: number): Run {
    const last = this.#runs[this.#runs.length - 1];
    if (last !== undefined && deadline >= last.deadline && deadline - last.deadline < RUN_GRAIN_MILLIS) {
      // A run only ever grows upwards and nearby, so that looking through it stays cheap.
      if (sequence > last.to && sequence - last.to <= RING_SLOTS_MIN) {
        last.to = sequence;
        return last;
      }
    }
    const run: Run = { deadline, from: sequence, to: sequence, left: 0 };
    if (last === undefined || last.deadline <= deadline) {
      this.#runs.push(run);
    } else {
      this.#dropFinishedRuns();
      let low = this.#head;
      let high = this.#runs.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.#runs[middle]!.deadline <= deadline) low = middle + 1;
        else high = middle;
      }
      this.#runs.splice(low, 0, run);
    }
    if (this.#runs.length - this.#head > RUNS_BEFORE_SWEEP) this.#dropFinishedRuns();
    return run;
  }

  #dropFinishedRuns(): void {
    const runs = this.#runs;
    while (this.#head < runs.length && runs[this.#head]!.left === 0) this.#head++;
    if (this.#head === runs.length) {
      this.#runs = [];
      this.#head = 0;
    } else if (this.#head > RUNS_BEFORE_SWEEP || runs.length - this.#head > 2 * this.#size + RUNS_BEFORE_SWEEP) {
      this.#runs = runs.filter((run) => run.left > 0);
      this.#head = 0;
    }
  }

  #restart(sequence: number): void {
    this.#base = sequence;
    this.#top = sequence;
    this.#runs = [];
    this.#head = 0;
  }

  #advanceBase(): void {
    let base = this.#base;
    while (base < this.#top && this.#ring[base & this.#mask] === undefined) base++;
    this.#base = base;
  }

  #extendUp(sequence: number): void {
    const span = sequence - this.#base + 1;
    if (span > this.#ring.length) this.#makeRoom(sequence);
    this.#top = sequence + 1;
  }

  /** Makes the ring reach down to `sequence`; false when that is too far. */
  #extendDown(sequence: number): boolean {
    const span = this.#top - sequence;
    if (span > RING_SLOTS_MAX) return false;
    if (span > this.#ring.length) this.#resize(span);
    this.#base = sequence;
    return true;
  }

  #makeRoom(sequence: number): void {
    const span = sequence - this.#base + 1;
    if (span <= RING_SLOTS_MAX) {
      this.#resize(span);
      return;
    }
    const base = Math.min(this.#top, sequence - RING_SLOTS_MAX + 1);
    this.#laggards ??= new Map();
    for (let old = this.#base; old < base; old++) {
      const slot = old & this.#mask;
      const run = this.#ring[slot];
      if (run !== undefined) this.#laggards.set(old, run);
      this.#ring[slot] = undefined;
    }
    this.#base = base;
    // With nothing left in the ring it may start anywhere.
    if (base === this.#top) this.#base = sequence - RING_SLOTS_MAX + 1;
    this.#advanceBaseTo(sequence);
    if (sequence - this.#base + 1 > this.#ring.length) this.#resize(sequence - this.#base + 1);
  }

  #advanceBaseTo(limit: number): void {
    this.#advanceBase();
    if (this.#base >= this.#top) {
      this.#base = limit;
      this.#top = limit;
    }
  }

  #resize(span: number): void {
    let length = this.#ring.length;
    while (length < span) length *= 2;
    invariant(length <= RING_SLOTS_MAX, `pending ring of ${length} slots`);
    const ring: (Run | undefined)[] = new Array(length).fill(undefined);
    for (let sequence = this.#base; sequence < this.#top; sequence++) {
      ring[sequence & (length - 1)] = this.#ring[sequence & this.#mask];
    }
    this.#ring = ring;
    this.#mask = length - 1;
  }
}

/** Finished runs are swept out of the list when this many more than needed have gathered. */
const RUNS_BEFORE_SWEEP = 64;
