/** Where clients reach a server. All are byte strings. @see protocol.md 3.1, 6.2 */
export interface ClientSubjects {
  /** Connect requests. */
  readonly discovery: string;
  /** Client pings: always the discover subject and `.pings`. */
  readonly pings: string;
  /** Prefix of publishes: a dot and the channel follow. */
  readonly publish: string;
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly close: string;
  /** Subscription close requests. */
  readonly subClose: string;
  /** Recorded for compatibility; nothing listens on it. */
  readonly acksSubs: string;
}

/** The discover prefix when the configuration has none. @see protocol.md 16 */
export const DEFAULT_DISCOVER_PREFIX = "_STAN.discover";

/**
 * The subjects of a cluster. The names are those of the server information record, so that the record is
 * `{ clusterId, nodeId: "", ...clientSubjects(…) }`.
 * @see protocol.md 3.1
 */
export function clientSubjects(options: {
  /** May contain dots. */
  readonly clusterId: string;
  readonly discoverPrefix?: string;
}): ClientSubjects {
  const { clusterId, discoverPrefix = DEFAULT_DISCOVER_PREFIX } = options;
  const discovery = `${discoverPrefix}.${clusterId}`;
  return {
    discovery,
    pings: pingSubject(discovery),
    publish: `_STAN.pub.${clusterId}`,
    subscribe: `_STAN.sub.${clusterId}`,
    unsubscribe: `_STAN.unsub.${clusterId}`,
    close: `_STAN.close.${clusterId}`,
    subClose: `_STAN.subclose.${clusterId}`,
    acksSubs: `_STAN.ack.${clusterId}`,
  };
}

/** The ping subject that goes with a discover subject, also with one that was recovered from a store. */
export function pingSubject(discovery: string): string {
  return `${discovery}.pings`;
}
