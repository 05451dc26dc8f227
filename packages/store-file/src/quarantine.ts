import { byteStringToText } from "@nats-streaming/protocol";
import { StoreError } from "@nats-streaming/store";

/** A channel whose files cannot be used and are left as they are. */
export interface QuarantinedChannel {
  /** Byte string. */
  readonly channel: string;
  /** Why, in the words with which a strict start would fail. */
  readonly reason: string;
}

/** What whoever asks for such a channel is told. */
export function quarantined({ channel, reason }: QuarantinedChannel): StoreError {
  const remedy = 'restore its files from a backup, or start once with file_recovery "salvage" to keep what can be read';
  return new StoreError("corrupt", `channel ${byteStringToText(channel)} is in quarantine: ${reason}; ${remedy}`);
}
