/**
 * The bus: the one seam between streaming and NATS. Two implementations: the broker's in-process connection
 * (`@nats-streaming/broker`, no socket and no second parsing) and a remote NATS server (`@nats-streaming/nats-bus`).
 *
 * Subjects are **byte strings**: one character (U+0000 to U+00FF) per byte, because NATS subjects are bytes and need not
 * be UTF-8. For ASCII, which is what one meets, a byte string and the text are the same.
 */
export interface Bus {
  /**
   * Calls `handler` for every message on `subject` (wildcards allowed), in the order of arrival, synchronously from the
   * read loop. With a `queue`, each message goes to one subscriber of that queue group.
   * The interest is in force for everything sent after a following {@link flush} has settled.
   * @throws BusError `closed`, `bad_subject`
   */
  subscribe(subject: string, handler: BusHandler, options?: BusSubscribeOptions): BusSubscription;

  /**
   * Sends `bytes[start, end)` to `subject`. The range is copied before the call returns.
   * Nothing is ever buffered for a connection that is down: what cannot be sent now is refused.
   * @param reply where answers should go; empty for nowhere.
   * @throws BusError `closed`, `disconnected`, `max_payload`, `bad_subject` (empty, or holds white space)
   */
  publish(subject: string, bytes: Uint8Array, reply?: string, start?: number, end?: number): void;

  /** Sends `payload` and waits for the first reply, at most `timeoutMillis`. Never rejects: failures are values. */
  request(subject: string, payload: Uint8Array, timeoutMillis: number): Promise<BusReply>;

  /**
   * A round trip: settles when everything published or subscribed before it has reached the NATS server.
   * @throws BusError `closed`, `disconnected`
   */
  flush(): Promise<void>;

  /** Calls back when a NATS server joined the network, or when the connection came back. */
  onTopologyChange(listener: () => void): void;

  /** Calls back on each change of the connection. */
  onStatus(listener: (status: BusStatus) => void): void;

  /** Largest payload in bytes that a message may have. May change after a reconnect. */
  readonly maxPayload: number;

  /** Where this bus is connected, fit for a log line: credentials are left out. */
  readonly url: string;

  /** Flushes what can be flushed and closes. Idempotent. */
  close(): Promise<void>;
}

/** How a subject is listened to. */
export interface BusSubscribeOptions {
  /** Queue group. */
  readonly queue?: string;
}

/** A subject that is listened to. */
export interface BusSubscription {
  readonly subject: string;
  /** Ends the subscription: the handler is not called again, not even for what is under way. Idempotent. */
  unsubscribe(): void;
}

/** Takes a message of a subscription. The message is valid until it returns. */
export type BusHandler = (message: BusMessage) => void;

/**
 * One message as a handler sees it. The object is reused and `bytes` belongs to the bus: both are valid only until the
 * handler returns. Who keeps payload bytes copies them; the two strings may be kept.
 */
export interface BusMessage {
  readonly subject: string;
  /** Where an answer is expected; empty when nowhere. */
  readonly reply: string;
  /** The payload is `bytes[start, end)`. Headers, if any, are not part of it. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** How the connection stands. */
export type BusStatus =
  | { readonly kind: "connected"; readonly url: string }
  | { readonly kind: "disconnected"; readonly reason: string }
  | { readonly kind: "closed" };

/** What became of a request. */
export type BusReply =
  | { readonly kind: "reply"; readonly payload: Uint8Array }
  /** The NATS server knows nobody who listens on the subject: known at once, without waiting. */
  | { readonly kind: "no_responders" }
  | { readonly kind: "timeout" }
  /** The connection is down or closed, or the subject cannot be sent to. */
  | { readonly kind: "failed"; readonly reason: string };

/** Why a bus could not do what it was asked. */
export type BusErrorCode =
  /** The bus was closed. Remedy: None: the server is stopping. */
  | "closed"
  /**
   * The connection to NATS is down, or more waits for local subscribers than may. Nothing is buffered.
   * Remedy: Bring NATS back; the bus connects again by itself.
   */
  | "disconnected"
  /**
   * A payload is larger than the NATS server takes.
   * Remedy: Raise `max_payload` of the NATS server, or send less at once.
   */
  | "max_payload"
  /**
   * A subject is empty, has white space or control characters, or has wildcards where it may not.
   * Remedy: Correct the name, such as the cluster ID or `discover_prefix`.
   */
  | "bad_subject"
  /**
   * No connection to NATS comes about; the text names the servers that were tried and why.
   * Remedy: See docs/errors.md#the-server-does-not-start.
   */
  | "connect_failed";

/** A bus that could not do what it was asked. Matched by `code`; the text is for people. */
export class BusError extends Error {
  override readonly name = "BusError";
  readonly code: BusErrorCode;

  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
