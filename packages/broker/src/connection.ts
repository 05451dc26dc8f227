import type { Timer } from "@nats-streaming/kernel";
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
import type { Verdict } from "./authorization.ts";
import { ClientAccess } from "./client-access.ts";
import { ClientOperations } from "./client-operations.ts";
import { type CloseReason, reasonOfFailure, reasonOfFault } from "./close-reason.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionLog } from "./connection-log.ts";
import { LINGER_MILLIS, Link } from "./link.ts";
import { Liveness } from "./liveness.ts";
import { writeLocal, writeRelayed, writeWithoutHeaders } from "./message-writer.ts";
import { FAR_BEHIND, type Outgoing } from "./outgoing.ts";
import { stallMillis } from "./stall.ts";
import type { ConnectionStatistics } from "./statistics.ts";
import { keyOfBytes } from "./subject-key.ts";
import type { Subscription } from "./subscription.ts";
import { subscriptionStatistics } from "./subscription-statistics.ts";
import type { KeyTopic } from "./topic.ts";
import { peerAddress, type Transport, type TransportListener } from "./transport.ts";

/** What is known of a client before it has said anything. */
export interface NewClient {
  readonly id: number;
  readonly nonce: string;
  readonly certificateNames: readonly string[] | undefined;
  /** It has its `INFO`, which goes out before a connection is encrypted. */
  readonly isGreeted: boolean;
}

/**
 * One client's connection: bytes come in, messages go out, until one side ends it.
 *
 *     accepted --CONNECT--> connected --peer gone, fault, limit, shutdown--> closed --socket gone--> (forgotten)
 *         '---- no authorization required: every operation is served as well ----'
 */
export class Connection implements TransportListener {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly outgoing: Outgoing;
  readonly log: ConnectionLog;
  /** The client's own messages come back to it. */
  echo = true;
  /** The client understands headers. */
  headers = false;
  /** What the client is to sign when it is known by a key; else empty. */
  readonly nonce: string;
  /** Names in the client's certificate, when users are known by them. */
  readonly certificateNames: readonly string[] | undefined;
  readonly access: ClientAccess;
  readonly #context: ConnectionContext;
  readonly #transport: Transport;
  readonly #link: Link;
  readonly #operations: ClientOperations;
  readonly #parser: LineParser;
  readonly #liveness: Liveness;
  readonly #startedAt: number;
  readonly #isGreeted: boolean;
  #isConnected = false;
  #isHeld = false;
  #hasPonged = false;
  /** Of the `INFO` that the client has. */
  #infoVersion: number;
  #authTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #outMessages = 0;
  #outBytes = 0;

  constructor(context: ConnectionContext, client: NewClient, transport: Transport) {
    const { id } = client;
    const { limits, clock, random } = context;
    this.id = id;
    const { address, port } = peerAddress(transport);
    this.address = address;
    this.port = port;
    this.log = new ConnectionLog(context.logger, this.address, this.port, `cid:${id}`);
    this.#link = new Link({
      clock,
      pool: context.pool,
      turn: context.turn,
      transport,
      maxPending: limits.maxPending,
      get writeDeadlineMillis(): number {
        return limits.writeDeadlineMillis;
      },
      onSlow: (what, reason) => this.#slow(what, reason),
    });
    this.outgoing = this.#link.outgoing;
    this.#isGreeted = client.isGreeted;
    this.nonce = client.nonce;
    this.certificateNames = client.certificateNames;
    this.#context = context;
    this.#transport = transport;
    this.#startedAt = clock.monotonicMillis();
    this.#infoVersion = context.info.version;
    this.access = new ClientAccess({
      clock,
      log: this.log,
      outgoing: this.outgoing,
      get maxSubscriptionTokens(): number {
        return limits.maxSubscriptionTokens;
      },
      onFiltered: () => context.router.filtered(),
    });
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
      get intervalMillis(): number {
        return limits.pingIntervalMillis;
      },
      get unansweredMax(): number {
        return limits.pingMax;
      },
      sendPing: () => this.#ping(),
      onStale: () => this.#stale(),
    });
    this.log.debug("Client connection created");
  }

  /** Sends the greeting. From now on the client has to keep to the rules. */
  start(): void {
    if (!this.#isGreeted) this.outgoing.append(this.#context.info.line(this, false));
    this.#expectLogin();
  }

  /**
   * Other users are configured than before: a client that would not be let in any more is told and closed, one whose
   * permissions have changed is held to them.
   */
  async reauthorize(): Promise<void> {
    if (this.isClosed || this.#isHeld) return;
    if (!this.#isConnected && !this.#operations.isInUse) {
      this.#expectLogin();
      return;
    }
    const { nonce, certificateNames } = this;
    const { options } = this.#operations;
    const { authenticator } = this.#context;
    const former = this.access.credential;
    const decision = authenticator.decide({ options, nonce, certificateNames, former });
    // Without a wait where none is needed: nothing comes in between.
    const verdict = decision instanceof Promise ? await decision : decision;
    if (this.isClosed) return;
    if (verdict.kind === "refused") {
      this.log.error(`authentication error${authenticator.describe(options)}`);
      this.close("Authentication Failure", ERROR_TEXT.authorization);
      return;
    }
    this.access.become(verdict);
    this.#operations.review();
  }

  /** Has the client log in, in time, where that is required. */
  #expectLogin(): void {
    const { required, anonymous } = this.#context.authenticator;
    if (anonymous !== undefined) this.access.become(anonymous);
    this.#authTimer?.cancel();
    this.#parser.connectRequired = required && anonymous === undefined;
    if (!this.#parser.connectRequired) return;
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

  /** Sends the news to a client that understands it and has none of it yet. */
  inform(): void {
    const { info } = this.#context;
    if (!this.#understandsInfo || !this.#hasPonged || this.#infoVersion === info.version) return;
    this.#infoVersion = info.version;
    this.outgoing.append(info.line(this, false));
  }

  /** Sends everything that is pending, and closes: the client has been told to turn elsewhere. */
  dismiss(): void {
    this.close("Server Shutdown", undefined, this.#context.limits.drainMillis);
  }

  /** Tells a client that understands it to turn elsewhere, sends everything that is pending, and closes. */
  shutDown(): void {
    if (this.#understandsInfo) this.outgoing.append(this.#context.info.line(this, true));
    this.dismiss();
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
    if (this.#link.isClosed) return;
    this.#parser.stop();
    this.#liveness.stop();
    this.#authTimer?.cancel();
    this.#stallTimer?.cancel();
    if (lastWords !== undefined) this.log.trace(() => `->> [-ERR ${lastWords}]`);
    this.#link.close(lastWords === undefined ? undefined : encodeError(lastWords), lingerMillis);
    this.#operations.end();
    this.#context.onClosed(this);
    this.log.debug(`Client connection closed: ${reason}`);
  }

  /** The client has introduced itself in a way that is accepted. */
  connected(options: ConnectOptions, verdict: Verdict): void {
    this.access.become(verdict);
    this.echo = options.echo;
    this.headers = options.headers;
    this.#parser.headersAllowed = options.headers;
    this.#parser.connectRequired = false;
    this.#authTimer?.cancel();
    if (!this.#isConnected) this.#liveness.onConnected();
    this.#isConnected = true;
  }

  /** Reads no more until {@link release}. */
  hold(): void {
    this.#isHeld = true;
    this.#parser.hold();
  }

  release(): void {
    this.#isHeld = false;
    if (this.#link.isClosed) return;
    const fault = this.#parser.release();
    if (fault !== undefined) this.#fail(fault);
    if (!this.#isHeld && !this.#transport.destroyed) this.#transport.resume();
  }

  /** The client has had an answer to a ping: before the first, clients do not expect news. */
  pongSent(): void {
    if (this.#hasPonged) return;
    this.#hasPonged = true;
    this.inform();
  }

  /** The client has answered a ping. */
  pongReceived(): void {
    this.#liveness.onPong();
  }

  /** Sends a message that came in by a socket to a subscription of this connection. */
  relay(subscription: Subscription, frame: MessageFrame): void {
    this.#outMessages++;
    this.#outBytes += frame.payloadEnd - frame.payloadStart;
    const { replies } = this.access;
    if (replies !== undefined && frame.replyEnd > frame.replyStart) {
      replies.note(keyOfBytes(frame.bytes, frame.replyStart, frame.replyEnd));
    }
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
    if (reply !== undefined) this.access.replies?.note(reply.key);
    writeLocal(this.outgoing, subscription, topic, reply, payload, view, start, end);
    if (this.log.isTracing) this.log.traceLocalOut(subscription, topic.key, reply?.key ?? "", end - start);
  }

  /** Ends a subscription that has had as many messages as it asked for. */
  limitReached(subscription: Subscription): void {
    this.#operations.limitReached(subscription);
  }

  bytesRead(bytes: Uint8Array, length: number): boolean {
    if (this.#link.isClosed) {
      this.#link.ignore(length);
      return true;
    }
    const { clock, turn } = this.#context;
    this.#liveness.heardAt = clock.monotonicMillis();
    turn.takePressed();
    const fault = this.#parser.feed(bytes, 0, length);
    if (fault !== undefined) this.#fail(fault);
    const pressed = turn.takePressed();
    if (this.#isHeld) return false;
    if (pressed === undefined || this.#link.isClosed || pressed.fullness <= FAR_BEHIND) return true;
    this.#stall(pressed);
    return false;
  }

  peerEnded(): void {
    this.close("Client Closed");
  }

  transportFailed(error: NodeJS.ErrnoException): void {
    this.close(reasonOfFailure(error));
  }

  transportClosed(): void {
    this.close("Client Closed");
    this.#link.gone();
    this.#context.onGone(this);
  }

  statistics(): ConnectionStatistics {
    const now = this.#context.clock.monotonicMillis();
    const { options, inMessages, inBytes, subscriptionCount } = this.#operations;
    return {
      id: this.id,
      address: this.address,
      port: this.port,
      name: options.name,
      language: options.lang,
      version: options.version,
      user: this.access.user === "" ? options.user : this.access.user,
      uptimeMillis: now - this.#startedAt,
      idleMillis: now - this.#liveness.heardAt,
      roundTripMillis: this.#liveness.roundTripMillis,
      pendingBytes: this.outgoing.pendingBytes,
      inMessages,
      inBytes,
      outMessages: this.#outMessages,
      outBytes: this.#outBytes,
      subscriptionCount,
      subscriptions: () => subscriptionStatistics(this.#operations.subscriptions),
    };
  }

  get isClosed(): boolean {
    return this.#link.isClosed;
  }

  /** `INFO` may come at any time. */
  get #understandsInfo(): boolean {
    return this.#isConnected && this.#operations.options.protocol >= 1;
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
    this.#context.counters.slowConsumers++;
    this.log.info(`Slow Consumer Detected: ${what}`);
    this.close(reason);
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
