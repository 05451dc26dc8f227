import type { BusMessage } from "@nats-streaming/kernel";
import { copyOf } from "@nats-streaming/protocol";

/** Keeps requests until the server may answer them, so that none is missed meanwhile. */
export interface StartGate {
  /** A handler that keeps its messages while the gate is shut. */
  guard(handler: (message: BusMessage) => void): (message: BusMessage) => void;
  /** Handles what was kept, in the order of arrival, and lets everything through from now on. */
  open(): void;
}

/** Kept at most; what comes beyond is not answered, and is sent again by its client. */
const KEPT_MAX = 65_536;
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

export function createStartGate(): StartGate {
  const kept: (() => void)[] = [];
  let bytes = 0;
  let isOpen = false;
  return {
    guard: (handler) => (message) => {
      if (isOpen) {
        handler(message);
        return;
      }
      const size = message.end - message.start;
      if (kept.length >= KEPT_MAX || bytes + size > KEPT_BYTES_MAX) return;
      bytes += size;
      const { subject, reply } = message;
      const copy: BusMessage = {
        subject,
        reply,
        bytes: copyOf(message.bytes, message.start, message.end),
        start: 0,
        end: size,
      };
      kept.push(() => handler(copy));
    },
    open(): void {
      isOpen = true;
      for (const handle of kept.splice(0)) handle();
    },
  };
}
