import {
  type Bus,
  BusError,
  type BusHandler,
  type BusMessage,
  type BusReply,
  type BusStatus,
  type BusSubscribeOptions,
  type BusSubscription,
} from "../bus.ts";
import type { Clock } from "../clock.ts";

/**
 * A NATS network for tests, on a fake clock: every bus that {@link TestNetwork.connect} hands out hears the others.
 * Messages are delivered at once and in order. Written to be plain rather than fast.
 */
export class TestNetwork {
  readonly #clock: Clock;
  readonly #buses = new Set<TestBus>();
  #inboxes = 0;
  readonly maxPayload: number;

  constructor(clock: Clock, maxPayload = 1_048_576) {
    this.#clock = clock;
    this.maxPayload = maxPayload;
  }

  connect(): TestBus {
    const bus = new TestBus(this, this.#clock);
    this.#buses.add(bus);
    return bus;
  }

  /** Tells every bus that a NATS server joined. */
  topologyChanged(): void {
    for (const bus of this.#buses) bus.emitTopologyChange();
  }

  /** @internal */
  inbox(): string {
    return `_INBOX.test${++this.#inboxes}`;
  }

  /** @internal Delivers to every subscription that matches; of a queue group, to one. Returns how many were reached. */
  route(subject: string, payload: Uint8Array, reply: string): number {
    const groups = new Map<string, TestSubscription[]>();
    const plain: TestSubscription[] = [];
    for (const bus of this.#buses) {
      for (const subscription of bus.subscriptions) {
        if (!matches(subscription.subject, subject)) continue;
        if (subscription.queue === undefined) plain.push(subscription);
        else groups.set(subscription.queue, [...(groups.get(subscription.queue) ?? []), subscription]);
      }
    }
    for (const members of groups.values()) plain.push(members[0]!);
    for (const subscription of plain) subscription.deliver(subject, payload, reply);
    return plain.length;
  }

  /** @internal */
  add(bus: TestBus): void {
    this.#buses.add(bus);
  }

  /** @internal */
  remove(bus: TestBus): void {
    this.#buses.delete(bus);
  }
}

class TestSubscription implements BusSubscription {
  readonly subject: string;
  readonly queue: string | undefined;
  readonly #handler: BusHandler;
  readonly #bus: TestBus;

  constructor(bus: TestBus, subject: string, handler: BusHandler, queue: string | undefined) {
    this.#bus = bus;
    this.subject = subject;
    this.#handler = handler;
    this.queue = queue;
  }

  unsubscribe(): void {
    this.#bus.drop(this);
  }

  deliver(subject: string, payload: Uint8Array, reply: string): void {
    if (!this.#bus.subscriptions.has(this)) return;
    const message: BusMessage = { subject, reply, bytes: payload, start: 0, end: payload.length };
    this.#handler(message);
  }
}

/** One connection to a {@link TestNetwork}; {@link disconnect} and {@link reconnect} play an unreliable line. */
export class TestBus implements Bus {
  readonly url: string = "test://network";
  /** @internal */
  readonly subscriptions: Set<TestSubscription> = new Set();
  readonly #network: TestNetwork;
  readonly #clock: Clock;
  readonly #topologyListeners: (() => void)[] = [];
  readonly #statusListeners: ((status: BusStatus) => void)[] = [];
  #state: "connected" | "disconnected" | "closed" = "connected";
  /** Subscriptions that have not reached the network; undefined on a line without delay. */
  #underWay: Set<TestSubscription> | undefined;
  #arrived: Promise<void> = Promise.resolve();

  constructor(network: TestNetwork, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
  }

  get maxPayload(): number {
    return this.#network.maxPayload;
  }

  subscribe(subject: string, handler: BusHandler, options: BusSubscribeOptions = {}): BusSubscription {
    if (this.#state === "closed") throw new BusError("closed", "bus is closed");
    const subscription = new TestSubscription(this, subject, handler, options.queue);
    (this.#underWay ?? this.subscriptions).add(subscription);
    return subscription;
  }

  /**
   * Subscriptions from now on are under way, and a {@link flush} waits, until the function that comes back is called: on a
   * real line interest takes its time.
   */
  delayInterest(): () => void {
    const underWay = new Set<TestSubscription>();
    let arrive = (): void => {};
    this.#underWay = underWay;
    this.#arrived = new Promise((resolve) => {
      arrive = resolve;
    });
    return () => {
      this.#underWay = undefined;
      for (const subscription of underWay) this.subscriptions.add(subscription);
      arrive();
    };
  }

  /** @internal */
  drop(subscription: TestSubscription): void {
    this.subscriptions.delete(subscription);
    this.#underWay?.delete(subscription);
  }

  publish(subject: string, bytes: Uint8Array, reply = "", start = 0, end: number = bytes.length): void {
    this.#check(subject, end - start);
    // Copied, as a real network would: what the publisher does to its buffer afterwards is nobody's business.
    this.#network.route(subject, new Uint8Array(bytes.subarray(start, end)), reply);
  }

  async request(subject: string, payload: Uint8Array, timeoutMillis: number): Promise<BusReply> {
    try {
      this.#check(subject, payload.length);
    } catch (error) {
      return { kind: "failed", reason: (error as Error).message };
    }
    return new Promise<BusReply>((resolve) => {
      const inbox = this.#network.inbox();
      const finish = (reply: BusReply): void => {
        timer.cancel();
        subscription.unsubscribe();
        resolve(reply);
      };
      const timer = this.#clock.setTimer(timeoutMillis, () => finish({ kind: "timeout" }));
      const subscription = this.subscribe(inbox, (message) => {
        finish({ kind: "reply", payload: new Uint8Array(message.bytes.subarray(message.start, message.end)) });
      });
      if (this.#network.route(subject, payload, inbox) === 0) finish({ kind: "no_responders" });
    });
  }

  async flush(): Promise<void> {
    if (this.#state !== "connected") throw new BusError(this.#state, `bus is ${this.#state}`);
    await this.#arrived;
  }

  onTopologyChange(listener: () => void): void {
    this.#topologyListeners.push(listener);
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.subscriptions.clear();
    this.#network.remove(this);
    this.#emit({ kind: "closed" });
  }

  disconnect(reason = "test"): void {
    this.#state = "disconnected";
    this.#network.remove(this);
    this.#emit({ kind: "disconnected", reason });
  }

  /** Takes the line up again; subscriptions are in force as before. */
  reconnect(): void {
    this.#state = "connected";
    this.#network.add(this);
    this.#emit({ kind: "connected", url: this.url });
    this.emitTopologyChange();
  }

  emitTopologyChange(): void {
    for (const listener of this.#topologyListeners) listener();
  }

  #check(subject: string, size: number): void {
    if (this.#state !== "connected") throw new BusError(this.#state, `bus is ${this.#state}`);
    if (subject === "" || /\s/.test(subject)) throw new BusError("bad_subject", `invalid subject "${subject}"`);
    if (size > this.maxPayload)
      throw new BusError("max_payload", `payload of ${size} bytes is over ${this.maxPayload}`);
  }

  #emit(status: BusStatus): void {
    for (const listener of this.#statusListeners) listener(status);
  }
}

/** Wildcard matching by the letter of the rule; kernel has no dependency, so it cannot use the subject package. */
function matches(pattern: string, subject: string): boolean {
  const want = pattern.split(".");
  const have = subject.split(".");
  for (let i = 0; i < want.length; i++) {
    if (want[i] === ">") return i < have.length;
    if (i >= have.length || (want[i] !== "*" && want[i] !== have[i])) return false;
  }
  return want.length === have.length;
}
