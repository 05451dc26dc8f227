import { existsSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import { fileURLToPath } from "node:url";
import type { Broker } from "@nats-streaming/broker";
import { type Clock, durationToMillis, type Logger } from "@nats-streaming/kernel";
import {
  type BrokerDirectory,
  type BrokerSettings,
  type Guard,
  idleBroker,
  type MessageAccess,
  type MonitoringServer,
  startMonitoring,
} from "@nats-streaming/monitoring";
import type { Partition } from "@nats-streaming/partition";
import type { Store } from "@nats-streaming/store";
import { clientTls } from "./broker-options.ts";
import { monitoringSource } from "./monitoring-source.ts";
import type { NatsOptions, TlsBlock } from "./options/nats-options.ts";
import type { MonitoringOptions, StreamingOptions } from "./options/streaming-options.ts";
import { NATS_VERSION } from "./options/version.ts";
import type { ServerState } from "./server-state.ts";
import type { OpenedStore } from "./store/open-store.ts";

/** Where the build puts the dashboard, beside the compiled code. */
const DASHBOARD: string = fileURLToPath(new URL("./dashboard", import.meta.url));

export interface MonitoringSetup {
  readonly serverId: string;
  readonly streaming: StreamingOptions;
  readonly nats: NatsOptions;
  readonly natsLogger: Logger;
  readonly clock: Clock;
  readonly store: Store;
  readonly opened: OpenedStore | undefined;
  /** Undefined with an external NATS server. */
  readonly broker: Broker | undefined;
  readonly state: () => ServerState;
  readonly partition: () => Partition | undefined;
}

/** Starts monitoring as the options ask for it. @throws (rejects) MonitoringError `listen_failed`, `dashboard_missing` */
export function startServerMonitoring(setup: MonitoringSetup): Promise<MonitoringServer> {
  const { streaming, nats, natsLogger, clock, store, opened, partition } = setup;
  const guard = guardOf(streaming.monitoring);
  const source = monitoringSource({
    serverId: setup.serverId,
    clusterId: streaming.clusterId,
    storeType: store.kind,
    limits: () => store.limits,
    leftOut: () => opened?.leftOut() ?? [],
    clock,
    state: setup.state,
    ...(nats.serverName === "" ? {} : { name: nats.serverName }),
    ...(streaming.partitioning ? { partitions: async () => partition()?.map() } : {}),
    ...(opened?.storage === undefined ? {} : { storage: opened.storage }),
    broker: brokerDirectory(setup),
  });
  return startMonitoring({
    host: monitoringHost(nats),
    port: Math.max(0, nats.httpsPort === 0 ? nats.httpPort : nats.httpsPort),
    ...(nats.httpsPort === 0 ? {} : { tls: monitoringTls(nats.tls) }),
    source,
    clock,
    logger: natsLogger,
    messages: messageAccess(streaming.monitoring.messages),
    ...(guard === undefined ? {} : { guard }),
    // The sources run without a build in tests: then there are links instead.
    ...(streaming.monitoring.dashboard && existsSync(DASHBOARD) ? { dashboard: DASHBOARD } : {}),
  });
}

/** The certificate is that of the clients' port; browsers are not asked for one. @throws UnusableOptionError */
function monitoringTls(block: TlsBlock): SecureContextOptions {
  const { certificate, key } = clientTls(block);
  return { cert: certificate, key, minVersion: "TLSv1.2" };
}

function monitoringHost(nats: NatsOptions): string {
  return nats.httpHost === "" ? nats.host : nats.httpHost;
}

function guardOf({ token, username, password }: MonitoringOptions): Guard | undefined {
  if (token !== "") return { kind: "token", token };
  return username === "" ? undefined : { kind: "basic", user: username, password };
}

/** The words are checked where options are read. */
function messageAccess(word: string): MessageAccess {
  return word === "everybody" || word === "nobody" ? word : "careful";
}

function brokerDirectory({ nats, broker, clock, serverId }: MonitoringSetup): BrokerDirectory {
  const settings = brokerSettings(nats);
  const startedAt = clock.monotonicMillis();
  const uptimeMillis = (): number => clock.monotonicMillis() - startedAt;
  if (broker === undefined) return idleBroker({ serverId, version: NATS_VERSION, settings, uptimeMillis });
  return {
    settings,
    statistics: () => broker.statistics(),
    connections: () => broker.connections(),
    localBuses: () => broker.localBuses(),
    subjects: () => broker.subjects(),
    routes: () => broker.routes(),
  };
}

function brokerSettings(nats: NatsOptions): BrokerSettings {
  const { user, token, users, timeout } = nats.authorization;
  return {
    authRequired: user !== "" || token !== "" || users.length > 0,
    tlsRequired: nats.tls.enabled,
    pingIntervalMillis: durationToMillis(nats.pingInterval),
    pingMax: nats.pingMax,
    maxControlLine: nats.maxControlLineBytes,
    maxPending: nats.maxPendingBytes,
    writeDeadlineMillis: durationToMillis(nats.writeDeadline),
    authTimeoutMillis: durationToMillis(timeout),
    httpHost: monitoringHost(nats),
    httpPort: Math.max(0, nats.httpPort),
    httpsPort: Math.max(0, nats.httpsPort),
  };
}
