/** Refused servers that are remembered so that each is logged once; beyond, the list starts afresh. */
const REFUSED_PEERS_MAX = 256;

/** Which servers have been refused, so that each leaves one line in the log however often it asks. */
export interface Refusals {
  /** @returns whether it is new */
  add(serverId: string): boolean;
}

export function createRefusals(): Refusals {
  const seen = new Set<string>();
  return {
    add(serverId): boolean {
      if (seen.has(serverId)) return false;
      if (seen.size >= REFUSED_PEERS_MAX) seen.clear();
      seen.add(serverId);
      return true;
    },
  };
}
