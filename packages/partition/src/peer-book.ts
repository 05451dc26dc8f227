import { PeerPhase } from "@nats-streaming/protocol/spb";
import { isServerId } from "./seniority.ts";

/** Another partition server of this kind. */
export interface KnownPeer {
  readonly serverId: string;
  readonly isServing: boolean;
  /** Wall-clock milliseconds since 1970; 0 when it does not serve. */
  readonly since: number;
  /** Monotonic milliseconds until which it is not asked, since it did not answer. */
  readonly restsUntil: number;
}

/** Which other partition servers of this kind there are: those that have said so themselves and not gone since. */
export interface PeerBook {
  readonly size: number;
  has(serverId: string): boolean;
  /** Takes note of what a peer says of itself. A tool that only asks is not a peer. */
  note(serverId: string, phase: number, since: number): void;
  remove(serverId: string): void;
  /** It did not answer in time: it is asked again when it is heard of, or after a while. */
  silent(serverId: string, now: number): void;
  serving(): readonly KnownPeer[];
  /**
   * Whom to ask about `key`: all that serve, or of many always the same few, so that a question costs the same however
   * large the cluster is.
   */
  toAsk(key: string, now: number): readonly string[];
}

/** Peers remembered; beyond, others are not taken note of: they are answered, but not asked. */
export const PEERS_MAX = 16_384;

/** At most so many servers are asked one question. */
export const ASKED_MAX = 8;

/** How long a peer that did not answer is left out. */
const REST_MILLIS = 5_000;

export function createPeerBook(ownServerId: string): PeerBook {
  const peers = new Map<string, KnownPeer>();
  return {
    get size() {
      return peers.size;
    },
    has: (serverId) => peers.has(serverId),
    note(serverId, phase, since): void {
      if (serverId === ownServerId || !isServerId(serverId)) return;
      if (phase !== PeerPhase.starting && phase !== PeerPhase.serving) return;
      if (!peers.has(serverId) && peers.size >= PEERS_MAX) return;
      const isServing = phase === PeerPhase.serving;
      peers.set(serverId, { serverId, isServing, since: isServing ? since : 0, restsUntil: 0 });
    },
    remove(serverId): void {
      peers.delete(serverId);
    },
    silent(serverId, now): void {
      const peer = peers.get(serverId);
      if (peer !== undefined) peers.set(serverId, { ...peer, restsUntil: now + REST_MILLIS });
    },
    serving: () => [...peers.values()].filter(({ isServing }) => isServing),
    toAsk(key, now): readonly string[] {
      const ids: string[] = [];
      for (const { serverId, isServing, restsUntil } of peers.values()) {
        if (isServing && restsUntil <= now) ids.push(serverId);
      }
      if (ids.length <= ASKED_MAX) return ids;
      return ids
        .map((id) => ({ id, weight: weightOf(key, id) }))
        .sort((a, b) => a.weight - b.weight || (a.id < b.id ? -1 : 1))
        .slice(0, ASKED_MAX)
        .map(({ id }) => id);
    },
  };
}

/** The same on every server: each key has its own order of the peers. */
function weightOf(key: string, id: string): number {
  let hash = 0x811c9dc5;
  for (const text of [key, id]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
