/** Where partitioned servers send their channel lists. The discover prefix does not affect it. @see partitioning.md 6.2 */
export function partitionSubject(clusterId: string): string {
  return `_STAN.part.${clusterId}`;
}

/**
 * Where partition servers of this kind talk to all others of their kind. Servers of other kinds do not listen below the
 * partitioning subject.
 * @see docs/partition-protocol.md
 */
export function peersSubject(clusterId: string): string {
  return `${partitionSubject(clusterId)}.$peers`;
}

/** Where one partition server of this kind is asked. @param serverId letters and digits only: it is a token */
export function peerSubject(clusterId: string, serverId: string): string {
  return `${partitionSubject(clusterId)}.$peer.${serverId}`;
}

/** Where the active server of a fault-tolerance group sends its heartbeats. @see fault-tolerance.md 3 */
export function faultToleranceSubject(clusterId: string, group: string): string {
  return `_STAN.ft.${clusterId}.${group}`;
}
