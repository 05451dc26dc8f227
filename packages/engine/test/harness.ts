import { durationFromMillis } from "@nats-streaming/kernel";
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
  /** Milliseconds since the stage was set. */
  readonly at: number;
  readonly data: string;
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
}

export const CLUSTER = "test-cluster";

export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const clock = new FakeClock();
  const network = new TestNetwork(clock, 1_048_576);
  const logger = recordingLogger();
  const { limits, store: openStore, ...engineOptions } = options;
  const store =
    openStore?.(clock) ?? createMemoryStore({ clock, logger, limits: { ...defaultStoreLimits, ...limits } });
  const serverBus = network.connect();
  const fatal: Error[] = [];
  const starting = startEngine({
    bus: serverBus,
    clock,
    random: seededRandom(1),
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

  constructor(id: string, bus: TestBus, clock: FakeClock) {
    this.id = id;
    this.bus = bus;
    this.#clock = clock;
    this.#born = clock.monotonicMillis();
    this.connId = byteStringBytes(`conn-${id}-${++numbers}`);
    this.heartbeatInbox = `_INBOX.hb${numbers}`;
    bus.subscribe(this.heartbeatInbox, (message) => {
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
    this.send(subject, payload, (bytes) => {
      answer ??= bytes;
    });
    await this.#clock.settle();
    return answer;
  }

  /** Sends a request; answers are handed over as they come. */
  send(subject: string, payload: Uint8Array, onAnswer: (bytes: Uint8Array) => void = () => {}): void {
    const inbox = `_INBOX.reply${++numbers}`;
    this.bus.subscribe(inbox, (message) => onAnswer(message.bytes.slice(message.start, message.end)));
    this.bus.publish(subject, payload, inbox);
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
    this.send(`_STAN.pub.${CLUSTER}.${channel}`, payload, (bytes) => {
      const ack = decodedValue(decodePubAck(bytes));
      onAck(ack.error, ack.guid);
    });
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

  async subscribe(
    channel: string,
    request: Partial<SubscriptionRequest> = {},
    options: { readonly autoAck?: boolean } = {},
  ): Promise<TestSubscription> {
    const subscription = new TestSubscription(this, channel, options.autoAck ?? false, () => this.#now());
    subscription.respond(
      await this.ask(
        `_STAN.sub.${CLUSTER}`,
        encodeSubscriptionRequest({
          clientId: this.id,
          subject: channel,
          inbox: subscription.inbox,
          maxInFlight: 1024,
          ackWaitInSecs: 1,
          startPosition: StartPosition.first,
          ...request,
        }),
      ),
    );
    return subscription;
  }
}

export class TestSubscription {
  readonly inbox: string = `_INBOX.sub${++numbers}`;
  readonly seen: Seen[] = [];
  /** What came before the response: must stay empty. */
  early = 0;
  ackInbox = "";
  /** Error of the response; `no answer` when none came. */
  error = "no answer";
  autoAck: boolean;
  readonly channel: string;
  readonly #client: TestClient;

  constructor(client: TestClient, channel: string, autoAck: boolean, now: () => number) {
    this.#client = client;
    this.channel = channel;
    this.autoAck = autoAck;
    const pending: number[] = [];
    client.bus.subscribe(this.inbox, (message) => {
      const value = decodedValue(decodeMsgProto(message.bytes, message.start, message.end));
      if (this.error !== "") this.early++;
      const sequence = Number(value.sequence);
      const count = value.redelivered ? value.redeliveryCount : 0;
      this.seen.push({ sequence, count, at: Math.round(now()), data: Buffer.from(value.data).toString() });
      if (this.autoAck) pending.push(sequence);
      if (this.ackInbox !== "") for (const done of pending.splice(0)) this.ack(done);
    });
  }

  respond(answer: Uint8Array | undefined): void {
    if (answer === undefined) return;
    const response = decodedValue(decodeSubscriptionResponse(answer));
    this.error = response.error;
    this.ackInbox = response.ackInbox;
    this.early = this.error === "" ? 0 : this.early;
    if (this.autoAck) for (const { sequence } of this.seen) this.ack(sequence);
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
