import type { Bus, Clock, Logger } from "@nats-streaming/kernel";
import { type Client, clear, suspect } from "./client.ts";

export interface HeartbeatOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMillis: number;
  readonly timeoutMillis: number;
  /** The client is lost when it misses more than this many in a row. */
  readonly failCount: number;
  /** The client missed too many. */
  readonly onLost: (client: Client) => void;
}

/** Server heartbeats: one request at a time per client, the next one interval after the former was answered or failed. */
export interface Heartbeats {
  /** First heartbeat one interval from now, or as soon as is said. @see protocol.md 8.1 */
  start(client: Client, firstMillis?: number): void;
  /** A suspect client has shown signs of life: asks it at once. @see protocol.md 8.2.2 */
  soon(client: Client): void;
}

/** How soon a heartbeat follows a ping of a suspect client. */
const SOON_MILLIS = 1;

const NO_PAYLOAD = new Uint8Array(0);

export function createHeartbeats(options: HeartbeatOptions): Heartbeats {
  const { bus, clock, logger } = options;

  const schedule = (client: Client, delayMillis: number): void => {
    client.heartbeatTimer?.cancel();
    client.heartbeatTimer = clock.setTimer(delayMillis, () => void beat(client));
  };

  const beat = async (client: Client): Promise<void> => {
    client.heartbeatTimer = undefined;
    if (client.state === "closed" || client.heartbeatPending) return;
    client.heartbeatPending = true;
    const reply = await bus.request(client.info.hbInbox, NO_PAYLOAD, options.timeoutMillis);
    client.heartbeatPending = false;
    // It may have closed, or been replaced, while its answer was awaited.
    if (isClosed(client)) return;
    if (reply.kind === "reply") {
      clear(client);
    } else {
      suspect(client);
      if (client.missedHeartbeats > options.failCount) {
        logger.error(`[Client:${client.info.id}] Timed out on heartbeats`);
        options.onLost(client);
        return;
      }
    }
    schedule(client, options.intervalMillis);
  };

  return {
    start: (client, firstMillis = options.intervalMillis) => schedule(client, firstMillis),
    soon(client) {
      if (client.state === "suspect" && !client.heartbeatPending) schedule(client, SOON_MILLIS);
    },
  };
}

function isClosed(client: Client): boolean {
  return client.state === "closed";
}
