import type { Clock } from "@nats-streaming/kernel";
import type { Outgoing } from "./outgoing.ts";

/**
 * The present turn of the event loop: what it has to do at its end. All sockets that were readable have been read by then,
 * so each connection gets everything that came up for it in one write.
 */
export class Turn {
  readonly #clock: Clock;
  #pressed: Outgoing | undefined;
  #queue: Outgoing[] = [];
  #spare: Outgoing[] = [];
  readonly #run = (): void => this.#end();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `outgoing` flushed at the end of the turn. */
  add(outgoing: Outgoing): void {
    outgoing.isQueued = true;
    if (this.#queue.length === 0) this.#clock.defer(this.#run);
    this.#queue.push(outgoing);
  }

  /** Notes a receiver that is far behind. */
  press(outgoing: Outgoing): void {
    this.#pressed = outgoing;
  }

  /** A receiver noted since the last call: whoever feeds it should wait. */
  takePressed(): Outgoing | undefined {
    const pressed = this.#pressed;
    this.#pressed = undefined;
    return pressed;
  }

  #end(): void {
    const queue = this.#queue;
    this.#queue = this.#spare;
    this.#spare = queue;
    for (const outgoing of queue) {
      outgoing.isQueued = false;
      outgoing.flush();
    }
    queue.length = 0;
  }
}
