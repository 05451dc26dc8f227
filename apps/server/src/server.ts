import { type Broker, createBroker } from "@nats-streaming/broker";
import { type Engine, startEngine } from "@nats-streaming/engine";
import {
  type FaultTolerance,
  type FaultToleranceFailure,
  FILE_LOCK_PROBE_MILLIS,
  faultToleranceFault,
  startFaultTolerance,
} from "@nats-streaming/fault-tolerance";
import { type Bus, type Clock, displayName, type Logger, nuidSource, type Random } from "@nats-streaming/kernel";
import type { MonitoringServer } from "@nats-streaming/monitoring";
import { connectNatsBus } from "@nats-streaming/nats-bus";
import {
  type ConflictRule,
  guardUnpartitioned,
  type Partition,
  type PartitionWatch,
  startPartition,
  type UnpartitionedGuard,
  type WatchOptions,
  watchPartition,
} from "@nats-streaming/partition";
import { checkLimits, describeLimits, type Store, type StoreLimits } from "@nats-streaming/store";
import { refusalOf, withoutEffect } from "./available.ts";
import { brokerOptions } from "./broker-options.ts";
import { engineOptions } from "./engine-options.ts";
import { startServerMonitoring } from "./monitoring-setup.ts";
import { natsBusOptions } from "./nats-bus-options.ts";
import type { NatsOptions } from "./options/nats-options.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";
import { SERVER_VERSION } from "./options/version.ts";
import type { ServerPorts } from "./reload/ports-file.ts";
import type { Leaving, ReloadTarget } from "./reload/reload-target.ts";
import type { ServerState } from "./server-state.ts";
import { type StartFailure, startFailure, startRefusal } from "./start-failure.ts";
import { inByteStrings, lockStore, type OpenedStore, openStore } from "./store/open-store.ts";

/** Exit status of a server that could not go on; a member of a fault tolerance group has others. */
const EXIT_FAILED = 1;

/** What a server is made from. */
export interface ServerOptions {
  readonly streaming: StreamingOptions;
  readonly nats: NatsOptions;
  /** Configuration file of the embedded NATS server, for the start-up lines; empty for none. */
  readonly configFile: string;
  /** Of the streaming part. */
  readonly logger: Logger;
  /** Of the embedded NATS server. */
  readonly natsLogger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** The server serves from now on; for a member of a fault tolerance group, that may be long after its start. */
  readonly onActive?: () => void;
  /**
   * The server cannot go on and has closed its store in order (but for a member of a fault tolerance group that gave way to
   * another one: that store is not written to any more); the line that says why has been logged. Called once.
   * @param exitStatus what a process of its own ends with
   */
  readonly onFailed: (reason: string, exitStatus: number) => void;
}

/** A server of this process, with all its parts. */
export interface Server extends ReloadTarget {
  /** New at each start. */
  readonly serverId: string;
  /** Where clients connect to: the embedded broker, or the NATS server that was given. */
  readonly clientUrl: string;
  readonly state: ServerState;
  /**
   * Puts changed limits in force for channels created from now on; with partitioning, the list of channels changes too: what is
   * new in it is checked against the other servers first. All or nothing.
   * @param limits as configured, with text names
   */
  reloadLimits(limits: StoreLimits): Promise<LimitsReload>;
  /**
   * Stops in order: requests, the batch under way, the store, the NATS connections, the broker. Idempotent.
   * @throws (rejects) what the store could not do at its end, such as writing lazily kept positions to a full disk; all else
   * is closed all the same
   */
  close(): Promise<void>;
}

/** What became of changed limits. */
export type LimitsReload =
  | { readonly kind: "applied"; readonly added: readonly string[]; readonly removed: readonly string[] }
  /** Nothing has changed. */
  | { readonly kind: "refused"; readonly reason: string };

/** What every part of the exchange of channel lists needs. */
type PartitionSetup = Omit<WatchOptions, "activeServerId" | "timing">;

/** How a start ended. */
export type ServerStart =
  | { readonly kind: "started"; readonly server: Server }
  /** Nothing is left running. The reason has not been logged. */
  | ({ readonly kind: "refused" } & StartFailure);

/** Puts a server together and starts it. The order of the log lines is that of configuration.md 9. */
export async function startServer(options: ServerOptions): Promise<ServerStart> {
  const server = new ComposedServer(options);
  try {
    const reason = await server.start();
    if (reason === undefined) return { kind: "started", server };
    await server.close().catch(() => {});
    return { kind: "refused", ...startRefusal(reason) };
  } catch (error) {
    await server.close().catch(() => {});
    return { kind: "refused", ...startFailure(error) };
  }
}

class ComposedServer implements Server {
  readonly serverId: string;
  clientUrl = "";
  state: ServerState = { kind: "starting" };
  readonly #options: ServerOptions;
  readonly #stopping = new AbortController();
  readonly #buses: Bus[] = [];
  #broker: Broker | undefined;
  #monitoring: MonitoringServer | undefined;
  #partition: Partition | undefined;
  #store: OpenedStore | undefined;
  #engine: Engine | undefined;
  #member: FaultTolerance | undefined;
  /** A standby's eye on its list. */
  #watch: PartitionWatch | undefined;
  #unpartitioned: UnpartitionedGuard | undefined;
  #closing: Promise<void> | undefined;
  #hasFailed = false;
  #hasLostStore = false;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.serverId = nuidSource(options.random)();
  }

  /** @returns why it must not serve, or undefined once it does, or stands by. */
  async start(): Promise<string | undefined> {
    const { streaming, nats, logger } = this.#options;
    this.#banner();
    const refusal = refusalOf(streaming);
    if (refusal !== undefined) return refusal;
    for (const line of withoutEffect(nats)) logger.warn(line);

    const store = this.#openStore();
    const isMember = streaming.ftGroup !== "";
    const unfit = isMember ? this.#memberFault(store) : await lockStore(store, streaming);
    if (unfit !== undefined) return unfit;
    await this.#listen(store);
    const bus = await this.#connect("general");
    if (!isMember) return this.#serve(bus, store);
    await this.#standBy(bus, store);
    return undefined;
  }

  /** Checks the partition, recovers, and serves. @returns why it must not, or undefined once it does. */
  async #serve(bus: Bus, store: Store): Promise<string | undefined> {
    const { streaming, clock, logger, random } = this.#options;
    const isMember = this.#member !== undefined;
    const conflict = streaming.partitioning ? await this.#joinPartition() : undefined;
    if (conflict !== undefined) return conflict;
    this.state = { kind: isMember ? "activating" : "recovering" };

    const partition = this.#partition;
    const onFatal = (error: Error): void => this.#fail(error.message);
    const started = await startEngine(
      engineOptions({ streaming, bus, store, partition, logger, clock, random, onFatal }),
    );
    if (started.kind === "refused") return started.message;
    this.#engine = started.engine;
    if (this.#stopping.signal.aborted) return "stopped while starting";
    this.state = { kind: "active", engine: started.engine, isMember };
    this.#guard(bus);

    logger.info(`Message store is ${store.kind}`);
    if (streaming.directory !== "") logger.info(`Store location: ${streaming.directory}`);
    for (const line of describeLimits(store.limits)) logger.info(line);
    logger.info("Streaming Server is ready");
    this.#options.onActive?.();
    return undefined;
  }

  async #joinPartition(): Promise<string | undefined> {
    const onConflict = (message: string): void => this.#fail(message);
    const { signal } = this.#stopping;
    const common = { onConflict, conflictRule: this.#conflictRule, isHeldUp: () => this.#isHeldUp, signal };
    const outcome = await (this.#watch?.activate(common) ??
      startPartition({ ...(await this.#partitionSetup()), ...common }));
    if (outcome.kind === "refused") return outcome.message;
    if (outcome.kind === "stopped") return "stopped while starting";
    this.#partition = outcome.partition;
    this.#partition.onScopeChange(async () => this.#engine?.rescope());
    return undefined;
  }

  get #conflictRule(): ConflictRule {
    return this.#options.streaming.partitionConflict === "exit_all" ? "exit_all" : "younger_exits";
  }

  async #partitionSetup(): Promise<PartitionSetup> {
    const { streaming, clock, logger, random } = this.#options;
    return {
      clusterId: streaming.clusterId,
      serverId: this.serverId,
      entries: [...streaming.storeLimits.channels.keys()],
      bus: await this.#connect("pc"),
      clock,
      logger,
      random,
    };
  }

  /** A server that serves every channel keeps partition servers with its cluster ID away, and is kept away by them. */
  #guard(bus: Bus): void {
    const { streaming, clock, logger, random } = this.#options;
    if (streaming.partitioning) return;
    this.#unpartitioned = guardUnpartitioned({
      clusterId: streaming.clusterId,
      serverId: this.serverId,
      bus,
      clock,
      logger,
      random,
      onConflict: (message) => this.#fail(message),
      activeServerId: () => this.#member?.peerServerId,
      isHeldUp: () => this.#isHeldUp,
    });
  }

  /** Whether this server's lock may have been taken while it stood still, and nobody has noticed yet. */
  get #isHeldUp(): boolean {
    // The lock of a file stays with a process that stands still.
    return this.#store?.store.kind !== "FILE" && this.#member?.isHeldUp === true;
  }

  // --- fault tolerance ---

  #memberFault({ kind: storeKind }: Store): string | undefined {
    const { ftGroup: group, directory, clustering } = this.#options.streaming;
    return faultToleranceFault({ group, storeKind, directory, clustered: clustering.clustered });
  }

  /** Joins the group; serves as soon as the store's lock is had. */
  async #standBy(bus: Bus, store: Store): Promise<void> {
    const { streaming, clock, logger, random } = this.#options;
    this.state = { kind: "standby" };
    if (streaming.partitioning) {
      const activeServerId = (): string | undefined => this.#member?.peerServerId;
      this.#watch = watchPartition({ ...(await this.#partitionSetup()), activeServerId });
    }
    this.#member = startFaultTolerance({
      clusterId: streaming.clusterId,
      group: streaming.ftGroup,
      serverId: this.serverId,
      bus: await this.#connect("ft"),
      clock,
      random,
      logger,
      acquireLock: () => store.acquireLock(),
      onActive: async () => {
        const reason = await this.#serve(bus, store);
        if (reason !== undefined) throw new Error(reason);
      },
      onActivationFailed: (failure) => this.#end(failure.message, failure.exitStatus),
      onAbort: (failure) => this.#giveWay(failure),
      // The lock of a file goes with the process that has it: there is no need to wait for silence.
      ...(store.kind === "FILE" ? { lockProbeMillis: FILE_LOCK_PROBE_MILLIS } : {}),
    });
  }

  /** The store belongs to another member: nothing is written to it any more, nothing is answered. */
  #giveWay({ message, exitStatus }: FaultToleranceFailure): void {
    this.#hasLostStore = true;
    this.#end(message, exitStatus);
  }

  get ports(): ServerPorts {
    const broker = this.#broker?.statistics();
    const { nats } = this.#options;
    const host = nats.httpHost === "" ? nats.host : nats.httpHost;
    return {
      nats: broker,
      monitoring: this.#monitoring === undefined ? undefined : { host, port: this.#monitoring.port },
      cluster: broker?.cluster,
      isEncrypted: nats.tls.enabled,
    };
  }

  async reloadBroker(nats: NatsOptions): Promise<void> {
    const { natsLogger, clock, random } = this.#options;
    await this.#broker?.reload(brokerOptions({ nats, logger: natsLogger, clock, random }));
  }

  async lameDuck(leaving: Leaving): Promise<void> {
    await this.#broker?.lameDuck(leaving);
  }

  async reloadLimits(limits: StoreLimits): Promise<LimitsReload> {
    const store = this.#store?.store;
    const { kind } = this.state;
    const list = kind === "standby" ? this.#watch : this.#partition;
    const isReady = list !== undefined || !this.#options.streaming.partitioning;
    if (store === undefined || !isReady || (kind !== "active" && kind !== "standby")) {
      return { kind: "refused", reason: "the server is neither serving nor standing by" };
    }
    const fault = checkLimits(limits);
    if (fault !== undefined) return { kind: "refused", reason: fault };
    const changed = await list?.reload([...limits.channels.keys()]);
    if (changed?.kind === "refused") return changed;
    store.setLimits(inByteStrings(limits));
    return { kind: "applied", added: changed?.added ?? [], removed: changed?.removed ?? [] };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #banner(): void {
    const { logger, streaming } = this.#options;
    logger.info(`Starting nats-streaming-server[${streaming.clusterId}] version ${SERVER_VERSION}`);
    logger.info(`ServerID: ${this.serverId}`);
    logger.info(`Node.js version: ${process.version}`);
    logger.info("Git commit: [not set]");
  }

  #openStore(): Store {
    const { streaming, clock, logger, random } = this.#options;
    const onFailure = (error: Error): void => this.#fail(error.message);
    const onLockLost = (error: Error): void => {
      if (this.#member !== undefined) this.#member.lockLost();
      else this.#fail(error.message);
    };
    this.#store = openStore({ streaming, clock, logger, random, onFailure, onLockLost });
    return this.#store.store;
  }

  /** Embedded broker, unless a NATS server is given, and monitoring. */
  async #listen(store: Store): Promise<void> {
    const { streaming, nats, natsLogger, clock, random } = this.#options;
    if (streaming.natsServerUrl === "") {
      this.#broker = createBroker(brokerOptions({ nats, logger: natsLogger, clock, random }));
    }
    const monitor = async (): Promise<void> => {
      if (nats.httpPort === 0 && nats.httpsPort === 0) return;
      this.#monitoring = await startServerMonitoring({
        ...this.#options,
        serverId: this.serverId,
        store,
        opened: this.#store,
        broker: this.#broker,
        state: () => this.state,
        partition: () => this.#partition,
      });
      const scheme = nats.httpsPort === 0 ? "http" : "https";
      natsLogger.info(`Starting ${scheme} monitor on ${this.#monitoring.host}:${this.#monitoring.port}`);
    };
    if (this.#broker === undefined) {
      await monitor();
      return;
    }
    const address = await this.#broker.listen({
      beforeListening: async () => {
        if (this.#options.configFile !== "") natsLogger.info(`Using configuration file: ${this.#options.configFile}`);
        await monitor();
      },
    });
    this.clientUrl = `nats://${clientHost(nats.host)}:${address.port}`;
  }

  /** A connection of this server's own. @param role the end of its name. @see operations.md 1.4 */
  async #connect(role: string): Promise<Bus> {
    const { streaming, nats, logger, clock } = this.#options;
    const name = `_NSS-${streaming.clusterId}-${role}`;
    const bus =
      this.#broker === undefined
        ? await connectNatsBus(natsBusOptions({ name, streaming, nats, clock, logger }))
        : this.#broker.localBus(name);
    if (this.#broker === undefined) this.clientUrl = bus.url;
    this.#buses.push(bus);
    bus.onStatus((status) => {
      if (status.kind === "disconnected") logger.error(`connection "${name}" has been disconnected: ${status.reason}`);
      else if (status.kind === "closed") logger.debug(`connection "${name}" has been closed`);
      else logger.info(`connection "${name}" reconnected to NATS Server at "${status.url}"`);
    });
    return bus;
  }

  /** Something has happened after which this server must not serve: says so, stops in order, tells the owner. */
  #fail(reason: string): void {
    if (this.#hasFailed || this.#closing !== undefined) return;
    this.#options.logger.fatal(reason);
    this.#end(reason, EXIT_FAILED);
  }

  /** The same once it has been said. */
  #end(reason: string, exitStatus: number): void {
    if (this.#hasFailed || this.#closing !== undefined) return;
    this.#hasFailed = true;
    const closed = this.close();
    this.state = { kind: "failed", reason };
    // What fails at the end as well adds nothing to the reason.
    void closed
      .catch(() => {})
      .then(() => {
        this.state = { kind: "failed", reason };
        this.#options.onFailed(reason, exitStatus);
      });
  }

  /** Whoever reads only the end of a log learns of it, too. */
  #sayWhatWasLeftOut(): void {
    const leftOut = this.#store?.leftOut() ?? [];
    if (leftOut.length === 0) return;
    const names = leftOut.map(({ channel }) => displayName(channel)).join(", ");
    this.#options.logger.warn(`${leftOut.length} channel(s) in quarantine were not served: ${names}`);
  }

  async #close(): Promise<void> {
    this.#stopping.abort();
    this.#member?.close();
    this.#watch?.close();
    this.#unpartitioned?.close();
    this.#partition?.close();
    let failure: unknown;
    try {
      if (this.#hasLostStore) throw new Error("the store belongs to another server");
      // The engine finishes its batch and closes the store; before there is an engine, the store closes by itself.
      if (this.#engine !== undefined) await this.#engine.close();
      else await this.#store?.store.close();
    } catch (error) {
      failure = error;
    }
    this.#sayWhatWasLeftOut();
    this.state = { kind: "stopped" };
    for (const bus of this.#buses) await bus.close();
    await this.#monitoring?.close();
    await this.#broker?.close();
    if (failure !== undefined) throw failure;
  }
}

/** Where a client on this machine reaches a server that listens on an address. */
function clientHost(host: string): string {
  if (host === "" || host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
