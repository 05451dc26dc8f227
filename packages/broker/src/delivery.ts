import { BusError, type BusHandler, type Clock } from "@nats-streaming/kernel";
import type { MessageFrame } from "@nats-streaming/protocol/nats";
import { RouteTargets } from "./cluster/route-targets.ts";
import type { Connection } from "./connection.ts";
import { cloneBytes } from "./copy-bytes.ts";
import type { Counters } from "./counters.ts";
import { LocalMessage } from "./local-message.ts";
import type { MemberPicker } from "./member-picker.ts";
import type { Receivers } from "./receivers.ts";
import type { Router } from "./router.ts";
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

/** Brings messages from their publisher to everybody who is to receive them. */
export class Delivery {
  readonly #router: Router;
  readonly #counters: Counters;
  readonly #picker: MemberPicker;
  readonly #clock: Clock;
  readonly #onHandlerError: (error: unknown) => void;
  readonly #message: LocalMessage;
  /** Two of them, for a handler may publish while a relayed message is on its way. */
  readonly #targets: RouteTargets = new RouteTargets();
  readonly #publishTargets: RouteTargets = new RouteTargets();
  /** Members on this server of the queue group that is being looked at; reused. */
  readonly #members: Subscription[] = [];
  #pending: LocalPending[] = [];
  #pendingBytes = 0;
  #payload: Uint8Array | undefined;
  #payloadView: DataView = new DataView(new ArrayBuffer(0));

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
  relay(origin: Connection, frame: MessageFrame, receivers: Receivers): boolean {
    // A client that wants no echo is no receiver of its own messages, nor does it count as one.
    const silent = origin.echo ? undefined : origin;
    const { values, queues, routes } = receivers;
    let isDelivered = false;
    for (let i = 0; i < values.length; i++) {
      const subscription = values[i]!;
      if (subscription.closed || (silent !== undefined && subscription.connection === silent)) continue;
      this.#relayTo(subscription, frame);
      isDelivered = true;
    }
    for (let i = 0; i < queues.length; i++) {
      const member = this.#choose(queues[i]!.values, silent);
      if (member === undefined) continue;
      if (member.route !== undefined) this.#targets.addQueue(member.route, member.queue);
      else this.#relayTo(member, frame);
      isDelivered = true;
    }
    if (routes.length > 0) {
      this.#targets.addAll(routes);
      isDelivered = true;
    }
    if (this.#targets.count > 0) this.#count(this.#targets.relay(frame), frame.payloadEnd - frame.payloadStart);
    return isDelivered;
  }

  /**
   * A message that another server sent here: for subscriptions on this server, and for one member on this server of each
   * queue group that `queues` names. It is never passed on to a third server, so that no message can go round.
   */
  receive(frame: MessageFrame, receivers: Receivers, queues: readonly string[]): void {
    const { values } = receivers;
    for (let i = 0; i < values.length; i++) {
      const subscription = values[i]!;
      if (!subscription.closed) this.#relayTo(subscription, frame);
    }
    if (queues.length === 0) return;
    for (const { queue, values: members } of receivers.queues) {
      if (!queues.includes(queue)) continue;
      const here = this.#members;
      for (const member of members) if (member.route === undefined) here.push(member);
      const member = this.#choose(here, undefined);
      here.length = 0;
      if (member !== undefined) this.#relayTo(member, frame);
    }
  }

  /**
   * A message of a local bus: sockets get it written before this returns, local handlers hear of it at the end of the turn,
   * so that no handler is called from within another. Returns how many receivers it has, another server counted once.
   * @throws BusError `disconnected` when too much waits for local handlers already.
   */
  publish(topic: KeyTopic, reply: KeyTopic | undefined, payload: Uint8Array, start: number, end: number): number {
    const { values, queues, routes } = this.#router.receiversOf(topic);
    this.#counters.inMessages++;
    this.#counters.inBytes += end - start;
    const targets = this.#publishTargets;
    targets.clear();
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
    for (let i = 0; i < queues.length; i++) {
      const member = this.#choose(queues[i]!.values, undefined);
      if (member === undefined) continue;
      if (member.route !== undefined) {
        targets.addQueue(member.route, member.queue);
        continue;
      }
      if (member.connection === undefined) {
        copy ??= cloneBytes(payload, start, end);
        this.#postpone(member, topic, reply, copy);
      } else {
        this.#writeTo(member, member.connection, topic, reply, payload, start, end);
      }
      receivers++;
    }
    if (routes.length > 0) targets.addAll(routes);
    if (targets.count > 0) {
      const view = this.#viewOf(payload);
      const sent = targets.deliver(topic, reply, payload, view, start, end);
      this.#count(sent, end - start);
      receivers += sent;
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
    this.#delivered(subscription);
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
    this.#counters.outMessages++;
    this.#counters.outBytes += end - start;
    connection.deliver(subscription, topic, reply, payload, this.#viewOf(payload), start, end);
    this.#delivered(subscription);
  }

  #viewOf(payload: Uint8Array): DataView {
    if (this.#payload !== payload) {
      this.#payload = payload;
      this.#payloadView = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    }
    return this.#payloadView;
  }

  #count(messages: number, size: number): void {
    this.#counters.outMessages += messages;
    this.#counters.outBytes += messages * size;
  }

  /** A subscription with a limit ends with the message that reaches it. */
  #delivered(subscription: Subscription): void {
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
