import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";

/**
 * What a {@link PeerMsg} is about; the answer to a question has the kind of the question.
 * @see docs/partition-protocol.md
 */
export const PeerKind = {
  /** Who I am, and since when I serve. The answer says the same of the other one. */
  hello: 1,
  /** I am going. No answer. */
  bye: 2,
  /** A page of the registered clients, from a client ID on. */
  clients: 3,
  /** Whom you know under this client ID or this connection ID. */
  lookup: 4,
  /** A page of what you list, of stored channels outside that, and of conflicts that you have seen. */
  map: 5,
} as const;
export type PeerKind = (typeof PeerKind)[keyof typeof PeerKind];

/** Where a server stands. */
export const PeerPhase = {
  /** In its start-up check: it serves nobody. */
  starting: 1,
  serving: 2,
  /** Asks only, and serves nothing: a tool. */
  observer: 3,
} as const;
export type PeerPhase = (typeof PeerPhase)[keyof typeof PeerPhase];

/**
 * A message among partition servers of this kind; servers of other kinds do not listen on its subjects. Receivers skip
 * fields that they do not know, and do not answer kinds that they do not know. Strings are byte strings.
 * @see docs/partition-protocol.md
 */
export interface PeerMsg {
  /** A {@link PeerKind}, or what a later version adds. */
  readonly kind: number;
  /** Sender. */
  readonly serverId: string;
  /** A {@link PeerPhase} of the sender. */
  readonly phase: number;
  /** Wall-clock milliseconds since 1970 since which the sender serves; 0 when it does not. */
  readonly since: number;
  /** How many clients the sender knows. */
  readonly clientCount: number;
  /** 8 bytes that are equal when two servers know the same clients. */
  readonly clientDigest: Uint8Array;
  /** Question for a page: where it begins, empty for the beginning. Answer: where the next one begins, empty for none. */
  readonly cursor: string;
  /** Records of the page. */
  readonly data: Uint8Array;
  /** Lookup: the client ID in question. */
  readonly clientId: string;
  /** Lookup: the connection ID in question, or the one that asks to be registered. */
  readonly connId: Uint8Array;
  /** Answer to a lookup: a {@link PeerKnowledge}. */
  readonly knowledge: number;
  /** Question for a map: a {@link MapDetail}. */
  readonly detail: number;
}

/** How much of its map a server is asked for. */
export const MapDetail = {
  everything: 0,
  /** Without stored channels. */
  lists: 1,
} as const;
export type MapDetail = (typeof MapDetail)[keyof typeof MapDetail];

/** What a server knows of the client in a lookup. */
export const PeerKnowledge = {
  unknown: 0,
  /** It is registered; `data` is its record. */
  known: 1,
  /** As `known`, and it has just shown that it lives. */
  alive: 2,
  /** It was closed or replaced here a moment ago. */
  closed: 3,
  /** Another connection than the one in question is about to be registered under this client ID; `data` is its record. */
  pending: 4,
} as const;
export type PeerKnowledge = (typeof PeerKnowledge)[keyof typeof PeerKnowledge];

const codec = messageCodec<PeerMsg>("PeerMsg", {
  kind: [1, "int32"],
  serverId: [2, "text"],
  phase: [3, "int32"],
  since: [4, "count"],
  clientCount: [5, "count"],
  clientDigest: [6, "bytes"],
  cursor: [7, "text"],
  data: [8, "bytes"],
  clientId: [9, "text"],
  connId: [10, "bytes"],
  knowledge: [11, "int32"],
  detail: [12, "int32"],
});

/** Fields left out have their default. The result belongs to the caller. */
export function encodePeerMsg(value: Partial<PeerMsg>): Uint8Array {
  return codec.encode(value);
}

/** Reads `bytes[start, end)`. */
export function decodePeerMsg(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<PeerMsg> {
  return codec.decode(bytes, start, end);
}
