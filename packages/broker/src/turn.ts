import type { Clock } from "@nats-streaming/kernel";
import type { Outgoing } from "./outgoing.ts";

/**
 * The present turn of the event loop: what it has to do at its end. All sockets that were readable have been read by then,
 * so each connection gets everything that came up for it in one write.
 */
export class Turn {
  /** A receiver that is far behind, met since this was last looked at: whoever feeds it should wait. */
  pressed: Outgoing | undefined;
  readonly #clock: Clock;
  #queue: Outgoing[] = [];
  #spare: Outgoing[] = [];
  readonly #run = (): void => this.#end();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Has `outgoing` flushed at the end of the turn. */
  add(outgoing: Outgoing): void {
    outgoing.queued = true;
    if (this.#queue.length === 0) this.#clock.defer(this.#run);
    this.#queue.push(outgoing);
  }

  #end(): void {
    const queue = this.#queue;
    this.#queue = this.#spare;
    this.#spare = queue;
    for (const outgoing of queue) {
      outgoing.queued = false;
      outgoing.flush();
    }
    queue.length = 0;
  }
}
