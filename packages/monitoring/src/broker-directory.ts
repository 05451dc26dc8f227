/**
 * The embedded NATS server, for `/varz`, `/connz`, `/subsz` and `/routez`. The composition root fills it from the broker;
 * for a server on an external NATS server there is {@link idleBroker}. Times are in milliseconds.
 */
export interface BrokerDirectory {
  readonly settings: BrokerSettings;
  statistics(): BrokerSnapshot;
  /** Open connections of clients, in the order in which they came. */
  connections(): Iterable<BrokerConnection>;
  /** Connections of this very process. */
  localBuses(): readonly BrokerLocalBus[];
  /** The index of subscriptions by subject, counted in steps: a step is over at each `yield`. */
  subjects(): Generator<void, BrokerSubjects>;
  /** Routes to other NATS servers in use. */
  routes(): readonly BrokerRoute[];
}

/** What does not change while it runs. */
export interface BrokerSettings {
  readonly authRequired: boolean;
  readonly tlsRequired: boolean;
  readonly pingIntervalMillis: number;
  readonly pingMax: number;
  readonly maxControlLine: number;
  readonly maxPending: number;
  readonly writeDeadlineMillis: number;
  readonly authTimeoutMillis: number;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly httpsPort: number;
}

/** An embedded NATS server as it is now. */
export interface BrokerSnapshot {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly maxPayload: number;
  readonly maxConnections: number;
  readonly uptimeMillis: number;
  readonly connections: number;
  readonly totalConnections: number;
  /** Undefined for one without routes. */
  readonly cluster: BrokerCluster | undefined;
  readonly subscriptions: number;
  readonly slowConsumers: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
}

/** How an embedded NATS server takes part in a cluster of its kind. */
export interface BrokerCluster {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` of the configured routes. */
  readonly configuredRoutes: readonly string[];
  readonly routes: number;
}

/** Traffic of a connection or a route. */
export interface BrokerTraffic {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly uptimeMillis: number;
  readonly idleMillis: number;
  /** 0 until the first answer to a ping. */
  readonly roundTripMillis: number;
  readonly pendingBytes: number;
  readonly inMessages: number;
  readonly inBytes: number;
  readonly outMessages: number;
  readonly outBytes: number;
}

export interface BrokerConnection extends BrokerTraffic {
  readonly name: string;
  readonly language: string;
  readonly version: string;
  readonly user: string;
  readonly subscriptionCount: number;
  /** In the order in which it subscribed; each is made as it is reached, and some may come and go meanwhile. */
  readonly subscriptions: () => Iterable<BrokerSubscription>;
}

/** A subscription of a NATS client. */
export interface BrokerSubscription {
  readonly subject: string;
  /** "" for none. */
  readonly queue: string;
  /** The subscriber's own number for it; "" for one of this very process. */
  readonly sid: string;
  /** Messages delivered so far. */
  readonly delivered: number;
  /** Ends after this many messages in all; 0 for no end. */
  readonly max: number;
}

/** Figures since the start. */
export interface BrokerSubjects {
  /** Subscriptions in force. */
  readonly count: number;
  readonly inserts: number;
  readonly removes: number;
  readonly lookups: number;
  /** 0 to 1. */
  readonly cacheHitRate: number;
  /** Subjects whose subscribers are at hand. */
  readonly cached: number;
  /** Subscribers of a cached subject, a queue group counting once: the most, and the mean. */
  readonly fanoutMax: number;
  readonly fanoutAverage: number;
}

export interface BrokerRoute extends BrokerTraffic {
  readonly remoteId: string;
  readonly remoteName: string;
  readonly isSolicited: boolean;
  readonly isConfigured: boolean;
  readonly subscriptionCount: number;
  readonly subscriptions: () => readonly string[];
}

/** The connection of this very process, which needs no socket. */
export interface BrokerLocalBus {
  readonly name: string;
  readonly subscriptionCount: number;
  readonly subscriptions: () => Iterable<BrokerSubscription>;
}

/** What the NATS endpoints show where no NATS server is embedded: one that does nothing. @see monitoring.md 1 */
export function idleBroker(options: {
  readonly serverId: string;
  readonly version: string;
  readonly settings: BrokerSettings;
  /** Milliseconds since the start. */
  readonly uptimeMillis: () => number;
}): BrokerDirectory {
  const { serverId, version, settings, uptimeMillis } = options;
  return {
    settings,
    statistics: () => ({
      serverId,
      serverName: serverId,
      version,
      host: "0.0.0.0",
      port: NATS_PORT,
      maxPayload: 1_048_576,
      maxConnections: 65_536,
      uptimeMillis: uptimeMillis(),
      connections: 0,
      totalConnections: 0,
      cluster: undefined,
      subscriptions: 0,
      slowConsumers: 0,
      inMessages: 0,
      inBytes: 0,
      outMessages: 0,
      outBytes: 0,
    }),
    connections: () => [],
    localBuses: () => [],
    // biome-ignore lint/correctness/useYield: there is nothing to count.
    *subjects(): Generator<void, BrokerSubjects> {
      return NO_SUBJECTS;
    },
    routes: () => [],
  };
}

/** Of an index without a subscription. */
export const NO_SUBJECTS: BrokerSubjects = {
  count: 0,
  inserts: 0,
  removes: 0,
  lookups: 0,
  cacheHitRate: 0,
  cached: 0,
  fanoutMax: 0,
  fanoutAverage: 0,
};

/** The original shows the default port there. */
const NATS_PORT = 4_222;
