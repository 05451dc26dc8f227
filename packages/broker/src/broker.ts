import { createServer, type Server } from "node:net";
import { type Bus, nuidSource, silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { encodeInfo, type ServerInfo } from "@nats-streaming/protocol/nats";
import { createAuthenticator } from "./authorization.ts";
import { ChunkPool } from "./chunk-pool.ts";
import { Connection } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { newCounters } from "./counters.ts";
import { Delivery } from "./delivery.ts";
import { BrokerError } from "./errors.ts";
import { LocalBus, type LocalBusContext } from "./local-bus.ts";
import { MemberPicker } from "./member-picker.ts";
import { type BrokerOptions, HOST_DEFAULT, limitsOf, portOf, VERSION_DEFAULT } from "./options.ts";
import { Router } from "./router.ts";
import { serverIdentity } from "./server-identity.ts";
import type { BrokerStatistics, ConnectionStatistics, LocalBusStatistics } from "./statistics.ts";
import { adoptSocket } from "./transport.ts";
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
  /** For whoever connects this broker with other NATS servers: tells the local buses that one of them has joined. */
  topologyChanged(): void;
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

/** Why an address could not be taken, in the words of nats-server's log. */
function bindFault(cause: NodeJS.ErrnoException): string {
  switch (cause.code) {
    case "EADDRINUSE":
      return "bind: address already in use";
    case "EACCES":
      return "bind: permission denied";
    case "EADDRNOTAVAIL":
      return "bind: cannot assign requested address";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "lookup: no such host";
    default:
      return cause.message;
  }
}

/** Connections that may wait to be accepted. */
const BACKLOG = 1_024;

/** After so much silence the system looks whether a client's machine is still there. */
const KEEP_ALIVE_MILLIS = 15_000;

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
  #server: Server | undefined;
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
    this.#wantedPort = portOf(options);
    this.#startedAt = clock.monotonicMillis();
    const onHandlerError = options.onHandlerError ?? throwApart;
    const delivery = new Delivery(router, counters, new MemberPicker(random), clock, onHandlerError);
    this.#context = {
      limits,
      router,
      delivery,
      turn: new Turn(clock),
      pool: new ChunkPool(),
      counters,
      authenticator: createAuthenticator(options.authorization),
      clock,
      random,
      logger: options.logger ?? silentLogger,
      onClosed: (connection) => this.#served.delete(connection),
      onGone: (connection) => this.#forget(connection),
    };
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
    if (this.#server !== undefined) throw new BrokerError("bad_state", "the broker is listening already");
    const { logger } = this.#context;
    const server = createServer({
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MILLIS,
    });
    this.#server = server;
    logger.info("Starting nats-server");
    logger.info(`  Version:  ${this.#version}`);
    logger.info("  Git:      [not set]");
    logger.info(`  Name:     ${this.#serverName}`);
    logger.info(`  ID:       ${this.serverId}`);
    await options.beforeListening?.();
    await this.#open(server);
    logger.info(`Listening for client connections on ${hostPort(this.#host, this.#port)}`);
    logger.info("Server is ready");
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

  topologyChanged(): void {
    for (const bus of this.#buses) bus.topologyChanged();
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
    const server = this.#server;
    const isListenerClosed =
      server === undefined ? undefined : new Promise<void>((resolve) => server.close(() => resolve()));
    for (const connection of [...this.#served]) connection.shutDown(this.#info(connection, true));
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
    await isListenerClosed;
    logger.info("Server Exiting..");
  }

  #open(server: Server): Promise<void> {
    server.on("connection", (socket) => {
      adoptSocket(socket, (transport) => {
        const connection = new Connection(this.#context, ++this.#lastId, transport);
        this.#welcome(connection);
        return connection;
      });
    });
    return new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => {
        this.#server = undefined;
        const place = hostPort(this.#host, this.#wantedPort);
        reject(
          new BrokerError(
            "listen_failed",
            `Error listening on port: ${place}, "listen tcp ${place}: ${bindFault(cause)}"`,
            {
              cause,
            },
          ),
        );
      });
      server.listen({ host: this.#host, port: this.#wantedPort, backlog: BACKLOG }, () => {
        server.removeAllListeners("error");
        // A connection that could not be accepted, for want of file descriptors for example, harms nobody else.
        server.on("error", (error) => this.#context.logger.error(`Temporary Client Accept Error (${error.message})`));
        const address = server.address();
        if (typeof address === "object" && address !== null) this.#port = address.port;
        resolve();
      });
    });
  }

  #welcome(connection: Connection): void {
    const { limits, counters } = this.#context;
    counters.connections++;
    this.#present.add(connection);
    connection.start(this.#info(connection, false));
    const isFull = limits.maxConnections > 0 && this.#served.size >= limits.maxConnections;
    this.#served.add(connection);
    if (isFull) connection.refuse();
    else if (this.#closing !== undefined) connection.shutDown(this.#info(connection, true));
  }

  #forget(connection: Connection): void {
    this.#present.delete(connection);
    if (this.#present.size === 0) this.#onAllGone?.();
  }

  #info(connection: Connection, isLast: boolean): Uint8Array {
    const info: ServerInfo = {
      server_id: this.serverId,
      server_name: this.#serverName,
      version: this.#version,
      proto: 1,
      go: `node${process.versions.node}`,
      host: this.#host,
      port: this.#port,
      headers: true,
      ...(this.#context.authenticator.required ? { auth_required: true } : {}),
      max_payload: this.#context.limits.maxPayload,
      client_id: connection.id,
      client_ip: connection.address,
      ...(isLast ? { ldm: true } : {}),
    };
    return encodeInfo(info);
  }
}

function hostPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
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
