import type { ClientInfo } from "@nats-streaming/protocol/spb";

/** Whom a question is about: a client ID, a connection ID, or both. */
export interface ClientQuestion {
  /** Byte string; empty when only the connection is known. */
  readonly clientId: string;
  /** Empty when only the client ID is known; with both, the connection that asks to be registered. */
  readonly connId: Uint8Array;
}

/** What a server knows of a client. */
export type ClientKnowledge =
  | { readonly kind: "unknown" }
  | { readonly kind: "known"; readonly client: ClientInfo }
  /** It has just shown that it lives. */
  | { readonly kind: "alive"; readonly client: ClientInfo }
  /** It was closed or replaced a moment ago. */
  | { readonly kind: "closed" }
  /** It asks to be registered, and may or may not be: another connection than the one in question. */
  | { readonly kind: "pending"; readonly client: ClientInfo };

/** What this server tells the others; the streaming engine implements it. */
export interface ClientSource {
  readonly clientCount: number;
  /** 8 bytes that are equal when two servers know the same clients. Costs nothing. */
  clientDigest(): Uint8Array;
  /** Client IDs (byte strings) in byte order; the same array until a client comes or goes. */
  clientIds(): readonly string[];
  client(clientId: string): ClientInfo | undefined;
  knowledge(question: ClientQuestion): ClientKnowledge;
  /** Stored channels, byte strings. */
  channelNames(): readonly string[];
}

/** Before there is an engine: nobody is known. */
export const noClients: ClientSource = {
  clientCount: 0,
  clientDigest: () => new Uint8Array(8),
  clientIds: () => [],
  client: () => undefined,
  knowledge: () => ({ kind: "unknown" }),
  channelNames: () => [],
};
