/** What has been counted since the broker was made. */
export interface Counters {
  inMessages: number;
  inBytes: number;
  outMessages: number;
  outBytes: number;
  connections: number;
  slowConsumers: number;
  staleConnections: number;
}

export function newCounters(): Counters {
  return {
    inMessages: 0,
    inBytes: 0,
    outMessages: 0,
    outBytes: 0,
    connections: 0,
    slowConsumers: 0,
    staleConnections: 0,
  };
}
