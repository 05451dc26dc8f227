import {
  type Bus,
  BusError,
  type BusHandler,
  type BusReply,
  type BusStatus,
  type BusSubscribeOptions,
  type BusSubscription,
  type Clock,
  type Timer,
} from "@nats-streaming/kernel";
import { isValidSubject } from "@nats-streaming/subject";
import { cloneBytes } from "./copy-bytes.ts";
import type { Delivery } from "./delivery.ts";
import type { Router } from "./router.ts";
import type { LocalBusStatistics } from "./statistics.ts";
import { isKey } from "./subject-key.ts";
import { Subscription } from "./subscription.ts";
import { subscriptionStatistics } from "./subscription-statistics.ts";
import type { KeyTopic } from "./topic.ts";

/** What a local bus needs of its broker. */
export interface LocalBusContext {
  readonly router: Router;
  readonly delivery: Delivery;
  readonly clock: Clock;
  readonly maxPayload: number;
  readonly nuid: () => string;
  readonly url: () => string;
  readonly onClosed: (bus: LocalBus) => void;
}

interface PendingRequest {
  readonly resolve: (reply: BusReply) => void;
  readonly timer: Timer;
}

/**
 * A connection to the broker without a socket. Handlers are called from the read loop of the publisher's connection;
 * messages of this bus are written into their receivers' outgoing data before `publish` returns.
 */
export class LocalBus implements Bus {
  readonly name: string;
  readonly #context: LocalBusContext;
  readonly #subscriptions = new Set<Subscription>();
  readonly #topologyListeners: (() => void)[] = [];
  readonly #statusListeners: ((status: BusStatus) => void)[] = [];
  readonly #requests = new Map<string, PendingRequest>();
  /** `_INBOX.<unique>.`, under which answers to requests arrive; made with the first one. */
  #inboxPrefix = "";
  #requestCount = 0;
  #closed = false;
  /** The last subject and reply published, which are mostly the next ones, too. */
  #topic: KeyTopic | undefined;
  #reply: KeyTopic | undefined;

  constructor(context: LocalBusContext, name: string) {
    this.#context = context;
    this.name = name;
  }

  get maxPayload(): number {
    return this.#context.maxPayload;
  }

  get url(): string {
    return this.#context.url();
  }

  subscribe(subject: string, handler: BusHandler, options: BusSubscribeOptions = {}): BusSubscription {
    this.#checkOpen();
    const queue = options.queue ?? "";
    if (!isValidSubject(subject) || !isKey(subject)) throw badSubject(`invalid subject ${JSON.stringify(subject)}`);
    if (WHITE_SPACE.test(queue)) throw badSubject(`invalid queue group ${JSON.stringify(queue)}: it holds white space`);
    const subscription = new Subscription(subject, queue, "", undefined, handler);
    this.#subscriptions.add(subscription);
    this.#context.router.add(subscription);
    return {
      subject,
      unsubscribe: (): void => {
        this.#subscriptions.delete(subscription);
        this.#context.router.remove(subscription);
      },
    };
  }

  publish(subject: string, bytes: Uint8Array, reply = "", start = 0, end: number = bytes.length): void {
    this.#send(subject, bytes, reply, start, end);
  }

  async request(subject: string, payload: Uint8Array, timeoutMillis: number): Promise<BusReply> {
    return new Promise<BusReply>((resolve) => {
      let receivers: number;
      let token: string;
      try {
        const inboxPrefix = this.#inbox();
        token = (++this.#requestCount).toString(36);
        receivers = this.#send(subject, payload, inboxPrefix + token, 0, payload.length);
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        resolve({ kind: "failed", reason: error.message });
        return;
      }
      if (receivers === 0) {
        resolve({ kind: "no_responders" });
        return;
      }
      const timer = this.#context.clock.setTimer(timeoutMillis, () => this.#answer(token, { kind: "timeout" }));
      this.#requests.set(token, { resolve, timer });
    });
  }

  async flush(): Promise<void> {
    // Whatever was published or subscribed is with the broker already.
    this.#checkOpen();
  }

  onTopologyChange(listener: () => void): void {
    this.#topologyListeners.push(listener);
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) this.#context.router.remove(subscription);
    this.#subscriptions.clear();
    for (const token of [...this.#requests.keys()]) this.#answer(token, { kind: "failed", reason: CLOSED });
    this.#context.onClosed(this);
    for (const listener of this.#statusListeners) listener({ kind: "closed" });
  }

  statistics(): LocalBusStatistics {
    return {
      name: this.name,
      subscriptionCount: this.#subscriptions.size,
      subscriptions: () => subscriptionStatistics(this.#subscriptions),
    };
  }

  /** A NATS server joined the broker's network. */
  topologyChanged(): void {
    for (const listener of this.#topologyListeners) listener();
  }

  /** Returns how many receivers the message has. */
  #send(subject: string, bytes: Uint8Array, reply: string, start: number, end: number): number {
    this.#checkOpen();
    if (end - start > this.#context.maxPayload) {
      throw new BusError("max_payload", `payload of ${end - start} bytes is over ${this.#context.maxPayload}`);
    }
    let topic = this.#topic;
    if (topic === undefined || topic.key !== subject) {
      topic = this.#topicOf(subject);
      this.#topic = topic;
    }
    if (reply === "") return this.#context.delivery.publish(topic, undefined, bytes, start, end);
    let replyTopic = this.#reply;
    if (replyTopic === undefined || replyTopic.key !== reply) {
      replyTopic = this.#topicOf(reply);
      this.#reply = replyTopic;
    }
    return this.#context.delivery.publish(topic, replyTopic, bytes, start, end);
  }

  #topicOf(subject: string): KeyTopic {
    const topic = this.#context.router.topicOf(subject);
    if (!topic.isSendable)
      throw badSubject(`invalid subject ${JSON.stringify(subject)}: it is empty or holds white space`);
    return topic;
  }

  #inbox(): string {
    if (this.#inboxPrefix === "") {
      this.#checkOpen();
      const prefix = `_INBOX.${this.#context.nuid()}.`;
      this.subscribe(`${prefix}*`, (message) => {
        const payload = cloneBytes(message.bytes, message.start, message.end);
        this.#answer(message.subject.slice(prefix.length), { kind: "reply", payload });
      });
      this.#inboxPrefix = prefix;
    }
    return this.#inboxPrefix;
  }

  #answer(token: string, reply: BusReply): void {
    const request = this.#requests.get(token);
    if (request === undefined) return;
    this.#requests.delete(token);
    request.timer.cancel();
    request.resolve(reply);
  }

  #checkOpen(): void {
    if (this.#closed) throw new BusError("closed", CLOSED);
  }
}

const CLOSED = "bus is closed";

const WHITE_SPACE = /[\s]/;

function badSubject(message: string): BusError {
  return new BusError("bad_subject", message);
}
