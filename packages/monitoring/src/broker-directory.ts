/**
 * The embedded NATS server, for `/varz`, `/connz`, `/subsz` and `/routez`. The composition root fills it from the broker;
 * for a server on an external NATS server there is {@link idleBroker}. Times are in milliseconds.
 */
export interface BrokerDirectory {
  readonly settings: BrokerSettings;
  statistics(): BrokerSnapshot;
  /** Open connections of clients, in the order in which they came. */
  connections(): readonly BrokerConnection[];
  /** Connections of this very process. */
  localBuses(): readonly BrokerLocalBus[];
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
  readonly subscriptions: readonly string[];
}

export interface BrokerRoute extends BrokerTraffic {
  readonly remoteId: string;
  readonly remoteName: string;
  readonly isSolicited: boolean;
  readonly isConfigured: boolean;
  readonly subscriptionCount: number;
  readonly subscriptions: () => readonly string[];
}

export interface BrokerLocalBus {
  readonly name: string;
  readonly subscriptions: readonly string[];
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
    routes: () => [],
  };
}

/** The original shows the default port there. */
const NATS_PORT = 4_222;
