import type { Clock, Random, Timer } from "@nats-streaming/kernel";

/**
 * Requests that overtook their client's connect request.
 *
 * In partition mode every server answers a connect, and a client goes on with the first answer: its next request may
 * reach a server that has not handled the connect yet. Such a request waits, without holding up anybody else's, until the
 * client is registered; after the grace time it is refused, and the client is remembered as invalid, so that the next one
 * is refused at once.
 *
 * @see partitioning.md 10.1
 */
export interface EarlyRequests {
  /**
   * Keeps a request until the client registers.
   * @param registered called, in the order of arrival, once it did.
   * @param refused called when the grace time is over, or at once for a client that is known to be invalid.
   * @param bytes how much memory the request holds.
   */
  wait(request: EarlyRequest): void;
  /** The client is registered now: lets its requests go on, and forgets that it was invalid. */
  registered(clientId: string, connId: string): void;
  /** How many clients are remembered as invalid. */
  readonly invalidCount: number;
  /** How many requests wait. */
  readonly waitingCount: number;
  close(): void;
}

export interface EarlyRequest {
  readonly clientId: string;
  /** Byte string; empty where the request carries none. */
  readonly connId: string;
  readonly bytes: number;
  readonly registered: () => void;
  readonly refused: () => void;
}

export interface EarlyRequestsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Grace time, 1,000 in the original. */
  readonly waitMillis: number;
  /** A client that is not known here begins to wait: others may know it. @param connId byte string; empty for unknown */
  readonly onUnknown?: (clientId: string, connId: string) => void;
}

/** At this many remembered invalid clients, others are dropped. @see partitioning.md 10.1 */
const INVALID_MAX = 256;
const INVALID_DROPPED = 33;

/** What waits at most over all clients; a request beyond is refused at once. A client library sends up to 16,384 ahead. */
const WAITING_MAX = 65_536;
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

interface Waiting {
  readonly clientId: string;
  readonly key: string;
  readonly requests: EarlyRequest[];
  readonly timer: Timer;
}

export function createEarlyRequests(options: EarlyRequestsOptions): EarlyRequests {
  const invalid = new Set<string>();
  const waiting = new Map<string, Waiting>();
  let count = 0;
  let bytes = 0;

  const keyOf = (clientId: string, connId: string): string => `${clientId}:${connId}`;

  const take = (entry: Waiting): readonly EarlyRequest[] => {
    waiting.delete(entry.key);
    entry.timer.cancel();
    for (const request of entry.requests) {
      count--;
      bytes -= request.bytes;
    }
    return entry.requests;
  };

  const expire = (key: string): void => {
    const entry = waiting.get(key);
    if (entry === undefined) return;
    remember(key);
    for (const request of take(entry)) request.refused();
  };

  const remember = (key: string): void => {
    if (invalid.size >= INVALID_MAX) {
      const known = [...invalid];
      for (let dropped = 0; dropped < INVALID_DROPPED; dropped++) {
        const at = Math.floor(options.random.next() * known.length);
        invalid.delete(known[at]!);
        known[at] = known[known.length - 1]!;
        known.pop();
      }
    }
    invalid.add(key);
  };

  return {
    get invalidCount() {
      return invalid.size;
    },
    get waitingCount() {
      return count;
    },
    wait(request) {
      const key = keyOf(request.clientId, request.connId);
      if (invalid.has(key) || count >= WAITING_MAX || bytes + request.bytes > WAITING_BYTES_MAX) {
        request.refused();
        return;
      }
      let entry = waiting.get(key);
      if (entry === undefined) {
        const timer = options.clock.setTimer(options.waitMillis, () => expire(key));
        entry = { clientId: request.clientId, key, requests: [], timer };
        waiting.set(key, entry);
        options.onUnknown?.(request.clientId, request.connId);
      }
      entry.requests.push(request);
      count++;
      bytes += request.bytes;
    },
    registered(clientId, connId) {
      invalid.delete(keyOf(clientId, connId));
      // Subscribe requests name no connection.
      invalid.delete(keyOf(clientId, ""));
      for (const entry of [...waiting.values()]) {
        if (entry.clientId !== clientId) continue;
        for (const request of take(entry)) request.registered();
      }
    },
    close() {
      for (const entry of [...waiting.values()]) take(entry);
    },
  };
}
