import { FileError, quoteName } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { StoreError } from "@nats-streaming/store";
import { CommitLogError } from "./commit-log/commit-log.ts";

/** A write that failed, in the operating system's words. What is no failed write is thrown on. */
export function writeFailed(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  if (!(cause instanceof FileError)) throw cause;
  return new StoreError("write_failed", cause.message, { cause });
}

/** What a failed batch means for the store. What is no failure of the disk is thrown on. */
export function storeFailure(error: unknown): StoreError {
  if (error instanceof CommitLogError) {
    const isFinal = error.code !== "batch_too_large";
    return new StoreError(isFinal ? "sync_failed" : "write_failed", error.message, { cause: error });
  }
  return writeFailed(error);
}

/** The failure if it is one after which nothing can be made durable any more; undefined for any other. */
export function finalFailure(error: unknown): StoreError | undefined {
  const failure = error instanceof CommitLogError ? storeFailure(error) : error;
  return failure instanceof StoreError && failure.code === "sync_failed" ? failure : undefined;
}

/** A channel in double quotes, for log lines. @param channel byte string */
export function quoted(channel: string): string {
  return quoteName(channel);
}

export function unrecoverable(text: string, cause?: unknown): StoreError {
  return new StoreError("corrupt", text, { cause });
}

/** `unable to recover server file "<name>": <what>` @param kind server or client */
export function rootFileText(kind: "server" | "client", name: string, what: string): string {
  return `unable to recover ${kind} file "${name}": ${what}`;
}

/** @param channel byte string; @param file of the channel that was opened last, below the root */
export function messageStoreText(verb: "recover" | "create", channel: string, file: string, what: string): string {
  return `unable to ${verb} message store for [${byteStringToText(channel)}](file: "${file}"): ${what}`;
}

/** @param channel byte string */
export function subscriptionStoreText(verb: "recover" | "create", channel: string, what: string): string {
  return `unable to ${verb} subscription store for [${byteStringToText(channel)}]: ${what}`;
}
