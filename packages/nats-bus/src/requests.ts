import { type BusMessage, type BusReply, type Clock, errorText, type Timer } from "@nats-streaming/kernel";

/**
 * Most requests under way at a time. Each client of the server has at most two (a heartbeat, a duplicate check), so this
 * is far beyond any real number; it keeps a loop gone wild from eating the memory.
 */
const PENDING_MAX = 262_144;

interface Pending {
  readonly resolve: (reply: BusReply) => void;
  readonly timer: Timer;
}

/** Requests under way, told apart by the last token of the one inbox that all of them share. */
export interface Requests {
  /**
   * Starts to wait; `send` is called with the inbox where the answer is expected.
   * @param send throws when the request cannot be sent; the request has then failed
   */
  start(timeoutMillis: number, send: (inbox: string) => void): Promise<BusReply>;
  /** Takes what arrived on the inbox. @param noResponders the NATS server answers that nobody listens */
  receive(message: BusMessage, noResponders: boolean): void;
  /** Ends all that are under way. */
  failAll(reason: string): void;
}

/** @param inbox prefix of the inboxes, ending in a dot */
export function createRequests(inbox: string, clock: Clock): Requests {
  const pending = new Map<string, Pending>();
  let count = 0;

  const finish = (token: string, reply: BusReply): void => {
    const request = pending.get(token);
    // Late answers, and second ones, find nothing.
    if (request === undefined) return;
    pending.delete(token);
    request.timer.cancel();
    request.resolve(reply);
  };

  return {
    start(timeoutMillis: number, send: (inbox: string) => void): Promise<BusReply> {
      if (pending.size >= PENDING_MAX) {
        return Promise.resolve({ kind: "failed", reason: `${PENDING_MAX} requests are under way already` });
      }
      return new Promise((resolve) => {
        const token = (count++).toString(36);
        const timer = clock.setTimer(timeoutMillis, () => finish(token, { kind: "timeout" }));
        pending.set(token, { resolve, timer });
        try {
          send(inbox + token);
        } catch (error) {
          finish(token, { kind: "failed", reason: errorText(error) });
        }
      });
    },

    receive(message: BusMessage, noResponders: boolean): void {
      const token = message.subject.slice(inbox.length);
      if (noResponders) finish(token, { kind: "no_responders" });
      else finish(token, { kind: "reply", payload: copyOf(message) });
    },

    failAll(reason: string): void {
      for (const token of [...pending.keys()]) finish(token, { kind: "failed", reason });
    },
  };
}

function copyOf({ bytes, start, end }: BusMessage): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}
