import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/** Where a new subscription begins. @see protocol.md 5.8, 10.3 */
export const StartPosition = {
  newOnly: 0,
  lastReceived: 1,
  timeDeltaStart: 2,
  sequenceStart: 3,
  first: 4,
} as const;
export type StartPosition = (typeof StartPosition)[keyof typeof StartPosition];

/** @see protocol.md 5.8, 10 */
export interface SubscriptionRequest {
  readonly clientId: string;
  /** Channel. */
  readonly subject: string;
  /** Queue group; empty for none. */
  readonly qGroup: string;
  /** Where to deliver. */
  readonly inbox: string;
  readonly maxInFlight: number;
  /** Seconds until a message that was not acknowledged is delivered again. */
  readonly ackWaitInSecs: number;
  /** Empty for none. */
  readonly durableName: string;
  /** A {@link StartPosition}, or any other int32: the peer may send what it likes. */
  readonly startPosition: number;
  /** uint64, for {@link StartPosition.sequenceStart}. */
  readonly startSequence: bigint;
  /** int64 nanoseconds before now, for {@link StartPosition.timeDeltaStart}; may be negative. */
  readonly startTimeDelta: bigint;
}

/** Answers subscription requests, unsubscribe requests and subscription close requests. @see protocol.md 5.9 */
export interface SubscriptionResponse {
  /** Where to send acks; only set by a successful subscribe. */
  readonly ackInbox: string;
  /** Empty: success. */
  readonly error: string;
}

/** Unsubscribe and subscription close, which differ by their NATS subject. @see protocol.md 5.10, 12.1 */
export interface UnsubscribeRequest {
  readonly clientId: string;
  /** Channel. */
  readonly subject: string;
  /** Ack inbox of the subscription, or its subscription inbox. */
  readonly inbox: string;
  /** Ignored. */
  readonly durableName: string;
}

const request = messageCodec<SubscriptionRequest>("SubscriptionRequest", {
  clientId: [1, "text"],
  subject: [2, "text"],
  qGroup: [3, "text"],
  inbox: [4, "text"],
  maxInFlight: [5, "int32"],
  ackWaitInSecs: [6, "int32"],
  durableName: [7, "text"],
  startPosition: [10, "int32"],
  startSequence: [11, "uint64"],
  startTimeDelta: [12, "int64"],
});

const response = messageCodec<SubscriptionResponse>("SubscriptionResponse", {
  ackInbox: [2, "text"],
  error: [3, "text"],
});

const unsubscribe = messageCodec<UnsubscribeRequest>("UnsubscribeRequest", {
  clientId: [1, "text"],
  subject: [2, "text"],
  inbox: [3, "text"],
  durableName: [4, "text"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodeSubscriptionRequest(value: Partial<SubscriptionRequest>): Uint8Array {
  return request.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeSubscriptionRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<SubscriptionRequest> {
  return request.decode(bytes, start, end);
}

/** Zero bytes for a success that has nothing else to say. The result belongs to the caller. */
export function encodeSubscriptionResponse(value: Partial<SubscriptionResponse>): Uint8Array {
  return response.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeSubscriptionResponse(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<SubscriptionResponse> {
  return response.decode(bytes, start, end);
}

/** Fields left out have their default. The result belongs to the caller. */
export function encodeUnsubscribeRequest(value: Partial<UnsubscribeRequest>): Uint8Array {
  return unsubscribe.encode(value);
}

/** Reads `bytes[start, end)`. @see protocol.md 4.2 */
export function decodeUnsubscribeRequest(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Decoded<UnsubscribeRequest> {
  return unsubscribe.decode(bytes, start, end);
}
