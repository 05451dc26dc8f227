import { BusError, type BusHandler, type Clock } from "@nats-streaming/kernel";
import type { MessageFrame } from "@nats-streaming/protocol/nats";
import type { Connection } from "./connection.ts";
import { cloneBytes } from "./copy-bytes.ts";
import type { Counters } from "./counters.ts";
import { LocalMessage } from "./local-message.ts";
import type { MemberPicker } from "./member-picker.ts";
import type { Route, Router } from "./router.ts";
import type { Subscription } from "./subscription.ts";
import type { KeyTopic } from "./topic.ts";

/**
 * Most bytes of messages from local buses that wait for local handlers. Over it `publish` refuses: the handlers of this
 * process cannot be slower than its publishers for long without a bug.
 */
const LOCAL_PENDING_BYTES_MAX = 64 * 1_048_576;

/** Counted for each waiting message besides its payload. */
const LOCAL_PENDING_OVERHEAD = 128;

interface LocalPending {
  readonly subscription: Subscription;
  readonly subject: string;
  readonly reply: string;
  readonly bytes: Uint8Array;
}

/** Brings messages from their publisher to everybody on their route. */
export class Delivery {
  readonly #router: Router;
  readonly #counters: Counters;
  readonly #picker: MemberPicker;
  readonly #clock: Clock;
  readonly #onHandlerError: (error: unknown) => void;
  readonly #message: LocalMessage;
  #pending: LocalPending[] = [];
  #pendingBytes = 0;
  #payload: Uint8Array | undefined;
  #payloadView: DataView | undefined;

  constructor(
    router: Router,
    counters: Counters,
    picker: MemberPicker,
    clock: Clock,
    onHandlerError: (error: unknown) => void,
  ) {
    this.#router = router;
    this.#counters = counters;
    this.#picker = picker;
    this.#clock = clock;
    this.#onHandlerError = onHandlerError;
    this.#message = new LocalMessage(router);
  }

  /** A message that came in by the socket of `origin`. Local handlers run before this returns. Whether anybody got it. */
  relay(origin: Connection, frame: MessageFrame, route: Route): boolean {
    // A client that wants no echo is no receiver of its own messages, nor does it count as one.
    const silent = origin.echo ? undefined : origin;
    const values = route.values;
    let isDelivered = false;
    for (let i = 0; i < values.length; i++) {
      const subscription = values[i]!;
      if (subscription.closed || (silent !== undefined && subscription.connection === silent)) continue;
      this.#relayTo(subscription, frame);
      isDelivered = true;
    }
    const queues = route.queues;
    for (let i = 0; i < queues.length; i++) {
      const member = this.#choose(queues[i]!.values, silent);
      if (member === undefined) continue;
      this.#relayTo(member, frame);
      isDelivered = true;
    }
    return isDelivered;
  }

  /**
   * A message of a local bus: sockets get it written before this returns, local handlers hear of it at the end of the turn,
   * so that no handler is called from within another. Returns how many receivers it has.
   * @throws BusError `disconnected` when too much waits for local handlers already.
   */
  publish(topic: KeyTopic, reply: KeyTopic | undefined, payload: Uint8Array, start: number, end: number): number {
    const route = this.#router.routeOf(topic);
    this.#counters.inMessages++;
    this.#counters.inBytes += end - start;
    const values = route.values;
    let receivers = 0;
    let copy: Uint8Array | undefined;
    for (let i = 0; i < values.length; i++) {
      const subscription = values[i]!;
      if (subscription.closed) continue;
      if (subscription.connection === undefined) {
        copy ??= cloneBytes(payload, start, end);
        this.#postpone(subscription, topic, reply, copy);
      } else {
        this.#writeTo(subscription, subscription.connection, topic, reply, payload, start, end);
      }
      receivers++;
    }
    const queues = route.queues;
    for (let i = 0; i < queues.length; i++) {
      const member = this.#choose(queues[i]!.values, undefined);
      if (member === undefined) continue;
      if (member.connection === undefined) {
        copy ??= cloneBytes(payload, start, end);
        this.#postpone(member, topic, reply, copy);
      } else {
        this.#writeTo(member, member.connection, topic, reply, payload, start, end);
      }
      receivers++;
    }
    return receivers;
  }

  #relayTo(subscription: Subscription, frame: MessageFrame): void {
    this.#counters.outMessages++;
    this.#counters.outBytes += frame.payloadEnd - frame.payloadStart;
    if (subscription.connection === undefined) {
      this.#message.show(frame);
      this.#call(subscription);
    } else {
      subscription.connection.relay(subscription, frame);
    }
    this.#count(subscription);
  }

  #writeTo(
    subscription: Subscription,
    connection: Connection,
    topic: KeyTopic,
    reply: KeyTopic | undefined,
    payload: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (this.#payload !== payload || this.#payloadView === undefined) {
      this.#payload = payload;
      this.#payloadView = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    }
    this.#counters.outMessages++;
    this.#counters.outBytes += end - start;
    connection.deliver(subscription, topic, reply, payload, this.#payloadView, start, end);
    this.#count(subscription);
  }

  /** A subscription with a limit ends with the message that reaches it. */
  #count(subscription: Subscription): void {
    subscription.delivered++;
    if (subscription.max !== 0 && subscription.delivered >= subscription.max) {
      subscription.connection?.limitReached(subscription);
    }
  }

  #choose(members: readonly Subscription[], silent: Connection | undefined): Subscription | undefined {
    const count = members.length;
    const first = this.#picker.pick(count);
    for (let i = 0; i < count; i++) {
      const member = members[first + i < count ? first + i : first + i - count]!;
      if (!member.closed && (silent === undefined || member.connection !== silent)) return member;
    }
    return undefined;
  }

  #postpone(subscription: Subscription, topic: KeyTopic, reply: KeyTopic | undefined, bytes: Uint8Array): void {
    if (this.#pendingBytes > LOCAL_PENDING_BYTES_MAX) {
      throw new BusError("disconnected", `more than ${LOCAL_PENDING_BYTES_MAX} bytes wait for local subscribers`);
    }
    if (this.#pending.length === 0) this.#clock.defer(() => this.#deliverPending());
    this.#pending.push({ subscription, subject: topic.key, reply: reply?.key ?? "", bytes });
    this.#pendingBytes += bytes.length + LOCAL_PENDING_OVERHEAD;
  }

  /** What handlers publish in their turn waits for the next turn, so that two of them cannot hold the loop for ever. */
  #deliverPending(): void {
    const batch = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const { subscription, subject, reply, bytes } of batch) {
      if (subscription.closed) continue;
      this.#counters.outMessages++;
      this.#counters.outBytes += bytes.length;
      this.#message.showTexts(subject, reply, bytes);
      this.#call(subscription);
      subscription.delivered++;
    }
    this.#message.clear();
  }

  #call(subscription: Subscription): void {
    const handler: BusHandler | undefined = subscription.handler;
    if (handler === undefined) return;
    try {
      handler(this.#message);
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}
