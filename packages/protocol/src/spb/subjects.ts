/** Where partitioned servers send their channel lists. The discover prefix does not affect it. @see partitioning.md 6.2 */
export function partitionSubject(clusterId: string): string {
  return `_STAN.part.${clusterId}`;
}

/** Where the active server of a fault-tolerance group sends its heartbeats. @see fault-tolerance.md 3 */
export function faultToleranceSubject(clusterId: string, group: string): string {
  return `_STAN.ft.${clusterId}.${group}`;
}
