import type { ClientInfo } from "@nats-streaming/store";

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

/** What the engine tells the other servers of a partitioned cluster. */
export interface ClientSource {
  readonly clientCount: number;
  /** 8 bytes that are equal when two servers know the same clients. */
  clientDigest(): Uint8Array;
  /** In byte order; the same array until a client comes or goes. */
  clientIds(): readonly string[];
  client(clientId: string): ClientInfo | undefined;
  knowledge(question: ClientQuestion): ClientKnowledge;
  /** Stored channels, byte strings. */
  channelNames(): readonly string[];
}

/**
 * The other servers of a partitioned cluster, as far as they understand these questions. The partition coordinator
 * implements it; the composition root hands it over.
 */
export interface ClientPeers {
  /** Whether nobody is there to be asked: then everything is as in the original. */
  readonly isAlone: boolean;
  attach(source: ClientSource): void;
  /** Hands over every client that the others know, in batches; some come more than once. Ends in bounded time. */
  collectClients(
    adopt: (clients: readonly ClientInfo[]) => void,
  ): Promise<{ readonly adopted: number; readonly isComplete: boolean }>;
  /** Asks the others whom they know; those that do not answer in bounded time are only counted. Never rejects. */
  lookup(question: ClientQuestion): Promise<{ readonly answers: readonly ClientKnowledge[]; readonly silent: number }>;
  /** Whether some server serves a channel (byte string); true when that cannot be found out. Within half a second. */
  isOwned(channel: string): Promise<boolean>;
}
