import type { Clock } from "../clock.ts";
import type { FileErrorCode } from "../file-system.ts";
import type { Random } from "../random.ts";
import type { SimulatedContent } from "./simulated-disk-content.ts";
import {
  type SimulatedFault,
  SimulatedFaults,
  type SimulatedOperation,
  simulatedError,
} from "./simulated-disk-faults.ts";

/** A write that has begun: a crash leaves any part of its beginning. */
export interface WriteUnderWay {
  readonly content: SimulatedContent;
  readonly source: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

/** How slow a disk is. */
export interface SimulatedLatency {
  readonly clock: Clock;
  /** Each asynchronous operation takes from 0 up to so many milliseconds. */
  readonly millisMax: number;
}

/** The machine around a simulated disk: whether it runs, how long it takes, how much room there is, what fails. */
export class SimulatedMachine {
  readonly random: Random;
  readonly faults: SimulatedFaults = new SimulatedFaults();
  readonly latency: SimulatedLatency | undefined;
  /** Settles when the machine has stopped. */
  readonly stopped: Promise<void>;
  operations = 0;
  pagesUsed = 0;
  pagesMax: number = Number.POSITIVE_INFINITY;
  stopAt: number = Number.POSITIVE_INFINITY;
  readonly #writes = new Set<WriteUnderWay>();
  #running = true;
  #tellStopped: () => void = () => {};

  constructor(random: Random, latency: SimulatedLatency | undefined) {
    this.random = random;
    this.latency = latency;
    this.stopped = new Promise((resolve) => {
      this.#tellStopped = resolve;
    });
  }

  get isRunning(): boolean {
    return this.#running;
  }

  readonly takeSpace = (pages: number): boolean => {
    if (this.pagesUsed + pages > this.pagesMax) return false;
    this.pagesUsed += pages;
    return true;
  };

  /** Stops for good. Writes under way leave what they leave. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    for (const write of this.#writes) this.applyPart(write);
    this.#writes.clear();
    this.#tellStopped();
  }

  /** Counts an operation. @throws FileError when the machine stands still, or stops at this one */
  count(operation: SimulatedOperation, path: string): void {
    this.operations++;
    if (this.operations >= this.stopAt) this.stop();
    if (!this.#running) throw simulatedError(operation, `${path} (the simulated machine stands still)`, "io");
  }

  /** What goes wrong with an operation, other than the ways of a read. @throws FileError */
  failIfFaulty(operation: SimulatedOperation, path: string): "short_read" | "bit_flip" | undefined {
    const kind = this.faults.take(operation, path);
    if (kind === undefined || kind === "short_read" || kind === "bit_flip") return kind;
    throw simulatedError(operation, path, kind);
  }

  /** As much of a write as a seed will have it. */
  applyPart(write: WriteUnderWay): void {
    const { content, source, offset, length, position } = write;
    const manner = this.random.next();
    const part = manner < 0.2 ? 0 : manner < 0.4 ? length : Math.floor(this.random.next() * length);
    content.write(source, offset, part, position, this.takeSpace);
  }

  /** @throws FileError */
  write(write: WriteUnderWay, path: string): void {
    const fault = this.faults.take("write", path);
    if (isErrorCode(fault)) {
      this.applyPart(write);
      throw simulatedError("write", path, fault);
    }
    const done = write.content.write(write.source, write.offset, write.length, write.position, this.takeSpace);
    if (done < write.length) throw simulatedError("write", path, "no_space");
  }

  /** @throws FileError */
  read(
    content: SimulatedContent,
    path: string,
    target: Uint8Array,
    offset: number,
    length: number,
    at: number,
  ): number {
    const fault = this.failIfFaulty("read", path);
    const count = content.read(target, offset, length, at);
    if (count === 0 || fault === undefined) return count;
    const place = Math.floor(this.random.next() * count);
    if (fault === "short_read") return place;
    target[offset + place]! ^= 1 << Math.floor(this.random.next() * 8);
    return count;
  }

  /** Lets an operation take its time, then does its work; never settles once the machine has stopped. */
  async later<T>(operation: SimulatedOperation, path: string, work: () => T, write?: WriteUnderWay): Promise<T> {
    if (write !== undefined && this.#running) this.#writes.add(write);
    try {
      this.count(operation, path);
      await this.#delay();
    } finally {
      if (write !== undefined) this.#writes.delete(write);
    }
    if (!this.#running) return new Promise<never>(() => {});
    return work();
  }

  async #delay(): Promise<void> {
    const { latency } = this;
    if (latency === undefined) return;
    const millis = this.random.next() * latency.millisMax;
    await new Promise<void>((resolve) => {
      latency.clock.setTimer(millis, resolve);
    });
  }
}

function isErrorCode(kind: SimulatedFault["kind"] | undefined): kind is FileErrorCode {
  return kind !== undefined && kind !== "short_read" && kind !== "bit_flip";
}
