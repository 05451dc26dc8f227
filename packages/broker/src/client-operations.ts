import {
  CONNECT_DEFAULTS,
  type ConnectOptions,
  decodeConnect,
  decodeInfo,
  describeFault,
  ERROR_TEXT,
  type ErrorText,
  encodeError,
  errorText,
  type LineHandler,
  type MessageFrame,
  NO_RESPONDERS_HEADERS,
  OK_LINE,
  PONG_LINE,
  type SubscribeFrame,
  type UnsubscribeFrame,
} from "@nats-streaming/protocol/nats";
import type { Authenticator, Login, Verdict } from "./authorization.ts";
import type { CloseReason } from "./close-reason.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { isLiteralRange } from "./literal-range.ts";
import { writeStatus } from "./message-writer.ts";
import { NO_RECEIVERS, type Receivers } from "./receivers.ts";
import { keyOfBytes } from "./subject-key.ts";
import { Subscription } from "./subscription.ts";

/** What one client asks for, operation by operation. */
export class ClientOperations implements LineHandler {
  /** What the client has said of itself; the defaults before it has. */
  options: ConnectOptions = CONNECT_DEFAULTS;
  inMessages = 0;
  inBytes = 0;
  readonly #context: ConnectionContext;
  readonly #connection: Connection;
  readonly #subscriptions = new Map<string, Subscription>();
  /** What each message is looked at for; kept apart from the options, for speed. */
  #isVerbose = CONNECT_DEFAULTS.verbose;
  #isPedantic = CONNECT_DEFAULTS.pedantic;
  #wantsStatus = false;
  /** What was looked up for the subject of the last message: holds for its series, while nobody subscribes. */
  #receivers: Receivers = NO_RECEIVERS;
  #receiversSeries = -1;
  #receiversVersion = 0;
  /** What was looked up for that subject: not to be published to, unless as an answer. */
  #isForbidden = false;

  constructor(context: ConnectionContext, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
  }

  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** In the order in which the client subscribed. */
  get subscriptions(): Iterable<Subscription> {
    return this.#subscriptions.values();
  }

  /** Something other than `CONNECT` has been asked for and holds. */
  get isInUse(): boolean {
    return this.#subscriptions.size > 0 || this.inMessages > 0;
  }

  onConnect(bytes: Uint8Array, start: number, end: number): void {
    const { log } = this.#connection;
    const decoded = decodeConnect(bytes, start, end, this.options);
    if (decoded.kind === "invalid") {
      log.error(decoded.message);
      this.#connection.close("Protocol Violation");
      return;
    }
    const options = decoded.options;
    const { nonce, certificateNames } = this.#connection;
    const login = { options, nonce, certificateNames };
    const { authenticator } = this.#context;
    const decision = authenticator.decide(login);
    if (!(decision instanceof Promise)) {
      this.#decided(options, decision);
      return;
    }
    this.#connection.hold();
    void this.#verdict(login, authenticator, decision).then((verdict) => {
      if (this.#connection.isClosed) return;
      this.#decided(options, verdict);
      this.#connection.release();
    });
  }

  /** What a decision that takes time comes to: another one, when meanwhile other users were configured. */
  async #verdict(login: Login, asked: Authenticator, decision: Promise<Verdict>): Promise<Verdict> {
    let authenticator = asked;
    let verdict = await decision;
    while (authenticator !== this.#context.authenticator) {
      authenticator = this.#context.authenticator;
      verdict = await authenticator.decide(login);
    }
    return verdict;
  }

  #decided(options: ConnectOptions, verdict: Verdict): void {
    const { log } = this.#connection;
    if (verdict.kind === "refused") {
      log.error(`authentication error${this.#context.authenticator.describe(options)}`);
      this.#connection.close("Authentication Failure", ERROR_TEXT.authorization);
      return;
    }
    this.options = options;
    log.setClient(options);
    log.trace(() => `<<- [CONNECT ${JSON.stringify(withoutSecrets(options))}]`);
    if (options.protocol < 0 || options.protocol > 1) {
      this.#refuse("Bad Client Protocol Version", ERROR_TEXT.clientProtocol);
    } else if (options.no_responders && !options.headers) {
      this.#refuse("No Responders Requires Headers", ERROR_TEXT.noRespondersNeedHeaders);
    } else {
      this.#isVerbose = options.verbose;
      this.#isPedantic = options.pedantic;
      this.#wantsStatus = options.no_responders;
      this.#connection.connected(options, verdict);
      this.#receiversSeries = -1;
      this.#confirm();
    }
  }

  onMessage(frame: MessageFrame): void {
    const size = frame.payloadEnd - frame.payloadStart;
    const { counters, router, delivery, limits } = this.#context;
    if (size > limits.maxPayload) {
      // The parser keeps to the limit that held when the client came.
      this.#connection.log.error(describeFault({ kind: "payload_exceeded", size, max: limits.maxPayload }));
      this.#connection.close("Maximum Message Payload Exceeded", ERROR_TEXT.payload);
      return;
    }
    counters.inMessages++;
    counters.inBytes += size;
    this.inMessages++;
    this.inBytes += size;
    if (this.#isPedantic && !isLiteralRange(frame.bytes, frame.subjectStart, frame.subjectEnd)) {
      this.#connection.outgoing.append(encodeError(ERROR_TEXT.invalidPublishSubject));
    }
    if (this.#connection.log.isTracing) this.#connection.log.traceIn(frame);
    if (frame.series !== this.#receiversSeries || router.version !== this.#receiversVersion) {
      this.#receivers = router.receivers(frame.bytes, frame.view, frame.subjectStart, frame.subjectEnd);
      this.#receiversSeries = frame.series;
      this.#receiversVersion = router.version;
      this.#isForbidden = this.#connection.access.forbids(frame);
    }
    if (this.#isForbidden && !this.#connection.access.answers(frame)) {
      this.#connection.access.refusePublish(frame);
      return;
    }
    if (this.#isVerbose) this.#confirm();
    const isDelivered = delivery.relay(this.#connection, frame, this.#receivers);
    if (this.#wantsStatus && !isDelivered && frame.replyEnd > frame.replyStart) this.#reportNoResponders(frame);
  }

  onSubscribe(frame: SubscribeFrame): void {
    const { limits, router } = this.#context;
    const { log, outgoing } = this.#connection;
    const sid = keyOfBytes(frame.bytes, frame.sidStart, frame.sidEnd);
    const subject = keyOfBytes(frame.bytes, frame.subjectStart, frame.subjectEnd);
    const queue = keyOfBytes(frame.bytes, frame.queueStart, frame.queueEnd);
    log.trace(() => `<<- [SUB ${subject}${queue === "" ? "" : ` ${queue}`} ${sid}]`);
    if (!this.#connection.access.maySubscribe(subject, queue, sid)) return;
    if (limits.maxSubscriptions > 0 && this.#subscriptions.size >= limits.maxSubscriptions) {
      log.error(ERROR_TEXT.subscriptionsExceeded);
      outgoing.append(encodeError(ERROR_TEXT.subscriptionsExceeded));
      return;
    }
    // A second subscription under one number changes nothing, and is no error either.
    if (!this.#subscriptions.has(sid)) {
      const subscription = new Subscription(subject, queue, sid, this.#connection, undefined);
      if (!router.add(subscription)) {
        outgoing.append(encodeError(ERROR_TEXT.invalidSubject));
        return;
      }
      this.#subscriptions.set(sid, subscription);
    }
    this.#confirm();
  }

  onUnsubscribe(frame: UnsubscribeFrame): void {
    const sid = keyOfBytes(frame.bytes, frame.sidStart, frame.sidEnd);
    this.#connection.log.trace(() => `<<- [UNSUB ${sid}${frame.max > 0 ? ` ${frame.max}` : ""}]`);
    const subscription = this.#subscriptions.get(sid);
    if (subscription !== undefined) {
      if (frame.max > subscription.delivered) subscription.max = frame.max;
      else this.#endSubscription(subscription);
    }
    this.#confirm();
  }

  onPing(): void {
    const { log, outgoing } = this.#connection;
    log.trace(() => "<<- [PING]");
    outgoing.append(PONG_LINE);
    log.trace(() => "->> [PONG]");
    this.#connection.pongSent();
  }

  onPong(): void {
    this.#connection.log.trace(() => "<<- [PONG]");
    this.#connection.pongReceived();
  }

  onOk(): void {
    // Nothing was asked that this could be the answer to.
  }

  onError(bytes: Uint8Array, start: number, end: number): void {
    this.#connection.log.error(`Client Error '${errorText(bytes, start, end)}'`);
    this.#connection.close("Parse Error");
  }

  onInfo(bytes: Uint8Array, start: number, end: number): void {
    if (decodeInfo(bytes, start, end) !== undefined) return;
    this.#connection.log.error("INFO arguments are not a JSON object");
    this.#connection.close("Protocol Violation");
  }

  /** A subscription has had as many messages as it asked for. */
  limitReached(subscription: Subscription): void {
    const { log } = this.#connection;
    log.debug(`Auto-unsubscribe limit of ${subscription.max} reached for sid '${subscription.sid}'`);
    this.#endSubscription(subscription);
  }

  /** What the client may do has changed: ends subscriptions that it may not have any more, and says so. */
  review(): void {
    this.#receiversSeries = -1;
    for (const subscription of [...this.#subscriptions.values()]) {
      const { subject, queue, sid } = subscription;
      if (!this.#connection.access.maySubscribeStill(subject, queue, sid)) this.#endSubscription(subscription);
    }
  }

  /** The connection is closed: all interest ends. */
  end(): void {
    for (const subscription of this.#subscriptions.values()) this.#context.router.remove(subscription);
    this.#subscriptions.clear();
    this.#receivers = NO_RECEIVERS;
    this.#receiversSeries = -1;
  }

  #endSubscription(subscription: Subscription): void {
    this.#subscriptions.delete(subscription.sid);
    this.#context.router.remove(subscription);
    this.#connection.log.trace(() => `<-> [DELSUB ${subscription.sid}]`);
  }

  #confirm(): void {
    if (this.#isVerbose) this.#connection.outgoing.append(OK_LINE);
  }

  #refuse(reason: CloseReason, text: ErrorText): void {
    this.#connection.log.error(text);
    this.#connection.close(reason, text);
  }

  /** Status 503 to the client's own subscription that would have got the answer. */
  #reportNoResponders(frame: MessageFrame): void {
    const { bytes, view, replyStart, replyEnd } = frame;
    const { values } = this.#context.router.receivers(bytes, view, replyStart, replyEnd);
    const own = values.find((candidate) => candidate.connection === this.#connection && !candidate.closed);
    if (own === undefined) return;
    writeStatus(this.#connection.outgoing, own, bytes, replyStart, replyEnd, NO_RESPONDERS_HEADERS);
  }
}

/** What a trace may show of a `CONNECT`. */
function withoutSecrets(options: ConnectOptions): Partial<ConnectOptions> {
  const { pass: _pass, auth_token: _token, sig: _signature, ...shown } = options;
  return shown;
}
