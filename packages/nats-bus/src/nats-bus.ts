import {
  type Bus,
  BusError,
  type BusHandler,
  type BusReply,
  type BusStatus,
  type BusSubscribeOptions,
  type BusSubscription,
  type Clock,
  type Logger,
} from "@nats-streaming/kernel";
import { createInbox, type Subscription } from "nats";
import { type Client, type ClientEvent, openClient, type RawMessage } from "./client.ts";
import { IncomingMessage } from "./incoming.ts";
import type { NatsBusOptions } from "./options.ts";
import { checkSubscription, createOutgoing, type Outgoing } from "./outgoing.ts";
import { createRequests, type Requests } from "./requests.ts";
import { parseServers } from "./servers.ts";

/**
 * Bytes that may wait for a NATS server that reads too slowly; as much as such a server itself holds for a client. Beyond,
 * the line is dropped and made anew: what waits would arrive far too late anyway, and redelivery covers it.
 */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/** What a close may take to get the last messages to the server. */
const CLOSE_FLUSH_MILLIS = 2_000;

/** The status by which a NATS server says that nobody listens. */
const NO_RESPONDERS = 503;

/**
 * Connects to a NATS server or cluster, and stays connected: a lost connection is made again for ever, one attempt every
 * 250 ms, with all subscriptions.
 * @throws BusError `connect_failed` when no server can be reached, or none accepts the credentials
 * @see protocol.md 2
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const servers = parseServers(options.servers);
  const client = await openClient(options, servers);
  return new NatsBus(client, options, servers.user !== undefined || servers.token !== undefined);
}

class NatsBus implements Bus {
  readonly #client: Client;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onHandlerError: (error: unknown) => void;
  readonly #urlHoldsCredentials: boolean;
  readonly #outgoing: Outgoing;
  readonly #requests: Requests;
  readonly #message: IncomingMessage = new IncomingMessage();
  readonly #topologyListeners: (() => void)[] = [];
  readonly #statusListeners: ((status: BusStatus) => void)[] = [];
  #state: BusStatus["kind"] = "connected";
  #maxPayload = 0;
  #url = "";
  #closing: Promise<void> | undefined;
  /** Flushes under way: how to end them. */
  readonly #flushes: Set<() => void> = new Set();

  constructor(client: Client, options: NatsBusOptions, urlHoldsCredentials: boolean) {
    this.#client = client;
    this.#name = options.name;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onHandlerError = options.onHandlerError ?? throwOutside;
    this.#urlHoldsCredentials = urlHoldsCredentials;
    this.#outgoing = createOutgoing((piece) => this.#send(piece));
    this.#readServerInfo();

    const inbox = `${createInbox()}.`;
    this.#requests = createRequests(inbox, options.clock);
    this.#listen(`${inbox}*`, undefined, (raw) => {
      this.#message.show(raw);
      const noResponders = this.#message.start === this.#message.end && raw.headers?.code === NO_RESPONDERS;
      this.#requests.receive(this.#message, noResponders);
    });
    client.onEvent((event) => this.#onEvent(event));
    void client.connection.closed().then((error) => this.#closed(error instanceof Error ? error.message : undefined));
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  get url(): string {
    return this.#url;
  }

  subscribe(subject: string, handler: BusHandler, options: BusSubscribeOptions = {}): BusSubscription {
    if (this.#state === "closed") throw this.#refusal();
    checkSubscription(subject, options.queue ?? "");
    const message = this.#message;
    let active = true;
    const subscription = this.#listen(subject, options.queue, (raw) => {
      if (!active) return;
      message.show(raw);
      handler(message);
    });
    return {
      subject,
      unsubscribe: (): void => {
        if (!active) return;
        active = false;
        if (this.#state === "closed") return;
        // Messages published before it reach the server before it.
        this.#outgoing.flush();
        subscription.unsubscribe();
      },
    };
  }

  publish(subject: string, bytes: Uint8Array, reply = "", start = 0, end: number = bytes.length): void {
    if (this.#state !== "connected") throw this.#refusal();
    if (end - start > this.#maxPayload) {
      throw new BusError("max_payload", `payload of ${end - start} bytes is over the limit of ${this.#maxPayload}`);
    }
    this.#outgoing.publish(subject, reply, bytes, start, end);
  }

  request(subject: string, payload: Uint8Array, timeoutMillis: number): Promise<BusReply> {
    return this.#requests.start(timeoutMillis, (inbox) => this.publish(subject, payload, inbox));
  }

  flush(): Promise<void> {
    if (this.#state !== "connected") return Promise.reject(this.#refusal());
    this.#outgoing.flush();
    return new Promise((resolve, reject) => {
      // The client settles a flush late when the connection is lost, and not at all when it is closed.
      const fail = (): void => {
        this.#flushes.delete(fail);
        reject(this.#refusal());
      };
      this.#flushes.add(fail);
      const done = (): void => {
        this.#flushes.delete(fail);
        resolve();
      };
      this.#client.connection.flush().then(done, fail);
    });
  }

  onTopologyChange(listener: () => void): void {
    this.#topologyListeners.push(listener);
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state === "connected") {
      const flushed = this.flush().catch(() => {});
      const late = new Promise<void>((resolve) => {
        const timer = this.#clock.setTimer(CLOSE_FLUSH_MILLIS, resolve);
        void flushed.then(() => timer.cancel());
      });
      await Promise.race([flushed, late]);
    }
    this.#closed();
    await this.#client.connection.close();
  }

  /**
   * Hands composed messages to the client, or lets them fall when the connection was lost since they were published: the
   * client would keep them for later. No more than a turn's messages are ever concerned, since they do not gather longer.
   */
  #send(piece: Uint8Array): void {
    if (this.#state !== "connected") return;
    this.#client.send(piece);
    if (this.#client.waitingBytes > WAITING_BYTES_MAX) {
      this.#logger.error(
        `connection "${this.#name}" does not take what is sent: ${WAITING_BYTES_MAX} bytes wait, connecting anew`,
      );
      this.#client.breakConnection();
    }
  }

  #listen(subject: string, queue: string | undefined, receive: (raw: RawMessage) => void): Subscription {
    this.#outgoing.flush();
    // The client writes UTF-8; what comes back from it to the server are the bytes of the byte string again.
    return this.#client.connection.subscribe(Buffer.from(subject, "latin1").toString("utf8"), {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error !== null) {
          this.#asynchronousError(subject, error.message);
          return;
        }
        try {
          receive(message as unknown as RawMessage);
        } catch (thrown) {
          // Thrown into the client's parser, it would silence the connection for good.
          this.#onHandlerError(thrown);
        }
      },
    });
  }

  #onEvent(event: ClientEvent): void {
    switch (event.type) {
      case "disconnect":
        this.#disconnected();
        break;
      case "reconnect":
        this.#reconnected();
        break;
      case "update":
        if (addsServers(event.data)) this.#topologyChanged();
        break;
      case "error":
        // One about a subscription comes to its callback as well.
        if (event.permissionContext?.operation !== "subscription") {
          this.#asynchronousError(event.permissionContext?.subject ?? "", String(event.data));
        }
        break;
    }
  }

  #disconnected(): void {
    if (this.#state !== "connected") return;
    this.#state = "disconnected";
    const reason = this.#client.lossReason();
    this.#logger.error(`connection "${this.#name}" has been disconnected: ${reason}`);
    this.#endWaiting();
    this.#emit({ kind: "disconnected", reason });
  }

  #reconnected(): void {
    if (this.#state !== "disconnected") return;
    this.#state = "connected";
    this.#readServerInfo();
    const shown = this.#urlHoldsCredentials ? this.#url.replace("://", "://[REDACTED]@") : this.#url;
    this.#logger.info(`connection "${this.#name}" reconnected to NATS Server at "${shown}"`);
    this.#emit({ kind: "connected", url: this.#url });
    this.#topologyChanged();
  }

  #closed(reason?: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    if (reason === undefined) this.#logger.debug(`connection "${this.#name}" has been closed`);
    else this.#logger.error(`connection "${this.#name}" has been closed: ${reason}`);
    this.#endWaiting();
    this.#emit({ kind: "closed" });
  }

  #endWaiting(): void {
    this.#requests.failAll(this.#refusal().message);
    for (const fail of [...this.#flushes]) fail();
  }

  /** What the present state allows nobody to do. */
  #refusal(): BusError {
    const code = this.#state === "closed" ? "closed" : "disconnected";
    return new BusError(code, `bus is ${code}`);
  }

  #readServerInfo(): void {
    const { connection } = this.#client;
    const { info } = connection;
    if (info === undefined) return;
    this.#maxPayload = info.max_payload;
    this.#url = `nats://${connection.getServer()}`;
  }

  #asynchronousError(subject: string, reason: string): void {
    this.#logger.error(`Asynchronous error on connection ${this.#name}, subject ${subject}: ${reason}`);
  }

  #topologyChanged(): void {
    for (const listener of this.#topologyListeners) listener();
  }

  #emit(status: BusStatus): void {
    for (const listener of this.#statusListeners) listener(status);
  }
}

function addsServers(data: unknown): boolean {
  const added = (data as { readonly added?: readonly string[] } | undefined)?.added;
  return added !== undefined && added.length > 0;
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
