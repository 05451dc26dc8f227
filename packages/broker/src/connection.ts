import { durationFromMillis, formatDuration, type Timer } from "@nats-streaming/kernel";
import {
  CONNECT_DEFAULTS,
  type ConnectOptions,
  createLineParser,
  decodeConnect,
  decodeInfo,
  describeFault,
  ERROR_TEXT,
  type ErrorText,
  encodeError,
  errorText,
  faultReply,
  type LineHandler,
  type LineParser,
  type MessageFrame,
  NO_RESPONDERS_HEADERS,
  OK_LINE,
  type ParseFault,
  PING_LINE,
  PONG_LINE,
  type SubscribeFrame,
  type UnsubscribeFrame,
} from "@nats-streaming/protocol/nats";
import type { CloseReason } from "./close-reason.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionLog } from "./connection-log.ts";
import { isLiteralRange } from "./literal-range.ts";
import { Liveness } from "./liveness.ts";
import { Outgoing, type OutgoingListener } from "./outgoing.ts";
import type { Route } from "./router.ts";
import type { ConnectionStatistics } from "./statistics.ts";
import { keyOfBytes, textOfKey } from "./subject-key.ts";
import { Subscription } from "./subscription.ts";
import type { TextTopic } from "./topic.ts";
import type { Transport, TransportListener } from "./transport.ts";

/** After its last words a connection is kept so long, for the peer to read them, before it is torn down. */
const LINGER_MILLIS = 1_000;

/** So much of what the peer still sends meanwhile is thrown away, so that its system does not discard those words. */
const LINGER_BYTES_MAX = 1_048_576;

/** How long a publisher waits for a receiver that is far behind, at least and at most. */
const STALL_MILLIS_MIN = 100;
const STALL_MILLIS_MAX = 1_000;

const NO_ROUTE: Route = { values: [], queues: [] };

/**
 * One client: its operations come in, its messages go out.
 *
 *     accepted --CONNECT--> connected --peer gone, fault, limit, shutdown--> closed --socket gone--> (forgotten)
 *         '---- no authorization required: every operation is served as well ----'
 */
export class Connection implements TransportListener, LineHandler, OutgoingListener {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  /** The client's own messages come back to it. */
  echo = true;
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #log: ConnectionLog;
  readonly #parser: LineParser;
  readonly #outgoing: Outgoing;
  readonly #liveness: Liveness;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #startedAt: number;
  #options: ConnectOptions = CONNECT_DEFAULTS;
  #isConnected = false;
  #closed = false;
  /** The three flags that a message is looked at for; kept apart from the options, for speed. */
  #verbose = CONNECT_DEFAULTS.verbose;
  #pedantic = CONNECT_DEFAULTS.pedantic;
  #wantsStatus = false;
  #headers = false;
  /** What was looked up for the subject of the last message: holds for its series, while nobody subscribes. */
  #route: Route = NO_ROUTE;
  #routeSeries = -1;
  #routeVersion = 0;
  #authTimer: Timer | undefined;
  #writeTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #lingerBytes = 0;
  #inMessages = 0;
  #inBytes = 0;
  #outMessages = 0;
  #outBytes = 0;

  constructor(context: ConnectionContext, id: number, transport: Transport) {
    const { limits, clock, random } = context;
    this.#context = context;
    this.id = id;
    this.address = transport.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") ?? "";
    this.port = transport.remotePort ?? 0;
    this.#transport = transport;
    this.#log = new ConnectionLog(context.logger, this.address, this.port, id);
    this.#startedAt = clock.monotonicMillis();
    this.#outgoing = new Outgoing(context.pool, context.turn, transport, this, limits.maxPending);
    this.#parser = createLineParser({
      side: "client",
      handler: this,
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
    this.#log.debug("Client connection created");
  }

  /** Sends the greeting. From now on the client has to keep to the rules. */
  start(info: Uint8Array): void {
    this.#outgoing.writeLine(info);
    if (!this.#context.authenticator.required) return;
    this.#parser.connectRequired = true;
    this.#authTimer = this.#context.clock.setTimer(this.#context.limits.authTimeoutMillis, () => {
      this.#log.debug(ERROR_TEXT.authenticationTimeout);
      this.#close("Authentication Timeout", ERROR_TEXT.authenticationTimeout);
    });
  }

  /** Turns the client away: there are too many. */
  refuse(): void {
    this.#log.error(ERROR_TEXT.connectionsExceeded);
    this.#close("Maximum Connections Exceeded", ERROR_TEXT.connectionsExceeded);
  }

  /** Sends `info` to a client that understands it, then everything that is pending, and closes. */
  shutDown(info: Uint8Array): void {
    if (this.#isConnected && this.#options.protocol >= 1) this.#outgoing.writeLine(info);
    this.#close("Server Shutdown");
  }

  /** Tears the connection down, whatever is pending. */
  destroy(): void {
    this.#transport.destroy();
  }

  bytesRead(bytes: Uint8Array, length: number): boolean {
    if (this.#closed) {
      this.#lingerBytes += length;
      if (this.#lingerBytes > LINGER_BYTES_MAX) this.#transport.destroy();
      return true;
    }
    this.#liveness.heardAt = this.#context.clock.monotonicMillis();
    const fault = this.#parser.feed(bytes, 0, length);
    if (fault !== undefined) this.#fail(fault);
    const pressed = this.#context.turn.pressed;
    if (pressed === undefined) return true;
    this.#context.turn.pressed = undefined;
    if (this.#closed || pressed.fullness <= 0.5) return true;
    this.#stall(pressed);
    return false;
  }

  peerEnded(): void {
    this.#close("Client Closed");
  }

  transportFailed(error: NodeJS.ErrnoException): void {
    const isWrite = error.syscall === "write" || error.code === "EPIPE";
    this.#close(isWrite ? "Write Error" : error.code === "ECONNRESET" ? "Client Closed" : "Read Error");
  }

  transportClosed(): void {
    this.#close("Client Closed");
    this.#lingerTimer?.cancel();
    this.#context.onGone(this);
  }

  onConnect(bytes: Uint8Array, start: number, end: number): void {
    const decoded = decodeConnect(bytes, start, end, this.#options);
    if (decoded.kind === "invalid") {
      this.#log.error(decoded.message);
      this.#close("Protocol Violation");
      return;
    }
    const options = decoded.options;
    const { authenticator } = this.#context;
    if (!authenticator.accepts(options)) {
      this.#log.error(`authentication error${authenticator.describe(options)}`);
      this.#close("Authentication Failure", ERROR_TEXT.authorization);
      return;
    }
    this.#options = options;
    this.#log.setClient(options);
    if (options.protocol < 0 || options.protocol > 1) {
      this.#log.error(ERROR_TEXT.clientProtocol);
      this.#close("Bad Client Protocol Version", ERROR_TEXT.clientProtocol);
      return;
    }
    if (options.no_responders && !options.headers) {
      this.#log.error(ERROR_TEXT.noRespondersNeedHeaders);
      this.#close("No Responders Requires Headers", ERROR_TEXT.noRespondersNeedHeaders);
      return;
    }
    this.#connected(options);
  }

  onMessage(frame: MessageFrame): void {
    const size = frame.payloadEnd - frame.payloadStart;
    const { counters, router, delivery } = this.#context;
    counters.inMessages++;
    counters.inBytes += size;
    this.#inMessages++;
    this.#inBytes += size;
    if (this.#pedantic && !isLiteralRange(frame.bytes, frame.subjectStart, frame.subjectEnd)) {
      this.#outgoing.writeLine(encodeError(ERROR_TEXT.invalidPublishSubject));
    }
    if (this.#log.isTracing) this.#log.traceIn(frame);
    if (this.#verbose) this.#outgoing.writeLine(OK_LINE);
    if (frame.series !== this.#routeSeries || router.version !== this.#routeVersion) {
      this.#route = router.route(frame.bytes, frame.view, frame.subjectStart, frame.subjectEnd);
      this.#routeSeries = frame.series;
      this.#routeVersion = router.version;
    }
    const isDelivered = delivery.relay(this, frame, this.#route);
    if (this.#wantsStatus && !isDelivered && frame.replyEnd > frame.replyStart) this.#reportNoResponders(frame);
  }

  onSubscribe(frame: SubscribeFrame): void {
    const { limits, router } = this.#context;
    const sid = keyOfBytes(frame.bytes, frame.sidStart, frame.sidEnd);
    const subject = keyOfBytes(frame.bytes, frame.subjectStart, frame.subjectEnd);
    const queue = keyOfBytes(frame.bytes, frame.queueStart, frame.queueEnd);
    this.#log.trace(() => `<<- [SUB ${subject}${queue === "" ? "" : ` ${queue}`} ${sid}]`);
    if (limits.maxSubscriptions > 0 && this.#subscriptions.size >= limits.maxSubscriptions) {
      this.#log.error(ERROR_TEXT.subscriptionsExceeded);
      this.#outgoing.writeLine(encodeError(ERROR_TEXT.subscriptionsExceeded));
      return;
    }
    // A second subscription under one number changes nothing, and is no error either.
    if (!this.#subscriptions.has(sid)) {
      const subscription = new Subscription(subject, queue, sid, this, undefined);
      if (!router.add(subscription)) {
        this.#outgoing.writeLine(encodeError(ERROR_TEXT.invalidSubject));
        return;
      }
      this.#subscriptions.set(sid, subscription);
    }
    this.#confirm();
  }

  onUnsubscribe(frame: UnsubscribeFrame): void {
    const sid = keyOfBytes(frame.bytes, frame.sidStart, frame.sidEnd);
    this.#log.trace(() => `<<- [UNSUB ${sid}${frame.max > 0 ? ` ${frame.max}` : ""}]`);
    const subscription = this.#subscriptions.get(sid);
    if (subscription !== undefined) {
      if (frame.max > subscription.delivered) subscription.max = frame.max;
      else this.#endSubscription(subscription);
    }
    this.#confirm();
  }

  onPing(): void {
    this.#log.trace(() => "<<- [PING]");
    this.#outgoing.writeLine(PONG_LINE);
    this.#log.trace(() => "->> [PONG]");
  }

  onPong(): void {
    this.#log.trace(() => "<<- [PONG]");
    this.#liveness.onPong();
  }

  onOk(): void {
    // Nothing was asked that this could be the answer to.
  }

  onError(bytes: Uint8Array, start: number, end: number): void {
    this.#log.error(`Client Error '${errorText(bytes, start, end)}'`);
    this.#close("Parse Error");
  }

  onInfo(bytes: Uint8Array, start: number, end: number): void {
    if (decodeInfo(bytes, start, end) !== undefined) return;
    this.#log.error("INFO arguments are not a JSON object");
    this.#close("Protocol Violation");
  }

  onOverflow(): void {
    this.#slow(`MaxPending of ${this.#context.limits.maxPending} Exceeded`, "Slow Consumer (Pending Bytes)");
  }

  onWriteStarted(): void {
    const { clock, limits } = this.#context;
    const deadline = limits.writeDeadlineMillis;
    this.#writeTimer = clock.setTimer(deadline, () => {
      const { inFlightChunks, inFlightBytes } = this.#outgoing;
      this.#slow(
        `WriteDeadline of ${formatDuration(durationFromMillis(deadline))} exceeded with ${inFlightChunks} chunks of ${inFlightBytes} total bytes.`,
        "Slow Consumer (Write Deadline)",
      );
    });
  }

  onWriteFinished(): void {
    this.#writeTimer?.cancel();
  }

  /** Sends a message that came in by a socket to a subscription of this connection. */
  relay(subscription: Subscription, frame: MessageFrame): void {
    this.#outMessages++;
    this.#outBytes += frame.payloadEnd - frame.payloadStart;
    if (frame.headerSize > 0 && !this.#headers) this.#outgoing.writeWithoutHeaders(subscription, frame);
    else this.#outgoing.writeRelayed(subscription, frame);
    if (this.#log.isTracing) this.#log.traceOut(subscription, frame);
  }

  /** Sends a message of a local bus to a subscription of this connection. */
  deliver(
    subscription: Subscription,
    topic: TextTopic,
    reply: TextTopic | undefined,
    payload: Uint8Array,
    view: DataView,
    start: number,
    end: number,
  ): void {
    this.#outMessages++;
    this.#outBytes += end - start;
    this.#outgoing.writeLocal(subscription, topic, reply, payload, view, start, end);
    if (this.#log.isTracing) this.#log.traceLocalOut(subscription, topic.text, reply?.text ?? "", end - start);
  }

  /** Ends a subscription that has had as many messages as it asked for. */
  limitReached(subscription: Subscription): void {
    this.#log.debug(`Auto-unsubscribe limit of ${subscription.max} reached for sid '${subscription.sid}'`);
    this.#endSubscription(subscription);
  }

  statistics(): ConnectionStatistics {
    const now = this.#context.clock.monotonicMillis();
    return {
      id: this.id,
      address: this.address,
      port: this.port,
      name: this.#options.name,
      language: this.#options.lang,
      version: this.#options.version,
      user: this.#options.user,
      uptimeMillis: now - this.#startedAt,
      idleMillis: now - this.#liveness.heardAt,
      roundTripMillis: this.#liveness.roundTripMillis,
      pendingBytes: this.#outgoing.pendingBytes,
      inMessages: this.#inMessages,
      inBytes: this.#inBytes,
      outMessages: this.#outMessages,
      outBytes: this.#outBytes,
      subscriptions: [...this.#subscriptions.values()].map((subscription) => textOfKey(subscription.subject)),
    };
  }

  #connected(options: ConnectOptions): void {
    this.#verbose = options.verbose;
    this.#pedantic = options.pedantic;
    this.#headers = options.headers;
    this.#wantsStatus = options.no_responders;
    this.echo = options.echo;
    this.#parser.headersAllowed = options.headers;
    this.#parser.connectRequired = false;
    this.#authTimer?.cancel();
    if (!this.#isConnected) this.#liveness.onConnected();
    this.#isConnected = true;
    this.#confirm();
  }

  #confirm(): void {
    if (this.#verbose) this.#outgoing.writeLine(OK_LINE);
  }

  #endSubscription(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.sid);
    this.#context.router.remove(subscription);
    this.#log.trace(() => `<-> [DELSUB ${subscription.sid}]`);
  }

  /** Status 503 to the client's own subscription that would have got the answer. */
  #reportNoResponders(frame: MessageFrame): void {
    const { bytes, replyStart, replyEnd } = frame;
    const route = this.#context.router.route(bytes, frame.view, replyStart, replyEnd);
    const own = route.values.find((subscription) => subscription.connection === this && !subscription.closed);
    if (own !== undefined) this.#outgoing.writeStatus(own, bytes, replyStart, replyEnd, NO_RESPONDERS_HEADERS);
  }

  #ping(): void {
    this.#log.debug("Client Ping Timer");
    this.#outgoing.writeLine(PING_LINE);
  }

  #stale(): void {
    this.#context.counters.staleConnections++;
    this.#log.debug("Stale Client Connection - Closing");
    this.#close("Stale Connection", ERROR_TEXT.staleConnection);
  }

  #slow(what: string, reason: CloseReason): void {
    if (this.#closed) return;
    this.#context.counters.slowConsumers++;
    this.#log.info(`Slow Consumer Detected: ${what}`);
    // Nothing more can be told to a peer that does not read.
    this.#outgoing.discard();
    this.#close(reason);
    this.#transport.destroy();
  }

  /** Reads no more until `receiver` has caught up, or for a while that is the longer the further it is behind. */
  #stall(receiver: Outgoing): void {
    const share = Math.min(1, 2 * receiver.fullness - 1);
    const millis = STALL_MILLIS_MIN + share * (STALL_MILLIS_MAX - STALL_MILLIS_MIN);
    const timer = this.#context.clock.setTimer(millis, () => {
      this.#log.debug(`Timed out of fast producer stall (${Math.round(millis)}ms)`);
      resume();
    });
    const resume = (): void => {
      if (this.#stallTimer !== timer) return;
      timer.cancel();
      this.#stallTimer = undefined;
      if (!this.#transport.destroyed) this.#transport.resume();
    };
    this.#stallTimer = timer;
    receiver.onRelief(resume);
  }

  #fail(fault: ParseFault): void {
    if (fault.kind === "connect_required") {
      this.#log.error(`${describeFault(fault)}${this.#context.authenticator.describe(this.#options)}`);
    } else {
      this.#log.error(describeFault(fault));
    }
    this.#close(reasonOf(fault), faultReply(fault));
  }

  /** Says the last words and lets go. What the peer is owed is still sent, as far as it reads. Idempotent. */
  #close(reason: CloseReason, lastWords?: ErrorText): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parser.stop();
    this.#liveness.stop();
    this.#authTimer?.cancel();
    this.#writeTimer?.cancel();
    this.#stallTimer?.cancel();
    for (const subscription of this.#subscriptions.values()) this.#context.router.remove(subscription);
    this.#subscriptions.clear();
    this.#route = NO_ROUTE;
    this.#context.onClosed(this);
    if (lastWords !== undefined) {
      this.#log.trace(() => `->> [-ERR ${lastWords}]`);
      this.#outgoing.writeLine(encodeError(lastWords));
    }
    this.#outgoing.finish();
    this.#log.debug(`Client connection closed: ${reason}`);
    if (this.#transport.destroyed) return;
    this.#transport.end();
    this.#transport.resume();
    this.#lingerTimer = this.#context.clock.setTimer(LINGER_MILLIS, () => this.#transport.destroy());
  }
}

function reasonOf(fault: ParseFault): CloseReason {
  switch (fault.kind) {
    case "connect_required":
      return "Authentication Failure";
    case "control_line_exceeded":
      return "Maximum Control Line Exceeded";
    case "payload_exceeded":
      return "Maximum Message Payload Exceeded";
    case "unknown_operation":
    case "bad_arguments":
    case "headers_not_supported":
      return "Protocol Violation";
  }
}
