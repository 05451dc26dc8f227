import { durationFromMillis, formatDuration, type Timer } from "@nats-streaming/kernel";
import {
  type ConnectOptions,
  createLineParser,
  describeFault,
  ERROR_TEXT,
  type ErrorText,
  encodeError,
  faultReply,
  type LineParser,
  type MessageFrame,
  type ParseFault,
  PING_LINE,
} from "@nats-streaming/protocol/nats";
import { ClientOperations } from "./client-operations.ts";
import { type CloseReason, reasonOfFault } from "./close-reason.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionLog } from "./connection-log.ts";
import { Liveness } from "./liveness.ts";
import { writeLocal, writeRelayed, writeWithoutHeaders } from "./message-writer.ts";
import { FAR_BEHIND, Outgoing, type OutgoingListener } from "./outgoing.ts";
import { stallMillis } from "./stall.ts";
import type { ConnectionStatistics } from "./statistics.ts";
import { textOfKey } from "./subject-key.ts";
import type { Subscription } from "./subscription.ts";
import type { KeyTopic } from "./topic.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** After its last words a connection is kept so long, for the peer to read them, before it is torn down. */
const LINGER_MILLIS = 1_000;

/** So much of what the peer still sends meanwhile is thrown away, so that its system does not discard those words. */
const LINGER_BYTES_MAX = 1_048_576;

/**
 * One client's connection: bytes come in, messages go out, until one side ends it.
 *
 *     accepted --CONNECT--> connected --peer gone, fault, limit, shutdown--> closed --socket gone--> (forgotten)
 *         '---- no authorization required: every operation is served as well ----'
 */
export class Connection implements TransportListener, OutgoingListener {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly outgoing: Outgoing;
  readonly log: ConnectionLog;
  /** The client's own messages come back to it. */
  echo = true;
  /** The client understands headers. */
  headers = false;
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #operations: ClientOperations;
  readonly #parser: LineParser;
  readonly #liveness: Liveness;
  readonly #startedAt: number;
  #isConnected = false;
  #isClosed = false;
  #authTimer: Timer | undefined;
  #writeTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #lingerBytes = 0;
  #outMessages = 0;
  #outBytes = 0;

  constructor(context: ConnectionContext, id: number, transport: Transport) {
    const { limits, clock, random } = context;
    this.id = id;
    this.address = transport.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") ?? "";
    this.port = transport.remotePort ?? 0;
    this.log = new ConnectionLog(context.logger, this.address, this.port, id);
    this.outgoing = new Outgoing(context.pool, context.turn, transport, this, limits.maxPending);
    this.#context = context;
    this.#transport = transport;
    this.#startedAt = clock.monotonicMillis();
    this.#operations = new ClientOperations(context, this);
    this.#parser = createLineParser({
      side: "client",
      handler: this.#operations,
      maxControlLine: limits.maxControlLine,
      maxPayload: limits.maxPayload,
    });
    this.#liveness = new Liveness({
      clock,
      random,
      intervalMillis: limits.pingIntervalMillis,
      unansweredMax: limits.pingMax,
      sendPing: () => this.#ping(),
      onStale: () => this.#stale(),
    });
    this.log.debug("Client connection created");
  }

  /** Sends the greeting. From now on the client has to keep to the rules. */
  start(info: Uint8Array): void {
    this.outgoing.append(info);
    if (!this.#context.authenticator.required) return;
    this.#parser.connectRequired = true;
    this.#authTimer = this.#context.clock.setTimer(this.#context.limits.authTimeoutMillis, () => {
      this.log.debug(ERROR_TEXT.authenticationTimeout);
      this.close("Authentication Timeout", ERROR_TEXT.authenticationTimeout);
    });
  }

  /** Turns the client away: there are too many. */
  refuse(): void {
    this.log.error(ERROR_TEXT.connectionsExceeded);
    this.close("Maximum Connections Exceeded", ERROR_TEXT.connectionsExceeded);
  }

  /** Sends `info` to a client that understands it, then everything that is pending, and closes. */
  shutDown(info: Uint8Array): void {
    if (this.#isConnected && this.#operations.options.protocol >= 1) this.outgoing.append(info);
    this.close("Server Shutdown", undefined, this.#context.limits.drainMillis);
  }

  /** Tears the connection down, whatever is pending. */
  destroy(): void {
    this.#transport.destroy();
  }

  /**
   * Says the last words and lets go. What the peer is owed is still sent, as far as it reads within `lingerMillis`.
   * Idempotent.
   */
  close(reason: CloseReason, lastWords?: ErrorText, lingerMillis: number = LINGER_MILLIS): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parser.stop();
    this.#liveness.stop();
    this.#authTimer?.cancel();
    this.#writeTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#operations.end();
    this.#context.onClosed(this);
    if (lastWords !== undefined) {
      this.log.trace(() => `->> [-ERR ${lastWords}]`);
      this.outgoing.append(encodeError(lastWords));
    }
    this.outgoing.finish();
    this.log.debug(`Client connection closed: ${reason}`);
    if (this.#transport.destroyed) return;
    this.#transport.end();
    this.#transport.resume();
    this.#lingerTimer = this.#context.clock.setTimer(lingerMillis, () => this.#transport.destroy());
  }

  /** The client has introduced itself in a way that is accepted. */
  connected(options: ConnectOptions): void {
    this.echo = options.echo;
    this.headers = options.headers;
    this.#parser.headersAllowed = options.headers;
    this.#parser.connectRequired = false;
    this.#authTimer?.cancel();
    if (!this.#isConnected) this.#liveness.onConnected();
    this.#isConnected = true;
  }

  /** The client has answered a ping. */
  pongReceived(): void {
    this.#liveness.onPong();
  }

  /** Sends a message that came in by a socket to a subscription of this connection. */
  relay(subscription: Subscription, frame: MessageFrame): void {
    this.#outMessages++;
    this.#outBytes += frame.payloadEnd - frame.payloadStart;
    if (frame.headerSize > 0 && !this.headers) writeWithoutHeaders(this.outgoing, subscription, frame);
    else writeRelayed(this.outgoing, subscription, frame);
    if (this.log.isTracing) this.log.traceOut(subscription, frame);
  }

  /** Sends a message of a local bus to a subscription of this connection. */
  deliver(
    subscription: Subscription,
    topic: KeyTopic,
    reply: KeyTopic | undefined,
    payload: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    this.#outMessages++;
    this.#outBytes += end - start;
    writeLocal(this.outgoing, subscription, topic, reply, payload, view, start, end);
    if (this.log.isTracing) this.log.traceLocalOut(subscription, topic.key, reply?.key ?? "", end - start);
  }

  /** Ends a subscription that has had as many messages as it asked for. */
  limitReached(subscription: Subscription): void {
    this.#operations.limitReached(subscription);
  }

  bytesRead(bytes: Uint8Array, length: number): boolean {
    if (this.#isClosed) {
      this.#lingerBytes += length;
      if (this.#lingerBytes > LINGER_BYTES_MAX) this.#transport.destroy();
      return true;
    }
    const { clock, turn } = this.#context;
    this.#liveness.heardAt = clock.monotonicMillis();
    turn.takePressed();
    const fault = this.#parser.feed(bytes, 0, length);
    if (fault !== undefined) this.#fail(fault);
    const pressed = turn.takePressed();
    if (pressed === undefined || this.#isClosed || pressed.fullness <= FAR_BEHIND) return true;
    this.#stall(pressed);
    return false;
  }

  peerEnded(): void {
    this.close("Client Closed");
  }

  transportFailed(error: NodeJS.ErrnoException): void {
    const isWrite = error.syscall === "write" || error.code === "EPIPE";
    this.close(isWrite ? "Write Error" : error.code === "ECONNRESET" ? "Client Closed" : "Read Error");
  }

  transportClosed(): void {
    this.close("Client Closed");
    this.#lingerTimer?.cancel();
    this.#context.onGone(this);
  }

  onOverflow(): void {
    this.#slow(`MaxPending of ${this.#context.limits.maxPending} Exceeded`, "Slow Consumer (Pending Bytes)");
  }

  onWriteStarted(): void {
    const { clock, limits } = this.#context;
    const deadline = formatDuration(durationFromMillis(limits.writeDeadlineMillis));
    this.#writeTimer = clock.setTimer(limits.writeDeadlineMillis, () => {
      const { inFlightChunks, inFlightBytes } = this.outgoing;
      this.#slow(
        `WriteDeadline of ${deadline} exceeded with ${inFlightChunks} chunks of ${inFlightBytes} total bytes.`,
        "Slow Consumer (Write Deadline)",
      );
    });
  }

  onWriteFinished(): void {
    this.#writeTimer?.cancel();
  }

  statistics(): ConnectionStatistics {
    const now = this.#context.clock.monotonicMillis();
    const { options, inMessages, inBytes, subjects } = this.#operations;
    return {
      id: this.id,
      address: this.address,
      port: this.port,
      name: options.name,
      language: options.lang,
      version: options.version,
      user: options.user,
      uptimeMillis: now - this.#startedAt,
      idleMillis: now - this.#liveness.heardAt,
      roundTripMillis: this.#liveness.roundTripMillis,
      pendingBytes: this.outgoing.pendingBytes,
      inMessages,
      inBytes,
      outMessages: this.#outMessages,
      outBytes: this.#outBytes,
      subscriptions: subjects.map(textOfKey),
    };
  }

  #ping(): void {
    this.log.debug("Client Ping Timer");
    this.outgoing.append(PING_LINE);
  }

  #stale(): void {
    this.#context.counters.staleConnections++;
    this.log.debug("Stale Client Connection - Closing");
    this.close("Stale Connection", ERROR_TEXT.staleConnection);
  }

  #slow(what: string, reason: CloseReason): void {
    if (this.#isClosed) return;
    this.#context.counters.slowConsumers++;
    this.log.info(`Slow Consumer Detected: ${what}`);
    // Nothing more can be told to a peer that does not read.
    this.outgoing.discard();
    this.close(reason);
    this.#transport.destroy();
  }

  #fail(fault: ParseFault): void {
    const who = fault.kind === "connect_required" ? this.#context.authenticator.describe(this.#operations.options) : "";
    this.log.error(describeFault(fault) + who);
    this.close(reasonOfFault(fault), faultReply(fault));
  }

  /** Reads no more until `receiver` has caught up, or for a while that is the longer the further it is behind. */
  #stall(receiver: Outgoing): void {
    const millis = stallMillis(receiver.fullness);
    const resume = (): void => {
      if (this.#stallTimer !== timer) return;
      timer.cancel();
      this.#stallTimer = undefined;
      if (!this.#transport.destroyed) this.#transport.resume();
    };
    const timer = this.#context.clock.setTimer(millis, () => {
      this.log.debug(`Timed out of fast producer stall (${millis}ms)`);
      resume();
    });
    this.#stallTimer = timer;
    receiver.onRelief(resume);
  }
}
