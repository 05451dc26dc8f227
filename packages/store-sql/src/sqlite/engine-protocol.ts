import { errorText } from "@nats-streaming/kernel";
import {
  DatabaseError,
  type DatabaseErrorCode,
  type DatabaseFacts,
  type MessageBlock,
  type MessageRequest,
  type SqlParam,
  type SqlRow,
  type WriteBatch,
} from "../database.ts";
import type { StatementName } from "../statement-name.ts";
import type { SqliteSource } from "./sqlite-source.ts";

/** What the store's thread asks of the thread that has the database. Answered in the order in which they come. */
export type EngineRequest =
  | { readonly kind: "open"; readonly source: SqliteSource; readonly schema: readonly string[] }
  | { readonly kind: "query"; readonly statement: StatementName; readonly params: readonly SqlParam[] }
  | { readonly kind: "run"; readonly statement: StatementName; readonly params: readonly SqlParam[] }
  | { readonly kind: "begin" | "commit" | "rollback" | "close" }
  | { readonly kind: "write"; readonly batch: WriteBatch }
  | { readonly kind: "read"; readonly request: MessageRequest };

/** What comes back, by the kind of request. */
export interface EngineAnswers {
  readonly open: OpenedEngine;
  readonly query: SqlRow[];
  readonly run: number;
  readonly begin: undefined;
  readonly commit: undefined;
  readonly rollback: undefined;
  readonly close: undefined;
  readonly write: undefined;
  readonly read: MessageBlock;
}

export type EngineAnswer = EngineAnswers[EngineRequest["kind"]];

export interface OpenedEngine extends DatabaseFacts {
  /** What an administrator should know, ready to be logged. */
  readonly warnings: readonly string[];
}

/** An error on its way between two threads. */
export interface ErrorParts {
  readonly code: DatabaseErrorCode;
  readonly message: string;
  readonly isOutcomeUnknown: boolean;
}

export function errorParts(error: unknown): ErrorParts {
  if (error instanceof DatabaseError) {
    return { code: error.code, message: error.message, isOutcomeUnknown: error.isOutcomeUnknown };
  }
  return { code: "refused", message: errorText(error), isOutcomeUnknown: false };
}

export function errorFromParts({ code, message, isOutcomeUnknown }: ErrorParts): DatabaseError {
  return new DatabaseError(code, message, { isOutcomeUnknown });
}

/** Memory that goes over to the other thread with a request. */
export function requestMemory(request: EngineRequest): ArrayBuffer[] {
  // Without messages it is memory that all batches share.
  if (request.kind !== "write" || request.batch.messages.count === 0) return [];
  const { channels, sequences, timestamps, starts, bytes } = request.batch.messages;
  return buffersOf([channels, sequences, timestamps, starts, bytes]);
}

/** Memory that goes over with an answer. */
export function answerMemory(answer: EngineAnswer): ArrayBuffer[] {
  if (answer === undefined || typeof answer !== "object" || !("starts" in answer)) return [];
  return buffersOf([answer.sequences, answer.starts, answer.bytes]);
}

function buffersOf(views: readonly NodeJS.TypedArray[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer } of views) if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) buffers.add(buffer);
  return [...buffers];
}
