import type { ClientInfo } from "@nats-streaming/protocol/spb";
import type { CollectOutcome } from "./client-collector.ts";
import type { ClientQuestion, ClientSource } from "./client-source.ts";
import type { LookupResult } from "./peer-link.ts";

/** The other partition servers, as the streaming engine sees them. */
export interface PartitionPeers {
  /** Whether no other server of this kind is known to serve: then everything is as in the original. */
  readonly isAlone: boolean;
  /** From now on the others are told what `source` knows. */
  attach(source: ClientSource): void;
  /** Hands over every client that the others know, in batches; some come more than once. Ends within 30 seconds. */
  collectClients(adopt: (clients: readonly ClientInfo[]) => void): Promise<CollectOutcome>;
  /** Asks the others, at most eight of them, whom they know. Ends within {@link PartitionTiming.peerAnswerMillis}. */
  lookup(question: ClientQuestion): Promise<LookupResult>;
  /** Whether some server serves a channel (byte string); true when that cannot be found out. Within half a second. */
  isOwned(channel: string): Promise<boolean>;
}
