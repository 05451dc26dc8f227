import { byteStringToText } from "@nats-streaming/protocol";
import { StoreError } from "@nats-streaming/store";

/** A channel whose files cannot be used and are left as they are. */
export interface QuarantinedChannel {
  /** Byte string. */
  readonly channel: string;
  /** Why, in the words with which a strict start would fail. */
  readonly reason: string;
  /** What somebody can do about it. */
  readonly remedy: string;
}

/** What helps against damage. */
export const DAMAGE_REMEDY =
  'restore its files from a backup, or start once with file_recovery "salvage" to keep what can be read';

/** What helps when the files may be sound, but the disk would not read or write them. */
export const DISK_REMEDY = "see to the disk, then start again";

/** What whoever asks for such a channel is told. */
export function quarantined({ channel, reason, remedy }: QuarantinedChannel): StoreError {
  return new StoreError("corrupt", `channel ${byteStringToText(channel)} is in quarantine: ${reason}; ${remedy}`);
}
