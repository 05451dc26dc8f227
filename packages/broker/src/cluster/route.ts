import type { Timer } from "@nats-streaming/kernel";
import {
  createLineParser,
  describeFault,
  ERROR_TEXT,
  encodeError,
  faultReply,
  type LineParser,
  type MessageFrame,
  type ParseFault,
  PING_LINE,
  type RouteInfo,
} from "@nats-streaming/protocol/nats";
import { type CloseReason, reasonOfFailure, reasonOfFault } from "../close-reason.ts";
import { ConnectionLog } from "../connection-log.ts";
import { Link } from "../link.ts";
import { Liveness } from "../liveness.ts";
import type { RouteStatistics } from "../statistics.ts";
import { textOfKey } from "../subject-key.ts";
import type { KeyTopic } from "../topic.ts";
import { peerAddress, type Transport, type TransportListener } from "../transport.ts";
import type { Dialer } from "./dialer.ts";
import { RemoteInterest } from "./remote-interest.ts";
import type { RouteContext } from "./route-context.ts";
import { writeRouted, writeRoutedLocal } from "./route-message-writer.ts";
import { RouteOperations } from "./route-operations.ts";

/** So much more may wait for another server than for a client: all the interest of this one goes out at once. */
const PENDING_FACTOR = 4;

/** Another server is pinged at least so often: what is sent to one that is gone is lost. */
const PING_MILLIS_MAX = 30_000;

/** A message between servers may be larger than one from a client here, for the other may allow more; but not without bound. */
const PAYLOAD_MAX = 64 * 1_048_576;

/** A route that gives way to another one still takes in for so long what is on its way. */
const RETIRED_MILLIS = 2_000;

/**
 * One connection between this server and another.
 *
 *     accepted ----INFO out, CONNECT in----> informing --INFO in--> standby --> active --> closed
 *     solicited ----------------------------> informing                 '--another one stays--'
 *
 * On standby, interest and messages are taken in as well, for the other server may use this route already; what goes out to
 * it goes by the active one.
 */
export class Route implements TransportListener {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly log: ConnectionLog;
  /** Who has opened it, on this side. */
  readonly dialer: Dialer | undefined;
  readonly interest: RemoteInterest;
  /** What the other server has said of itself. */
  info: RouteInfo | undefined;
  state: "connecting" | "informing" | "standby" | "active" | "closed";
  readonly #context: RouteContext;
  readonly #transport: Transport;
  readonly #link: Link;
  readonly #operations: RouteOperations;
  readonly #parser: LineParser;
  readonly #liveness: Liveness;
  readonly #startedAt: number;
  #timer: Timer | undefined;
  #isRetired = false;
  #isHeld = false;
  #outMessages = 0;
  #outBytes = 0;

  constructor(context: RouteContext, id: number, transport: Transport, dialer: Dialer | undefined) {
    const { limits, clock, random } = context;
    const { address, port } = peerAddress(transport);
    this.id = id;
    this.address = address;
    this.port = port;
    this.dialer = dialer;
    this.state = dialer === undefined ? "connecting" : "informing";
    this.log = new ConnectionLog(context.logger, address, port, `rid:${id}`);
    this.#context = context;
    this.#transport = transport;
    this.#startedAt = clock.monotonicMillis();
    this.#link = new Link({
      clock,
      pool: context.pool,
      turn: context.turn,
      transport,
      maxPending: limits.maxPending * PENDING_FACTOR,
      writeDeadlineMillis: limits.writeDeadlineMillis,
      onSlow: (what, reason) => {
        context.counters.slowConsumers++;
        this.log.info(`Slow Consumer Detected: ${what}`);
        this.close(reason);
      },
    });
    this.interest = new RemoteInterest(context.router, this);
    this.#operations = new RouteOperations(context, this);
    this.#parser = createLineParser({
      side: "route",
      handler: this.#operations,
      maxControlLine: context.lineMax,
      maxPayload: PAYLOAD_MAX,
    });
    this.#liveness = new Liveness({
      clock,
      random,
      intervalMillis: Math.min(limits.pingIntervalMillis, PING_MILLIS_MAX),
      unansweredMax: limits.pingMax,
      sendPing: () => this.send(PING_LINE),
      onStale: () => {
        context.counters.staleConnections++;
        this.close("Stale Connection", ERROR_TEXT.staleConnection);
      },
    });
    this.log.info("Route connection created");
  }

  /** This server has opened it. */
  get isSolicited(): boolean {
    return this.dialer !== undefined;
  }

  /** Identity of the other server; empty before it is known. */
  get remoteId(): string {
    return this.info?.server_id ?? "";
  }

  get isClosed(): boolean {
    return this.state === "closed";
  }

  /** When anything was last read, on the monotonic clock. */
  get heardAt(): number {
    return this.#liveness.heardAt;
  }

  /** Begins to speak; the other server has to introduce itself in time. */
  start(): void {
    const { clock, settings } = this.#context;
    if (this.state === "connecting") {
      this.#parser.connectRequired = true;
      this.send(this.#context.info());
    }
    this.#timer = clock.setTimer(settings.authTimeoutMillis, () => {
      this.log.error(ERROR_TEXT.authenticationTimeout);
      this.close("Authentication Timeout", ERROR_TEXT.authenticationTimeout);
    });
  }

  /** Reads no more until {@link release}. */
  hold(): void {
    this.#isHeld = true;
    this.#parser.hold();
  }

  release(): void {
    this.#isHeld = false;
    if (this.isClosed) return;
    const fault = this.#parser.release();
    if (fault !== undefined) this.#fail(fault);
    this.#transport.resume();
  }

  /** The other server has said `CONNECT` and may go on. */
  connected(): void {
    this.#parser.connectRequired = false;
    this.state = "informing";
  }

  /** The other server is known. */
  introduced(info: RouteInfo): void {
    this.info = info;
    this.state = "standby";
    this.#timer?.cancel();
    this.#liveness.onConnected();
  }

  /** From now on messages go out here, and the other server's interest counts. */
  activate(): void {
    this.state = "active";
    this.interest.enforce();
    this.log.debug(`Registering remote route "${this.remoteId}"`);
    for (const line of this.#context.interestLines()) this.send(line);
    // The answer says that the other server has taken all this in, and has said what it listens to itself.
    this.send(PING_LINE);
  }

  send(bytes: Uint8Array): void {
    this.#link.outgoing.append(bytes);
  }

  /** Sends a message of a client. @param queues names of queue groups, each behind a blank. */
  relay(frame: MessageFrame, queues: string): void {
    this.#outMessages++;
    this.#outBytes += frame.payloadEnd - frame.payloadStart;
    writeRouted(this.#link.outgoing, frame, queues, this.info?.headers ?? false);
  }

  /** Sends a message of a local bus. */
  deliver(
    topic: KeyTopic,
    reply: KeyTopic | undefined,
    queues: string,
    payload: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    this.#outMessages++;
    this.#outBytes += end - start;
    writeRoutedLocal(this.#link.outgoing, topic, reply, queues, payload, view, start, end);
  }

  pongReceived(): void {
    this.#liveness.onPong();
    if (this.state === "active") this.#context.onSettled(this);
  }

  /** Says the last words and lets go. Idempotent. */
  close(reason: CloseReason, lastWords?: string, lingerMillis?: number): void {
    if (!this.#end(reason)) return;
    this.#parser.stop();
    this.#link.close(lastWords === undefined ? undefined : encodeError(lastWords), lingerMillis);
  }

  /** Gives way to another route to the same server: sends nothing more, but takes in what is still on its way. */
  retire(): void {
    this.#isRetired = true;
    if (this.#end("Duplicate Route")) this.#link.close(undefined, RETIRED_MILLIS);
  }

  destroy(): void {
    this.close("Server Shutdown");
    this.#link.destroy();
  }

  bytesRead(bytes: Uint8Array, length: number): boolean {
    if (this.isClosed && !this.#isRetired) {
      this.#link.ignore(length);
      return true;
    }
    this.#liveness.heardAt = this.#context.clock.monotonicMillis();
    const fault = this.#parser.feed(bytes, 0, length);
    if (fault !== undefined) this.#fail(fault);
    return !this.#isHeld;
  }

  peerEnded(): void {
    this.close("Client Closed");
  }

  transportFailed(error: NodeJS.ErrnoException): void {
    this.close(reasonOfFailure(error));
  }

  transportClosed(): void {
    this.close("Client Closed");
    this.#parser.stop();
    this.#link.gone();
    this.#context.onGone(this);
  }

  statistics(): RouteStatistics {
    const now = this.#context.clock.monotonicMillis();
    return {
      id: this.id,
      remoteId: this.remoteId,
      remoteName: this.info?.server_name ?? "",
      isSolicited: this.isSolicited,
      isConfigured: this.dialer?.isExplicit ?? false,
      address: this.address,
      port: this.port,
      uptimeMillis: now - this.#startedAt,
      idleMillis: now - this.#liveness.heardAt,
      roundTripMillis: this.#liveness.roundTripMillis,
      pendingBytes: this.#link.outgoing.pendingBytes,
      inMessages: this.#operations.inMessages,
      inBytes: this.#operations.inBytes,
      outMessages: this.#outMessages,
      outBytes: this.#outBytes,
      subscriptionCount: this.interest.count,
      subscriptions: () => this.interest.subjects.map(textOfKey),
    };
  }

  /** What ends first, however it ends. False when it did before. */
  #end(reason: CloseReason): boolean {
    if (this.isClosed) return false;
    this.state = "closed";
    this.#liveness.stop();
    this.#timer?.cancel();
    this.interest.end();
    this.log.info(`Router connection closed: ${reason}`);
    this.#context.onClosed(this);
    return true;
  }

  #fail(fault: ParseFault): void {
    this.log.error(describeFault(fault));
    this.close(reasonOfFault(fault), faultReply(fault));
  }
}
