import { type Bus, nuidSource, silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { type Authenticator, createAuthenticator } from "./authorization.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { ClientInfo } from "./client-info.ts";
import { ClientListener, isVerifying } from "./client-listener.ts";
import { clientUrls } from "./cluster/client-urls.ts";
import { Cluster, type ClusterContext, routeAuthenticator } from "./cluster/cluster.ts";
import { clusterSettingsOf, routeLineMax } from "./cluster/cluster-options.ts";
import type { SharedContext } from "./cluster/route-context.ts";
import { hostPort, parseHostPort } from "./cluster/route-url.ts";
import { Connection, type NewClient } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { newCounters } from "./counters.ts";
import { Delivery } from "./delivery.ts";
import { BrokerError } from "./errors.ts";
import { dismissOverTime, type LameDuck } from "./lame-duck.ts";
import { LocalBus, type LocalBusContext } from "./local-bus.ts";
import { MemberPicker } from "./member-picker.ts";
import { advertiseOf, type BrokerOptions, HOST_DEFAULT, limitsOf, portOf, VERSION_DEFAULT } from "./options.ts";
import type { BcryptCompare } from "./passwords.ts";
import type { BrokerReload } from "./reload.ts";
import { Router } from "./router.ts";
import { serverIdentity } from "./server-identity.ts";
import type {
  BrokerStatistics,
  ConnectionStatistics,
  LocalBusStatistics,
  RouteStatistics,
  SubjectStatistics,
} from "./statistics.ts";
import type { Transport } from "./transport.ts";
import { Turn } from "./turn.ts";

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  /** The port that was taken, also when any free one was asked for. */
  readonly port: number;
}

/** What may happen while a broker starts to listen. */
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
  connections(): IterableIterator<ConnectionStatistics>;
  /** The open local buses in the order in which they were made. */
  localBuses(): readonly LocalBusStatistics[];
  /** The index of subscriptions by subject, counted in steps: a step is over at each `yield`. */
  subjects(): Generator<void, SubjectStatistics>;
  /** The routes to other servers in use, one for each. */
  routes(): readonly RouteStatistics[];
  /**
   * Takes over what can change while it runs; settles when all connections have been looked at. One after the other, when
   * called again meanwhile. Lines of the log's finer levels follow the logger as it is then.
   * @throws (rejects) BrokerError `bad_option`, and nothing has changed; `bad_state` after close
   */
  reload(options: BrokerReload): Promise<void>;
  /**
   * Sends clients elsewhere before the end: takes no more connections, tells clients that understand it and other servers
   * (`INFO` with `ldm`, without this server's addresses), and after the grace period closes connections one by one. Settles
   * when all are gone, though not before the grace period is over, or with {@link close}; local buses stay. Once: a second
   * call settles with the first.
   */
  lameDuck(options: LameDuck): Promise<void>;
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
  #isEncrypted: boolean;
  readonly #cluster: Cluster | undefined;
  #clientAdvertise: string;
  readonly #bcrypt: BcryptCompare | undefined;
  #hasNews = false;
  #isListening = false;
  #port = 0;
  #lastId = 0;
  #closing: Promise<void> | undefined;
  #onAllGone: (() => void) | undefined;
  /** The last reload; the next one waits for it. */
  #reloading: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | undefined;
  #endLeaving: (() => void) | undefined;
  #onAllLeft: (() => void) | undefined;

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
    this.#bcrypt = options.bcrypt;
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
        isAuthRequired: demandsLogin(authenticator),
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
      get maxPayload(): number {
        return limits.maxPayload;
      },
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

  *connections(): IterableIterator<ConnectionStatistics> {
    for (const connection of this.#served) yield connection.statistics();
  }

  localBuses(): readonly LocalBusStatistics[] {
    return [...this.#buses].map((bus) => bus.statistics());
  }

  subjects(): Generator<void, SubjectStatistics> {
    return this.#context.router.counting();
  }

  routes(): readonly RouteStatistics[] {
    return this.#cluster?.routes() ?? [];
  }

  reload(options: BrokerReload): Promise<void> {
    const done = this.#reloading.then(() => this.#reload(options));
    this.#reloading = done.catch(() => {});
    return done;
  }

  async #reload(options: BrokerReload): Promise<void> {
    if (this.#closing !== undefined) throw new BrokerError("bad_state", "the broker is closed");
    // Everything that can be wrong, before anything changes.
    const limits = limitsOf(options);
    const clientAdvertise = advertiseOf(options);
    const authenticator = createAuthenticator(options.authorization, this.#bcrypt);
    const clusterSettings = options.cluster === undefined ? undefined : clusterSettingsOf(options.cluster);
    if (clusterSettings !== undefined) routeAuthenticator(clusterSettings, this.#bcrypt);
    this.#listener.secure(options.tls);

    const { info } = this.#context;
    Object.assign(this.#context.limits, limits);
    this.#clientAdvertise = clientAdvertise;
    this.#isEncrypted = options.tls !== undefined;
    this.#context.authenticator = authenticator;
    info.change({
      maxPayload: limits.maxPayload,
      isAuthRequired: demandsLogin(authenticator),
      isTlsRequired: this.#isEncrypted,
      isTlsVerified: isVerifying(options.tls),
    });
    for (const connection of this.#served) connection.log.refresh();
    for (const connection of [...this.#served]) await connection.reauthorize();
    this.#closeSurplus();
    if (clusterSettings !== undefined) await this.#cluster?.reload(clusterSettings);
  }

  /** Whoever came last goes first. */
  #closeSurplus(): void {
    const { limits, logger } = this.#context;
    const surplus = limits.maxConnections === 0 ? 0 : Math.max(0, this.#served.size - limits.maxConnections);
    if (surplus === 0) return;
    for (const connection of [...this.#served].slice(-surplus)) connection.refuse();
    logger.info(`Closed ${surplus} connections to fall within max_connections`);
  }

  lameDuck(options: LameDuck): Promise<void> {
    this.#leaving ??= this.#leave(options);
    return this.#leaving;
  }

  async #leave(options: LameDuck): Promise<void> {
    if (this.#closing !== undefined) return;
    const { logger, clock, random, info } = this.#context;
    logger.info("Entering lame duck mode, stop accepting new clients");
    void this.#listener.close();
    info.isLast = true;
    this.#cluster?.announceEnd();
    this.#clusterChanged();
    let staying: Connection[] = [];
    await new Promise<void>((resolve) => {
      const stop = dismissOverTime({
        ...options,
        clock,
        random,
        begin: () => {
          this.#onAllLeft = resolve;
          if (this.#present.size === 0) resolve();
          else logger.info("Closing existing clients");
          staying = [...this.#served];
          return staying.length;
        },
        dismiss: (count) => {
          for (const connection of staying.splice(0, count)) connection.dismiss();
          return staying.length;
        },
      });
      this.#endLeaving = (): void => {
        stop();
        resolve();
      };
    });
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
    this.#endLeaving?.();
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
    if (this.#present.size > 0) return;
    this.#onAllGone?.();
    this.#onAllLeft?.();
  }
}

function demandsLogin(authenticator: Authenticator): boolean {
  return authenticator.required && authenticator.anonymous === undefined;
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
