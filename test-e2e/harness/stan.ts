import { Socket } from "node:net";
import {
  connect,
  type Message,
  type Stan,
  type StanOptions,
  StartPosition,
  type Subscription,
  type SubscriptionOptions,
} from "node-nats-streaming";
import { createMailbox, type Mailbox, STEP_MILLIS, within } from "./mailbox.ts";
import { CLUSTER } from "./raw-stan.ts";
import type { Stage } from "./stage.ts";

export { StartPosition } from "node-nats-streaming";

/** Promises around the real client library: what it reports as an error event or argument is a rejection here. */
export interface StanClient {
  readonly clientId: string;
  /** Waits until the library finds the connection lost (unanswered or refused pings); the error that it reports. */
  untilLost(): Promise<Error>;
  /** Whether it has. */
  readonly isLost: boolean;
  /** Publishes and waits for the ack; the guid. Rejects with the library's or the server's text. */
  publish(channel: string, data: string | Uint8Array): Promise<string>;
  /** Subscribes (by default from the first message) and waits until it is ready. */
  subscribe(channel: string, options?: SubscribeOptions): Promise<StanSubscription>;
  /** Closes the connection. Rejects with what the server objects to. */
  close(): Promise<void>;
  /** Cuts the NATS connection without a word, as a crashed client does. */
  vanish(): void;
}

export interface SubscribeOptions {
  readonly queueGroup?: string;
  readonly durableName?: string;
  /** {@link StartPosition.FIRST} by default. */
  readonly startPosition?: StartPosition;
  readonly startSequence?: number;
  readonly startTimeDeltaMillis?: number;
  readonly maxInFlight?: number;
  readonly ackWaitMillis?: number;
  /** Acknowledge only by {@link ReceivedMessage.ack}. */
  readonly manualAcks?: boolean;
}

export interface StanSubscription {
  readonly messages: Mailbox<ReceivedMessage>;
  /** Ends the subscription for good. */
  unsubscribe(): Promise<void>;
  /** Ends it for now: a durable keeps its place. */
  close(): Promise<void>;
}

export interface ReceivedMessage {
  readonly channel: string;
  readonly sequence: number;
  readonly data: Buffer;
  readonly text: string;
  readonly timestamp: Date;
  readonly redelivered: boolean;
  readonly redeliveryCount: number;
  ack(): void;
}

export interface ClientOptions {
  readonly port: number;
  /** Deadline of connect, subscribe, unsubscribe and close requests; the library's own 2 s by default. */
  readonly requestMillis?: number;
  /** Deadline of a publish; the library's own 30 s by default. */
  readonly ackMillis?: number;
  /** Time between two pings; whole seconds. */
  readonly pingMillis?: number;
  readonly cluster?: string;
  /** What the library hands to its NATS connection: `tls`, `user`, `pass`, `token`, `nkey`. */
  readonly nats?: Readonly<Partial<StanOptions>>;
}

/** Connects a client that is closed with the stage, and waits until the streaming server has registered it. */
export async function connectStan(stage: Stage, clientId: string, options: ClientOptions): Promise<StanClient> {
  const stan = connect(options.cluster ?? CLUSTER, clientId, {
    url: `nats://127.0.0.1:${options.port}`,
    reconnect: false,
    encoding: "binary",
    stanEncoding: "binary",
    ...(options.requestMillis === undefined ? {} : { connectTimeout: options.requestMillis }),
    ...(options.ackMillis === undefined ? {} : { ackTimeout: options.ackMillis }),
    ...options.nats,
    ...(options.pingMillis === undefined ? {} : { stanPingInterval: options.pingMillis }),
  } satisfies StanOptions);

  let isLost = false;
  const lost = new Promise<Error>((resolve) => {
    stan.once("connection_lost", (error) => {
      isLost = true;
      resolve(toError(error));
    });
  });
  const connected = new Promise<void>((resolve, reject) => {
    stan.once("connect", () => resolve());
    // Stays for the life of the client: an "error" event that nobody listens to would end the test process.
    stan.on("error", (error) => reject(toError(error)));
  });
  stage.defer(() => {
    cutConnection(stan);
  });
  await within(STEP_MILLIS, `client ${clientId} to connect`, connected);

  return {
    clientId,
    untilLost: () => within(STEP_MILLIS, `client ${clientId} to lose its connection`, lost),
    get isLost() {
      return isLost;
    },
    publish: (channel, data) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.from(data);
        stan.publish(channel, bytes, (error, guid) => (isNothing(error) ? resolve(guid) : reject(toError(error))));
      }),
    subscribe: (channel, subscribeOptions = {}) => subscribe(stan, channel, subscribeOptions),
    close: () =>
      within(
        STEP_MILLIS,
        `client ${clientId} to close`,
        new Promise<void>((resolve, reject) => {
          stan.once("close", (error) => (isNothing(error) ? resolve() : reject(toError(error))));
          stan.close();
        }),
      ),
    vanish: () => cutConnection(stan),
  };
}

/** A route may still be on its way: what is asked before it stands is lost. */
const ROUTE_TRIES = 30;

/** Waits until a streaming server that is reached over a route answers clients of the NATS server at this port. */
export async function untilServed(stage: Stage, port: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await (await connectStan(stage, `far-${tries}`, { port, requestMillis: 500 })).close();
    } catch (error) {
      if (tries === ROUTE_TRIES) throw error;
    }
  }
}

async function subscribe(stan: Stan, channel: string, options: SubscribeOptions): Promise<StanSubscription> {
  const requested = subscriptionOptions(stan, options);
  const subscription =
    options.queueGroup === undefined
      ? stan.subscribe(channel, requested)
      : stan.subscribe(channel, options.queueGroup, requested);
  const messages = createMailbox<ReceivedMessage>(`messages of ${channel}`);
  subscription.on("message", (message: Message) => messages.push(toReceived(message)));
  await outcome(subscription, "ready");
  return {
    messages,
    unsubscribe: () => {
      const done = outcome(subscription, "unsubscribed");
      subscription.unsubscribe();
      return done;
    },
    close: () => {
      const done = outcome(subscription, "closed");
      subscription.close();
      return done;
    },
  };
}

/** Settles with the next word of the library on this subscription. */
function outcome(subscription: Subscription, success: string): Promise<void> {
  return within(
    STEP_MILLIS,
    `a subscription to be ${success}`,
    new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown): void => {
        subscription.off(success, succeeded);
        subscription.off("timeout", failed);
        subscription.off("error", failed);
        // Late errors must find a listener.
        subscription.on("error", () => {});
        if (error === undefined) resolve();
        else reject(toError(error));
      };
      const succeeded = (): void => settle();
      const failed = (error: unknown): void => settle(error);
      subscription.once(success, succeeded);
      subscription.once("timeout", failed);
      subscription.once("error", failed);
    }),
  );
}

function subscriptionOptions(stan: Stan, options: SubscribeOptions): SubscriptionOptions {
  const result = stan.subscriptionOptions();
  result.setStartAt(options.startPosition ?? StartPosition.FIRST);
  if (options.startSequence !== undefined) result.setStartAtSequence(options.startSequence);
  if (options.startTimeDeltaMillis !== undefined) result.setStartAtTimeDelta(options.startTimeDeltaMillis);
  if (options.maxInFlight !== undefined) result.setMaxInFlight(options.maxInFlight);
  if (options.ackWaitMillis !== undefined) result.setAckWait(options.ackWaitMillis);
  if (options.durableName !== undefined) result.setDurableName(options.durableName);
  result.setManualAckMode(options.manualAcks ?? false);
  return result;
}

function toReceived(message: Message): ReceivedMessage {
  const data = Buffer.from(message.getRawData());
  return {
    channel: message.getSubject(),
    sequence: message.getSequence(),
    data,
    text: data.toString("utf8"),
    timestamp: message.getTimestamp(),
    redelivered: message.isRedelivered(),
    redeliveryCount: redeliveryCount(message),
    ack: () => message.ack(),
  };
}

/** The library has the method, its type declarations do not. */
function redeliveryCount(message: Message): number {
  const method: unknown = Reflect.get(message, "getRedeliveryCount");
  if (typeof method !== "function") throw new Error("the client library has no getRedeliveryCount");
  return Number(Reflect.apply(method, message, []));
}

/** Cuts the library's NATS connection. It has no call for that: its own `close` leaves the ping timer running. */
function cutConnection(stan: Stan): void {
  const stream = property(property(stan, "nc"), "stream");
  if (stream instanceof Socket) stream.destroy();
}

function property(target: unknown, name: string): unknown {
  return typeof target === "object" && target !== null ? Reflect.get(target, name) : undefined;
}

/** The library says "no error" in three ways. */
function isNothing(error: unknown): boolean {
  return error === undefined || error === null || error === "";
}

/** The library reports errors as Error objects or as bare texts. */
function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
