import { type BusSubscription, type Clock, durationFromMillis } from "@nats-streaming/kernel";
import {
  FakeClock,
  type RecordingLogger,
  recordingLogger,
  seededRandom,
  type TestBus,
  TestNetwork,
} from "@nats-streaming/kernel/testing";
import { byteStringBytes, type Decoded } from "@nats-streaming/protocol";
import {
  type ConnectRequest,
  decodeCloseResponse,
  decodeConnectResponse,
  decodeMsgProto,
  decodePingResponse,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeAck,
  encodeCloseRequest,
  encodeConnectRequest,
  encodePing,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  StartPosition,
  type SubscriptionRequest,
} from "@nats-streaming/protocol/stan";
import { type ChannelLimits, defaultStoreLimits, type Store, type StoreLimits } from "@nats-streaming/store";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { type Engine, type EngineOptions, startEngine } from "../src/index.ts";

/** A message as a client saw it. */
export interface Seen {
  readonly sequence: number;
  readonly count: number;
  /** Milliseconds since the client came. */
  readonly at: number;
  readonly data: string;
}

/** The same, with its place in time and among all arrivals. */
export interface Arrival extends Omit<Seen, "at"> {
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
  /** Ascends over all subscriptions. */
  readonly order: number;
}

/** An engine over a memory store on a network of its own, and the time it lives in. */
export interface Stage {
  readonly clock: FakeClock;
  readonly network: TestNetwork;
  readonly logger: RecordingLogger;
  readonly store: Store;
  readonly engine: Engine;
  readonly serverBus: TestBus;
  readonly fatal: Error[];
  client(id: string, options?: Partial<ConnectRequest>): Promise<TestClient>;
  /** Lets `millis` pass. */
  pass(millis: number): Promise<void>;
}

export interface StageOptions extends Partial<Omit<EngineOptions, "store">> {
  readonly limits?: Partial<StoreLimits>;
  readonly store?: (clock: FakeClock) => Store;
  /** Another stage whose clock and network this one shares. */
  readonly beside?: Pick<Stage, "clock" | "network">;
  /** The clock that the engine gets, made of the stage's. */
  readonly mapClock?: (clock: FakeClock) => Clock;
}

export const CLUSTER = "test-cluster";

export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const { limits, store: openStore, beside, mapClock, ...engineOptions } = options;
  const clock = beside?.clock ?? new FakeClock();
  const network = beside?.network ?? new TestNetwork(clock, 1_048_576);
  const logger = recordingLogger();
  const store =
    openStore?.(clock) ?? createMemoryStore({ clock, logger, limits: { ...defaultStoreLimits, ...limits } });
  const serverBus = network.connect();
  const fatal: Error[] = [];
  const starting = startEngine({
    bus: serverBus,
    clock: mapClock?.(clock) ?? clock,
    random: seededRandom(++numbers),
    logger,
    clusterId: CLUSTER,
    probe: false,
    replaceDurable: false,
    heartbeatIntervalMillis: 30_000,
    heartbeatTimeoutMillis: 10_000,
    heartbeatFailCount: 10,
    batchSize: 1024,
    batchSleepMillis: 0,
    onFatal: (error) => fatal.push(error),
    ...engineOptions,
    store,
  });
  await clock.settle();
  const started = await starting;
  if (started.kind === "refused") throw new Error(started.message);
  return {
    clock,
    network,
    logger,
    store,
    engine: started.engine,
    serverBus,
    fatal,
    async client(id, request = {}) {
      const client = new TestClient(id, network.connect(), clock);
      const error = await client.connect(request);
      if (error !== "") throw new Error(error);
      return client;
    },
    pass: (millis) => clock.advanceAsync(millis),
  };
}

/** Limits of one channel that inherits what is not given. */
export function channelLimits(limits: Partial<ChannelLimits>): ChannelLimits {
  return {
    maxSubscriptions: 0,
    maxMessages: 0,
    maxBytes: 0,
    maxAge: durationFromMillis(0),
    maxInactivity: durationFromMillis(0),
    ...limits,
  };
}

let numbers = 0;

/** A client that speaks the protocol by hand, so that tests can leave its road anywhere. */
export class TestClient {
  readonly id: string;
  readonly bus: TestBus;
  readonly connId: Uint8Array;
  readonly heartbeatInbox: string;
  /** Whether heartbeats and duplicate checks are answered. */
  isAlive = true;
  /** When heartbeats arrived. */
  readonly heartbeats: number[] = [];
  readonly #clock: FakeClock;
  readonly #born: number;
  readonly #heartbeats: BusSubscription;

  constructor(id: string, bus: TestBus, clock: FakeClock) {
    this.id = id;
    this.bus = bus;
    this.#clock = clock;
    this.#born = clock.monotonicMillis();
    this.connId = byteStringBytes(`conn-${id}-${++numbers}`);
    this.heartbeatInbox = `_INBOX.hb${numbers}`;
    this.#heartbeats = bus.subscribe(this.heartbeatInbox, (message) => {
      this.heartbeats.push(this.#now());
      if (this.isAlive) bus.publish(message.reply, new Uint8Array(0));
    });
  }

  #now(): number {
    return this.#clock.monotonicMillis() - this.#born;
  }

  /** Sends a request and returns its answer once the present instant is over; undefined when none came by then. */
  async ask(subject: string, payload: Uint8Array): Promise<Uint8Array | undefined> {
    let answer: Uint8Array | undefined;
    const answers = this.send(subject, payload, (bytes) => {
      answer ??= bytes;
    });
    await this.#clock.settle();
    answers.unsubscribe();
    return answer;
  }

  /** Sends a request; answers are handed over as they come, until the returned subscription is ended. */
  send(
    subject: string,
    payload: Uint8Array,
    onAnswer: (bytes: Uint8Array, answers: BusSubscription) => void = () => {},
  ): BusSubscription {
    const inbox = `_INBOX.reply${++numbers}`;
    const answers = this.bus.subscribe(inbox, (message) => {
      onAnswer(message.bytes.slice(message.start, message.end), answers);
    });
    this.bus.publish(subject, payload, inbox);
    return answers;
  }

  connectRequest(request: Partial<ConnectRequest> = {}): Uint8Array {
    return encodeConnectRequest({
      clientId: this.id,
      heartbeatInbox: this.heartbeatInbox,
      protocol: 1,
      connId: this.connId,
      pingInterval: 5,
      pingMaxOut: 88,
      ...request,
    });
  }

  /** @returns the error of the response, empty for success. */
  async connect(request: Partial<ConnectRequest> = {}): Promise<string> {
    return errorOf(decodeConnectResponse, await this.ask(`_STAN.discover.${CLUSTER}`, this.connectRequest(request)));
  }

  async close(): Promise<string> {
    return errorOf(
      decodeCloseResponse,
      await this.ask(`_STAN.close.${CLUSTER}`, encodeCloseRequest({ clientId: this.id })),
    );
  }

  async ping(connId: Uint8Array = this.connId): Promise<string> {
    return errorOf(decodePingResponse, await this.ask(`_STAN.discover.${CLUSTER}.pings`, encodePing({ connId })));
  }

  /** Publishes without waiting; `onAck` gets the error of the PubAck, empty for success. */
  publishLater(channel: string, data: string, onAck: (error: string, guid: string) => void = () => {}): void {
    const payload = encodePubMsg({
      clientId: this.id,
      guid: `guid-${++numbers}`,
      subject: channel,
      data: Buffer.from(data),
      connId: this.connId,
    });
    const inbox = `_INBOX.ack${++numbers}`;
    const acks = this.bus.subscribe(inbox, (message) => {
      acks.unsubscribe();
      const ack = decodedValue(decodePubAck(message.bytes, message.start, message.end));
      onAck(ack.error, ack.guid);
    });
    this.bus.publish(`_STAN.pub.${CLUSTER}.${channel}`, payload, inbox);
  }

  /** Publishes without a subject for the PubAck. */
  publishQuietly(channel: string, data = ""): void {
    const payload = encodePubMsg({
      clientId: this.id,
      guid: "quiet",
      subject: channel,
      data: Buffer.from(data),
      connId: this.connId,
    });
    this.bus.publish(`_STAN.pub.${CLUSTER}.${channel}`, payload);
  }

  /** Its process is gone: nobody listens on its heartbeat inbox any more. What is sent to it is still seen. */
  crash(): void {
    this.#heartbeats.unsubscribe();
  }

  /** @returns the error of the PubAck; `no answer` when none came at once. */
  async publish(channel: string, data = "hello"): Promise<string> {
    let answer = "no answer";
    this.publishLater(channel, data, (error) => {
      answer = error;
    });
    await this.#clock.settle();
    return answer;
  }

  /** Asks for a subscription and waits until the present instant is over. */
  async subscribe(
    channel: string,
    request: Partial<SubscriptionRequest> = {},
    options: { readonly autoAck?: boolean } = {},
  ): Promise<TestSubscription> {
    const subscription = this.subscribeLater(channel, request, options);
    await this.#clock.settle();
    return subscription;
  }

  /** Asks for a subscription without waiting: it takes note of the response when it comes. */
  subscribeLater(
    channel: string,
    request: Partial<SubscriptionRequest> = {},
    options: { readonly autoAck?: boolean } = {},
  ): TestSubscription {
    const subscription = new TestSubscription(this, channel, options.autoAck ?? false, this.#born, this.#clock);
    const payload = encodeSubscriptionRequest({
      clientId: this.id,
      subject: channel,
      inbox: subscription.inbox,
      maxInFlight: 1024,
      ackWaitInSecs: 1,
      startPosition: StartPosition.first,
      ...request,
    });
    this.send(`_STAN.sub.${CLUSTER}`, payload, (bytes, answers) => {
      answers.unsubscribe();
      subscription.respond(bytes);
    });
    return subscription;
  }
}

export class TestSubscription {
  readonly inbox: string = `_INBOX.sub${++numbers}`;
  readonly seen: Seen[] = [];
  /** The same arrivals for whoever takes them away. */
  readonly arrivals: Arrival[] = [];
  /** What came before the response: must stay empty. */
  early = 0;
  ackInbox = "";
  /** Error of the response; `no answer` when none came. */
  error = "no answer";
  autoAck: boolean;
  readonly channel: string;
  readonly #client: TestClient;

  constructor(client: TestClient, channel: string, autoAck: boolean, born: number, clock: FakeClock) {
    this.#client = client;
    this.channel = channel;
    this.autoAck = autoAck;
    client.bus.subscribe(this.inbox, (message) => {
      const value = decodedValue(decodeMsgProto(message.bytes, message.start, message.end));
      if (this.error !== "") this.early++;
      const sequence = Number(value.sequence);
      const count = value.redelivered ? value.redeliveryCount : 0;
      const at = clock.monotonicMillis();
      const data = Buffer.from(value.data).toString();
      this.seen.push({ sequence, count, at: Math.round(at - born), data });
      this.arrivals.push({ sequence, count, at, data, order: ++numbers });
      if (this.autoAck) this.ack(sequence);
    });
  }

  respond(answer: Uint8Array): void {
    const response = decodedValue(decodeSubscriptionResponse(answer));
    this.error = response.error;
    this.ackInbox = response.ackInbox;
  }

  ack(...sequences: number[]): void {
    for (const sequence of sequences) {
      const payload = encodeAck({ subject: this.channel, sequence: BigInt(sequence) });
      this.#client.bus.publish(this.ackInbox, payload);
    }
  }

  async close(): Promise<string> {
    return this.#end("subclose");
  }

  async unsubscribe(): Promise<string> {
    return this.#end("unsub");
  }

  /** The sequences in the order of their arrival. */
  get sequences(): number[] {
    return this.seen.map(({ sequence }) => sequence);
  }

  /** In the notation of the measured traces: `1@0.00 1R1@1.00`. */
  trace(since = 0): string {
    return this.seen
      .map(
        ({ sequence, count, at }) => `${sequence}${count === 0 ? "" : `R${count}`}@${((at - since) / 1000).toFixed(2)}`,
      )
      .join(" ");
  }

  /** As {@link trace}, without times: `1 2 1R1`. */
  get order(): string {
    return this.seen.map(({ sequence, count }) => `${sequence}${count === 0 ? "" : `R${count}`}`).join(" ");
  }

  async #end(subject: string): Promise<string> {
    const request = encodeUnsubscribeRequest({
      clientId: this.#client.id,
      subject: this.channel,
      inbox: this.ackInbox,
    });
    return errorOf(decodeSubscriptionResponse, await this.#client.ask(`_STAN.${subject}.${CLUSTER}`, request));
  }
}

function errorOf(
  decode: (bytes: Uint8Array) => Decoded<{ readonly error: string }>,
  answer: Uint8Array | undefined,
): string {
  return answer === undefined ? "no answer" : decodedValue(decode(answer)).error;
}

export function decodedValue<T>(decoded: Decoded<T>): T {
  if (decoded.kind === "invalid") throw new Error(decoded.reason);
  return decoded.value;
}
