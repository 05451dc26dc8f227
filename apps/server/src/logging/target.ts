import type { Timestamp } from "@nats-streaming/kernel";
import type { Level } from "./line.ts";

/** Where log lines go. */
export interface LogTarget {
  /** @param now valid during the call only. */
  write(level: Level, text: string, now: Timestamp): void;
  /** Starts over under the same name, for log rotation. @returns false where there is no file to open again. */
  reopen(): boolean;
  /** Idempotent. Settles when what was written is on its way. */
  close(): Promise<void>;
}
