import type { Clock, Logger } from "@nats-streaming/kernel";
import type { Database, DatabaseFacts, Operation, Statement } from "./database.ts";
import type { MessageCache } from "./messages/message-cache.ts";
import type { MessagePart } from "./messages/pack-messages.ts";

/** A change that a coming batch makes durable. */
export interface RecordedChange {
  readonly operation: Operation;
  /** Statements that take its inserts away again, so that it can be run a second time. */
  readonly undo?: readonly Statement[];
  /** The database will never accept it: it has been dropped. */
  readonly onRejected?: (text: string) => void;
}

/** What a batch is put together from. */
export interface BatchBuilder {
  readonly parts: MessagePart[];
  /** Run after the messages have been inserted. */
  readonly after: RecordedChange[];
}

/** A message log as a batch sees it. The calls come in this order; one of the last two ends each batch. */
export interface BatchedLog {
  /** What has gathered is in the batch from now on. */
  seal(builder: BatchBuilder): void;
  /** The batch is durable. */
  settled(): void;
  /** The batch could not be made durable, nor will be what was appended since. */
  refused(): void;
}

/** Whoever has something to write that nobody waits for. */
export interface LazyWriter {
  /** Adds it to a batch. It is written again with the next one should that batch fail. */
  sealRecords(builder: BatchBuilder): void;
}

/** Where those with something to write make themselves known. */
export interface Gathering {
  /** Messages that the next flush has to cover; once until they are sealed. */
  touchMessages(log: BatchedLog): void;
  /** Starts a batch now if none is under way: much has gathered. */
  flushSoon(): void;
  /** A change that the next flush has to cover. */
  record(change: RecordedChange): void;
  /** A change that has to be written within a second, whether or not there is a flush. */
  recordLazily(change: RecordedChange): void;
  /** There is something to write within a second; once until it is sealed. */
  touchLazily(writer: LazyWriter): void;
  /** Writes now what would be written within a second: much has gathered. */
  writeLazySoon(): void;
  /** Bytes of messages that are not durable yet. */
  gatheredBytes: number;
}

/** What the parts of one open store share. */
export interface StoreContext {
  readonly database: Database;
  readonly facts: DatabaseFacts;
  readonly gathering: Gathering;
  readonly cache: MessageCache;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Write every pending sequence and ack by itself. */
  readonly isUncached: boolean;
}
