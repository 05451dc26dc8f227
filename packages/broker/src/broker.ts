import { type Bus, nuidSource, silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { createAuthenticator } from "./authorization.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { ClientInfo } from "./client-info.ts";
import { ClientListener, isVerifying } from "./client-listener.ts";
import { clientUrls } from "./cluster/client-urls.ts";
import { Cluster, type ClusterContext } from "./cluster/cluster.ts";
import { clusterSettingsOf, routeLineMax } from "./cluster/cluster-options.ts";
import type { SharedContext } from "./cluster/route-context.ts";
import { hostPort, parseHostPort } from "./cluster/route-url.ts";
import { Connection, type NewClient } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { newCounters } from "./counters.ts";
import { Delivery } from "./delivery.ts";
import { BrokerError } from "./errors.ts";
import { LocalBus, type LocalBusContext } from "./local-bus.ts";
import { MemberPicker } from "./member-picker.ts";
import { advertiseOf, type BrokerOptions, HOST_DEFAULT, limitsOf, portOf, VERSION_DEFAULT } from "./options.ts";
import { Router } from "./router.ts";
import { serverIdentity } from "./server-identity.ts";
import type { BrokerStatistics, ConnectionStatistics, LocalBusStatistics, RouteStatistics } from "./statistics.ts";
import type { Transport } from "./transport.ts";
import { Turn } from "./turn.ts";

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  /** The port that was taken, also when any free one was asked for. */
  readonly port: number;
}

export interface ListenOptions {
  /** Runs between the lines of the log that introduce the server and those that say where it listens. */
  readonly beforeListening?: () => void | Promise<void>;
}

/** An in-process NATS server. Local buses work from the start; clients can connect once it listens. */
export interface Broker extends AsyncDisposable {
  /** `N` and 55 characters, new with each broker. */
  readonly serverId: string;
  /**
   * Opens the listener and settles when clients can connect.
   * @throws BrokerError `listen_failed`, `bad_state`
   */
  listen(options?: ListenOptions): Promise<BrokerAddress>;
  /** A connection without a socket. `name` is how monitoring lists it. @throws BrokerError `bad_state` after close */
  localBus(name: string): Bus;
  statistics(): BrokerStatistics;
  /** The open connections in the order in which they came, local buses aside. */
  connections(): readonly ConnectionStatistics[];
  /** The open local buses in the order in which they were made. */
  localBuses(): readonly LocalBusStatistics[];
  /** The routes to other servers in use, one for each. */
  routes(): readonly RouteStatistics[];
  /**
   * Takes no more connections, tells clients that understand it to turn elsewhere (`INFO` with `ldm`), sends what is
   * pending for them, at most for `drainMillis`, and closes them and the local buses. Idempotent.
   */
  close(): Promise<void>;
}

/** Makes a broker that does not listen yet. @throws BrokerError `bad_option` */
export function createBroker(options: BrokerOptions = {}): Broker {
  return new InProcessBroker(options);
}

class InProcessBroker implements Broker {
  readonly serverId: string;
  readonly #serverName: string;
  readonly #version: string;
  readonly #host: string;
  readonly #wantedPort: number;
  readonly #context: ConnectionContext;
  readonly #busContext: LocalBusContext;
  readonly #buses = new Set<LocalBus>();
  /** Connections that are served, and, beyond them, those whose sockets are not gone yet. */
  readonly #served = new Set<Connection>();
  readonly #present = new Set<Connection>();
  readonly #startedAt: number;
  readonly #listener: ClientListener;
  readonly #isEncrypted: boolean;
  readonly #cluster: Cluster | undefined;
  readonly #clientAdvertise: string;
  #hasNews = false;
  #isListening = false;
  #port = 0;
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #onAllGone: (() => void) | undefined;

  constructor(options: BrokerOptions) {
    const random = options.random ?? systemRandom();
    const clock = options.clock ?? systemClock();
    const limits = limitsOf(options);
    const counters = newCounters();
    const router = new Router(int32(random));
    this.serverId = serverIdentity(random);
    this.#serverName = options.serverName ?? this.serverId;
    this.#version = options.version ?? VERSION_DEFAULT;
    this.#host = options.host ?? HOST_DEFAULT;
    this.#clientAdvertise = advertiseOf(options);
    this.#wantedPort = portOf(options);
    this.#startedAt = clock.monotonicMillis();
    const onHandlerError = options.onHandlerError ?? throwApart;
    const delivery = new Delivery(router, counters, new MemberPicker(random), clock, onHandlerError);
    const shared = {
      limits,
      router,
      delivery,
      turn: new Turn(clock),
      pool: new ChunkPool(),
      counters,
      clock,
      random,
      logger: options.logger ?? silentLogger,
    };
    this.#isEncrypted = options.tls !== undefined;
    this.#cluster = this.#clusterOf(options, shared, nuidSource(random)());
    const authenticator = createAuthenticator(options.authorization, options.bcrypt);
    this.#context = {
      ...shared,
      authenticator,
      info: new ClientInfo({
        serverId: this.serverId,
        serverName: this.#serverName,
        version: this.#version,
        maxPayload: limits.maxPayload,
        isAuthRequired: authenticator.required && authenticator.anonymous === undefined,
        isTlsRequired: this.#isEncrypted,
        isTlsVerified: isVerifying(options.tls),
        address: () => this.#advertised,
        cluster: this.#cluster,
      }),
      onClosed: (connection) => this.#served.delete(connection),
      onGone: (connection) => this.#forget(connection),
    };
    this.#listener = new ClientListener({
      context: this.#context,
      tls: options.tls,
      nextId: () => ++this.#lastId,
      onClient: (client, transport) => this.#welcome(client, transport),
    });
    this.#busContext = {
      router,
      delivery,
      clock,
      maxPayload: limits.maxPayload,
      nuid: nuidSource(random),
      url: () => `nats://${hostPort(this.#host, this.#port)}`,
      onClosed: (bus) => this.#buses.delete(bus),
    };
  }

  async listen(options: ListenOptions = {}): Promise<BrokerAddress> {
    if (this.#closing !== undefined) throw new BrokerError("bad_state", "the broker is closed");
    if (this.#isListening) throw new BrokerError("bad_state", "the broker is listening already");
    const { logger } = this.#context;
    this.#isListening = true;
    logger.info("Starting nats-server");
    logger.info(`  Version:  ${this.#version}`);
    logger.info("  Git:      [not set]");
    if (this.#cluster !== undefined) logger.info(`  Cluster:  ${this.#cluster.name}`);
    logger.info(`  Name:     ${this.#serverName}`);
    logger.info(`  ID:       ${this.serverId}`);
    await options.beforeListening?.();
    try {
      this.#port = await this.#listener.open(this.#host, this.#wantedPort);
    } catch (error) {
      this.#isListening = false;
      throw error;
    }
    logger.info(`Listening for client connections on ${hostPort(this.#host, this.#port)}`);
    if (this.#isEncrypted) logger.info("TLS required for client connections");
    logger.info("Server is ready");
    try {
      await this.#cluster?.listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    return { host: this.#host, port: this.#port };
  }

  localBus(name: string): Bus {
    if (this.#closing !== undefined) throw new BrokerError("bad_state", "the broker is closed");
    const bus = new LocalBus(this.#busContext, name);
    this.#buses.add(bus);
    return bus;
  }

  statistics(): BrokerStatistics {
    const { counters, clock, limits, router } = this.#context;
    return {
      serverId: this.serverId,
      serverName: this.#serverName,
      version: this.#version,
      host: this.#host,
      port: this.#port,
      maxPayload: limits.maxPayload,
      maxConnections: limits.maxConnections,
      uptimeMillis: clock.monotonicMillis() - this.#startedAt,
      connections: this.#served.size,
      totalConnections: counters.connections,
      cluster: this.#cluster?.statistics(),
      subscriptions: router.count,
      slowConsumers: counters.slowConsumers,
      staleConnections: counters.staleConnections,
      inMessages: counters.inMessages,
      inBytes: counters.inBytes,
      outMessages: counters.outMessages,
      outBytes: counters.outBytes,
    };
  }

  connections(): readonly ConnectionStatistics[] {
    return [...this.#served].map((connection) => connection.statistics());
  }

  localBuses(): readonly LocalBusStatistics[] {
    return [...this.#buses].map((bus) => bus.statistics());
  }

  routes(): readonly RouteStatistics[] {
    return this.#cluster?.routes() ?? [];
  }

  async close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #shutDown(): Promise<void> {
    const { logger, clock, limits } = this.#context;
    logger.info("Initiating Shutdown...");
    const isListenerClosed = this.#listener.close();
    for (const connection of [...this.#served]) connection.shutDown();
    const isClusterClosed = this.#cluster?.close(limits.drainMillis);
    for (const bus of [...this.#buses]) await bus.close();
    if (this.#present.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(limits.drainMillis, () => {
          for (const connection of this.#present) connection.destroy();
        });
        this.#onAllGone = (): void => {
          timer.cancel();
          resolve();
        };
      });
    }
    await isClusterClosed;
    await isListenerClosed;
    logger.info("Server Exiting..");
  }

  /** Where clients are told that the server is. */
  get #advertised(): BrokerAddress {
    return parseHostPort(this.#clientAdvertise, this.#port) ?? { host: this.#host, port: this.#port };
  }

  #clusterOf(options: BrokerOptions, shared: SharedContext, madeUpName: string): Cluster | undefined {
    if (options.cluster === undefined) return undefined;
    const context: ClusterContext = {
      ...shared,
      settings: clusterSettingsOf(options.cluster),
      bcrypt: options.bcrypt,
      lineMax: routeLineMax(shared.limits.maxControlLine),
      serverId: this.serverId,
      serverName: this.#serverName,
      version: this.#version,
      madeUpName,
      nextId: () => ++this.#lastId,
      ownUrls: () => clientUrls(this.#advertised.host, this.#advertised.port),
      onChange: () => this.#clusterChanged(),
      onJoined: () => {
        for (const bus of this.#buses) bus.topologyChanged();
      },
    };
    return new Cluster(context);
  }

  /** Clients hear of it at the end of the turn, once, however much has changed. */
  #clusterChanged(): void {
    const { clock, info } = this.#context;
    info.version++;
    if (this.#hasNews) return;
    this.#hasNews = true;
    clock.defer(() => {
      this.#hasNews = false;
      for (const connection of this.#served) connection.inform();
    });
  }

  #welcome(client: NewClient, transport: Transport): Connection {
    const connection = new Connection(this.#context, client, transport);
    const { limits, counters } = this.#context;
    counters.connections++;
    this.#present.add(connection);
    connection.start();
    const isFull = limits.maxConnections > 0 && this.#served.size >= limits.maxConnections;
    this.#served.add(connection);
    if (isFull) connection.refuse();
    else if (this.#closing !== undefined) connection.shutDown();
    return connection;
  }

  #forget(connection: Connection): void {
    this.#present.delete(connection);
    if (this.#present.size === 0) this.#onAllGone?.();
  }
}

function int32(random: { fill(target: Uint8Array): void }): number {
  const words = new Int32Array(1);
  random.fill(new Uint8Array(words.buffer));
  return words[0]!;
}

function throwApart(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
