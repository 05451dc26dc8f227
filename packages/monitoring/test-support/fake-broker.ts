import type { BrokerConnection, BrokerDirectory, BrokerSettings, BrokerSubscription } from "../src/index.ts";

export const SETTINGS: BrokerSettings = {
  authRequired: false,
  tlsRequired: false,
  pingIntervalMillis: 120_000,
  pingMax: 2,
  maxControlLine: 4_096,
  maxPending: 67_108_864,
  writeDeadlineMillis: 10_000,
  authTimeoutMillis: 2_000,
  httpHost: "127.0.0.1",
  httpPort: 8_333,
  httpsPort: 0,
};

/** A broker whose numbers are those of the recorded answers. */
export function fakeBroker(changes: Partial<BrokerDirectory> = {}): BrokerDirectory {
  return {
    settings: SETTINGS,
    statistics: () => ({
      serverId: "NAP4CL7FCACY4K6MTBD7LH6MWZO7YG7YRARKJG2VT2SUAC2IUTZZI7DP",
      serverName: "one",
      version: "2.9.10",
      host: "127.0.0.1",
      port: 4_333,
      maxPayload: 1_048_576,
      maxConnections: 65_536,
      uptimeMillis: 1_788,
      connections: 1,
      totalConnections: 3,
      cluster: { name: "cc", host: "127.0.0.1", port: 6_333, configuredRoutes: [], routes: 1 },
      subscriptions: 85,
      slowConsumers: 0,
      inMessages: 3,
      inBytes: 1_365,
      outMessages: 4,
      outBytes: 1_890,
    }),
    connections: () => [fakeConnection()],
    localBuses: () => [
      {
        name: "_NSS-test-cluster-general",
        subscriptionCount: 1,
        subscriptions: () => [fakeBrokerSubscription("_STAN.discover.test-cluster", { delivered: 4 })],
      },
    ],
    *subjects() {
      yield;
      return {
        count: 85,
        inserts: 100,
        removes: 15,
        lookups: 8,
        cacheHitRate: 0.25,
        cached: 6,
        fanoutMax: 3,
        fanoutAverage: 1.5,
      };
    },
    routes: () => [
      {
        id: 4,
        remoteId: "NASFO7I2HTO26APO7323QH7U4WNP7O3GLONUG2SFE7UGMOPRYGMM2D4N",
        remoteName: "two",
        isSolicited: false,
        isConfigured: false,
        address: "127.0.0.1",
        port: 53_646,
        uptimeMillis: 807,
        idleMillis: 50,
        roundTripMillis: 0,
        pendingBytes: 0,
        inMessages: 2,
        inBytes: 1_364,
        outMessages: 3,
        outBytes: 1_889,
        subscriptionCount: 1,
        subscriptions: () => ["foo.bar"],
      },
    ],
    ...changes,
  };
}

export function fakeConnection(changes: Partial<BrokerConnection> = {}): BrokerConnection {
  return {
    id: 5,
    address: "127.0.0.1",
    port: 35_084,
    name: "cli",
    language: "nats.js",
    version: "2.29.3",
    user: "me",
    uptimeMillis: 89,
    idleMillis: 80,
    roundTripMillis: 5.240662,
    pendingBytes: 0,
    inMessages: 1,
    inBytes: 1,
    outMessages: 1,
    outBytes: 1,
    ...withSubscriptions([
      fakeBrokerSubscription("foo.bar", { sid: "1", delivered: 2, max: 10 }),
      fakeBrokerSubscription("q", { sid: "7", queue: "grp" }),
    ]),
    ...changes,
  };
}

/** What a connection has of these subscriptions. */
export function withSubscriptions(
  subscriptions: readonly BrokerSubscription[],
): Pick<BrokerConnection, "subscriptionCount" | "subscriptions"> {
  return { subscriptionCount: subscriptions.length, subscriptions: () => subscriptions };
}

export function fakeBrokerSubscription(subject: string, changes: Partial<BrokerSubscription> = {}): BrokerSubscription {
  return { subject, queue: "", sid: "", delivered: 0, max: 0, ...changes };
}
