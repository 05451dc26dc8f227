/** Figures of a broker for monitoring: a snapshot. */
export interface BrokerStatistics {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly host: string;
  /** 0 until the broker listens. */
  readonly port: number;
  readonly maxPayload: number;
  readonly maxConnections: number;
  readonly uptimeMillis: number;
  /** Open connections, local buses not counted. */
  readonly connections: number;
  /** All connections there ever were. */
  readonly totalConnections: number;
  /** Undefined for a broker without routes. */
  readonly cluster: ClusterStatistics | undefined;
  /** Subscriptions in force, those of local buses and of other servers included. */
  readonly subscriptions: number;
  readonly slowConsumers: number;
  readonly staleConnections: number;
  /** Messages and bytes of payload from publishers, local buses included. */
  readonly inMessages: number;
  readonly inBytes: number;
  /** Messages and bytes of payload to subscribers, local buses included. */
  readonly outMessages: number;
  readonly outBytes: number;
}

/** Figures of one connection. Times are in milliseconds. */
export interface ConnectionStatistics {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly name: string;
  readonly language: string;
  readonly version: string;
  readonly user: string;
  readonly uptimeMillis: number;
  /** Since anything was read. */
  readonly idleMillis: number;
  /** 0 until the first answer to a ping. */
  readonly roundTripMillis: number;
  readonly pendingBytes: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
  readonly subscriptionCount: number;
  /** In the order in which it subscribed. Made as they are reached; some may come and go meanwhile. */
  readonly subscriptions: () => IterableIterator<SubscriptionStatistics>;
}

/** Figures of one subscription of a connection or of a local bus. */
export interface SubscriptionStatistics {
  readonly subject: string;
  /** "" for none. */
  readonly queue: string;
  /** The subscriber's own number for it; "" on a local bus. */
  readonly sid: string;
  /** Messages delivered so far. */
  readonly delivered: number;
  /** Ends after this many messages in all; 0 for no end. */
  readonly max: number;
}

/** Figures of the index of subscriptions by subject since the broker was made. */
export interface SubjectStatistics {
  /** Subscriptions in force. */
  readonly count: number;
  readonly inserts: number;
  readonly removes: number;
  /** Subjects that were looked up. A connection that goes on publishing to one subject looks it up once. */
  readonly lookups: number;
  /** Look-ups that found the receivers of an earlier one still in force, 0 to 1; 0 before the first. */
  readonly cacheHitRate: number;
  /** Subjects whose receivers are at hand. */
  readonly cached: number;
  /** Subscribers outside of queue groups, and queue groups, of a cached subject: the most, and the mean. */
  readonly fanoutMax: number;
  readonly fanoutAverage: number;
}

/** Figures of one route to another server. Times are in milliseconds. */
export interface RouteStatistics {
  readonly id: number;
  readonly remoteId: string;
  readonly remoteName: string;
  /** This server has opened the connection. */
  readonly isSolicited: boolean;
  /** The address was configured here. */
  readonly isConfigured: boolean;
  readonly address: string;
  readonly port: number;
  readonly uptimeMillis: number;
  /** Since anything was read. */
  readonly idleMillis: number;
  /** 0 until the first answer to a ping. */
  readonly roundTripMillis: number;
  readonly pendingBytes: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
  /** How many subjects and queue groups the other server listens to, and, when asked, which subjects. */
  readonly subscriptionCount: number;
  readonly subscriptions: () => readonly string[];
}

/** Figures of the cluster a broker belongs to. */
export interface ClusterStatistics {
  readonly name: string;
  /** Where routes are listened for; the port is 0 until then. */
  readonly host: string;
  readonly port: number;
  /** `host:port` of the configured routes. */
  readonly configuredRoutes: readonly string[];
  /** Routes in use, one for each other server. */
  readonly routes: number;
}

/** Figures of one local bus. */
export interface LocalBusStatistics {
  readonly name: string;
  readonly subscriptionCount: number;
  /** In the order in which it subscribed. Made as they are reached; some may come and go meanwhile. */
  readonly subscriptions: () => IterableIterator<SubscriptionStatistics>;
}
