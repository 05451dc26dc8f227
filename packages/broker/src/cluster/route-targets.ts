import type { MessageFrame } from "@nats-streaming/protocol/nats";
import type { KeyTopic } from "../topic.ts";
import type { Route } from "./route.ts";

/**
 * The other servers that one message goes to, each once, however many of its subscriptions want it. One object for all
 * messages, filled and emptied with each.
 */
export class RouteTargets {
  /** How many there are. A field, since every message asks; the arrays are left as they are until it is not 0. */
  count = 0;
  readonly #routes: Route[] = [];
  /** Beside each route, the names of the queue groups one member of which is to get the message there, ` first second`. */
  readonly #queues: string[] = [];

  addAll(routes: readonly Route[]): void {
    for (let i = 0; i < routes.length; i++) this.#place(routes[i]!);
  }

  addQueue(route: Route, queue: string): void {
    const place = this.#place(route);
    this.#queues[place] = `${this.#queues[place]!} ${queue}`;
  }

  clear(): void {
    if (this.count === 0) return;
    this.count = 0;
    this.#routes.length = 0;
    this.#queues.length = 0;
  }

  /** Sends a message that came in by a client's socket, and forgets the targets. Returns how many there were. */
  relay(frame: MessageFrame): number {
    const count = this.count;
    for (let i = 0; i < count; i++) this.#routes[i]!.relay(frame, this.#queues[i]!);
    this.clear();
    return count;
  }

  /** Sends a message of a local bus, and forgets the targets. Returns how many there were. */
  deliver(
    topic: KeyTopic,
    reply: KeyTopic | undefined,
    payload: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): number {
    const count = this.count;
    for (let i = 0; i < count; i++) {
      this.#routes[i]!.deliver(topic, reply, this.#queues[i]!, payload, view, start, end);
    }
    this.clear();
    return count;
  }

  #place(route: Route): number {
    const known = this.#routes.indexOf(route);
    if (known >= 0) return known;
    this.count++;
    this.#queues.push("");
    return this.#routes.push(route) - 1;
  }
}
