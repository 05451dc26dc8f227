import type { Clock } from "@nats-streaming/kernel";
import { byteString } from "@nats-streaming/protocol";
import type { ClientInfo } from "@nats-streaming/store";

/** What has happened to clients lately, for what other partition servers ask. */
export interface RecentClients {
  /** It was closed or replaced here. */
  closed(info: ClientInfo): void;
  /** It has answered the server. */
  alive(info: ClientInfo): void;
  wasClosed(clientId: string): boolean;
  /** Whether this server itself has closed the connection: it need not ask anybody. */
  wasConnectionClosed(connId: Uint8Array): boolean;
  wasAlive(info: ClientInfo): boolean;
}

/** How long a closed client ID counts as closed a moment ago: longer than a close request takes to reach everybody. */
const CLOSED_MILLIS = 5_000;
/** How long a sign of life counts: as long as the checks of one connect request may be apart. */
const ALIVE_MILLIS = 2_000;
/** Clients remembered of each kind; beyond, the oldest is forgotten, and the others are asked. */
const REMEMBERED_MAX = 65_536;

export function createRecentClients(clock: Clock): RecentClients {
  const closedIds = new Map<string, number>();
  const closedConnections = new Map<string, number>();
  const alive = new Map<string, number>();

  const note = (map: Map<string, number>, key: string): void => {
    map.delete(key);
    map.set(key, clock.monotonicMillis());
    if (map.size <= REMEMBERED_MAX) return;
    for (const oldest of map.keys()) {
      map.delete(oldest);
      return;
    }
  };
  const isWithin = (map: ReadonlyMap<string, number>, key: string, millis: number): boolean => {
    const at = map.get(key);
    return at !== undefined && clock.monotonicMillis() - at <= millis;
  };

  return {
    closed(info): void {
      note(closedIds, info.id);
      if (info.connId.length > 0) note(closedConnections, byteString(info.connId));
    },
    alive: (info) => note(alive, keyOf(info)),
    wasClosed: (clientId) => isWithin(closedIds, clientId, CLOSED_MILLIS),
    wasConnectionClosed: (connId) => connId.length > 0 && closedConnections.has(byteString(connId)),
    wasAlive: (info) => isWithin(alive, keyOf(info), ALIVE_MILLIS),
  };
}

function keyOf(info: ClientInfo): string {
  return `${info.id} ${info.hbInbox}`;
}
