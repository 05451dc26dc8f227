import { createServer, type Server } from "node:net";
import {
  CONNECT_DEFAULTS,
  ERROR_TEXT,
  encodeRouteInfo,
  type RouteConnect,
  type RouteInfo,
} from "@nats-streaming/protocol/nats";
import { type Authenticator, createAuthenticator, type Verdict } from "../authorization.ts";
import { denialTexts } from "../denial-texts.ts";
import { listenOn } from "../listen.ts";
import type { BcryptCompare } from "../passwords.ts";
import type { ClusterStatistics, RouteStatistics } from "../statistics.ts";
import { TlsAcceptor } from "../tls-transport.ts";
import { adoptSocket, KEEP_ALIVE_MILLIS, type Transport } from "../transport.ts";
import { GossipedUrls } from "./client-urls.ts";
import { type ClusterName, compareNames } from "./cluster-name.ts";
import type { ClusterSettings } from "./cluster-options.ts";
import type { Dialer } from "./dialer.ts";
import { Dialers } from "./dialers.ts";
import { Introduction } from "./introduction.ts";
import { LocalInterest } from "./local-interest.ts";
import { Route } from "./route.ts";
import type { RouteContext, SharedContext } from "./route-context.ts";
import { RouteTable } from "./route-table.ts";
import { hostPort } from "./route-url.ts";

/** What a cluster needs of its broker. */
export interface ClusterContext extends SharedContext {
  readonly settings: ClusterSettings;
  readonly lineMax: number;
  readonly bcrypt: BcryptCompare | undefined;
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  /** A name for a cluster that was given none. */
  readonly madeUpName: string;
  /** The number for the next connection, of whatever kind. */
  readonly nextId: () => number;
  /** Where clients reach this server. */
  readonly ownUrls: () => readonly string[];
  /** What clients are told of the cluster has changed. */
  readonly onChange: () => void;
  /** A server has joined, or has come back, and its interest is known. */
  readonly onJoined: () => void;
}

/** Which of two routes stays is left to the other server for so long. */
const STANDBY_MILLIS = 500;

/** Connections to the route port at a time: many more than a full mesh has servers. */
const ROUTES_MAX = 1_024;

/**
 * The routes of one broker: listens for them, opens them, keeps one to each other server, and tells those of what is
 * listened to here. Servers that are learnt of are connected to as well, so that every server has a route to every other.
 */
export class Cluster {
  readonly #context: ClusterContext;
  readonly #routeContext: RouteContext;
  #authenticator: Authenticator;
  readonly #interest: LocalInterest;
  readonly #table: RouteTable;
  readonly #dialers: Dialers;
  readonly #introduction: Introduction;
  readonly #present = new Set<Route>();
  /** Routes whose joining has been told. */
  readonly #joined = new WeakSet<Route>();
  /** What servers that were let in have shown. */
  readonly #logins = new WeakMap<Route, RouteConnect>();
  readonly #gossip = new GossipedUrls();
  #tls: TlsAcceptor | undefined;
  #server: Server | undefined;
  #isClosing = false;
  #hasGossip = false;
  #onAllGone: (() => void) | undefined;

  constructor(context: ClusterContext) {
    const { settings } = context;
    this.#context = context;
    const isDynamic = settings.name === "";
    this.#introduction = new Introduction(context, { name: isDynamic ? context.madeUpName : settings.name, isDynamic });
    this.#dialers = new Dialers({
      ...context,
      onConnected: (transport, dialer) => this.#begin(transport, dialer),
    });
    this.#table = new RouteTable(context.serverId);
    this.#tls = settings.tls === undefined ? undefined : new TlsAcceptor(settings.tls, true, context.clock);
    this.#authenticator = routeAuthenticator(settings, context.bcrypt);
    this.#interest = new LocalInterest((line) => {
      for (const route of this.#table.routes) route.send(line);
    });
    context.router.watch((subscription, change) => this.#interest.change(subscription, change));
    this.#routeContext = {
      ...context,
      info: () => this.#introduction.info(),
      interestLines: () => this.#interest.lines(),
      onConnect: (route, connect) => this.#connected(route, connect),
      onIntroduced: (route, info) => this.#introduced(route, info),
      onInfo: (route, info) => this.#informed(route, info),
      onSettled: (route) => this.#settled(route),
      onClosed: (route) => this.#closed(route),
      onGone: (route) => this.#gone(route),
    };
  }

  /** Takes over what can change while routes are open, see {@link BrokerReload}; `next` has been checked. */
  async reload(next: ClusterSettings): Promise<void> {
    const { settings, clock } = this.#context;
    const isEncrypted = settings.tls !== undefined && next.tls !== undefined;
    Object.assign(settings, {
      ...next,
      ...{ host: settings.host, port: settings.port, name: settings.name, advertise: settings.advertise },
      tls: isEncrypted ? next.tls : settings.tls,
    });
    if (isEncrypted && next.tls !== undefined) this.#tls = new TlsAcceptor(next.tls, true, clock);
    this.#authenticator = routeAuthenticator(settings, this.#context.bcrypt);
    const gone = this.#dialers.reconfigure();
    for (const route of [...this.#present]) {
      if (route.dialer !== undefined && gone.includes(route.dialer)) route.close("Route Removed");
    }
    for (const route of [...this.#present]) await this.#reauthorize(route);
  }

  /** Tells the other servers to send nobody here any more. */
  announceEnd(): void {
    this.#introduction.isLast = true;
    for (const route of this.#table.routes) route.send(this.#introduction.info());
  }

  async #reauthorize(route: Route): Promise<void> {
    const login = this.#logins.get(route);
    if (login === undefined || route.isClosed || route.isSolicited) return;
    const verdict = await this.#decide(login);
    if (verdict.kind === "accepted" || route.isClosed) return;
    route.log.error("authentication error");
    route.close("Authentication Failure", ERROR_TEXT.authorization);
  }

  get name(): string {
    return this.#introduction.name.name;
  }

  /** Where clients reach the servers of the cluster; empty while this one is alone, or when nobody is to be told. */
  get clientUrls(): readonly string[] {
    if (!this.#hasGossip || this.#context.settings.noAdvertise) return [];
    const own = this.#introduction.isLast ? [] : this.#context.ownUrls();
    return [...new Set([...own, ...this.#gossip.all])];
  }

  /** @throws BrokerError `listen_failed` */
  async listen(): Promise<void> {
    const { settings, logger } = this.#context;
    logger.info(`Cluster name is ${this.name}`);
    if (this.#introduction.name.isDynamic) logger.warn("Cluster name was dynamically generated, consider setting one");
    const server = createServer({
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MILLIS,
    });
    server.maxConnections = ROUTES_MAX;
    server.on("connection", (socket) => {
      const tls = this.#tls;
      if (tls === undefined) {
        adoptSocket(socket, (transport) => this.#begin(transport, undefined));
        return;
      }
      const onFailed = (reason: string): void => logger.error(`TLS route handshake error: ${reason}`);
      tls.accept(socket, { onSecured: (secured) => this.#begin(secured, undefined), onFailed });
    });
    const port = await listenOn(server, { host: settings.host, port: settings.port, what: "route port" }, (error) =>
      logger.error(`Temporary Route Accept Error (${error.message})`),
    );
    this.#server = server;
    this.#introduction.port = port;
    logger.info(`Listening for route connections on ${hostPort(settings.host, port)}`);
    this.#dialers.start();
  }

  statistics(): ClusterStatistics {
    const { settings } = this.#context;
    return {
      name: this.name,
      host: settings.host,
      port: this.#introduction.port,
      configuredRoutes: settings.routes.map(({ host, port }) => hostPort(host, port)),
      routes: this.#table.size,
    };
  }

  routes(): readonly RouteStatistics[] {
    return this.#table.routes.map((route) => route.statistics());
  }

  /** Opens no more routes and closes those there are, with what is pending for them, in at most `lingerMillis`. */
  async close(lingerMillis: number): Promise<void> {
    this.#isClosing = true;
    this.#dialers.stop();
    this.#tls?.close();
    const server = this.#server;
    const isListenerClosed =
      server === undefined ? undefined : new Promise<void>((resolve) => server.close(() => resolve()));
    for (const route of [...this.#present]) route.close("Server Shutdown", undefined, lingerMillis);
    if (this.#present.size > 0) await new Promise<void>((resolve) => (this.#onAllGone = resolve));
    await isListenerClosed;
  }

  #begin(transport: Transport, dialer: Dialer | undefined): Route {
    const route = new Route(this.#routeContext, this.#context.nextId(), transport, dialer);
    this.#present.add(route);
    route.start();
    if (this.#isClosing) route.close("Server Shutdown");
    return route;
  }

  #connected(route: Route, connect: RouteConnect): void {
    if (connect.lang !== "" || connect.gateway !== "") {
      route.log.error(ERROR_TEXT.routePort);
      route.close("Incorrect Port", ERROR_TEXT.routePort);
      return;
    }
    this.#logins.set(route, connect);
    const decision = this.#decide(connect);
    if (!(decision instanceof Promise)) {
      this.#decided(route, connect, decision);
      return;
    }
    route.hold();
    void decision.then((verdict) => {
      if (route.isClosed) return;
      this.#decided(route, connect, verdict);
      route.release();
    });
  }

  #decide(connect: RouteConnect): Verdict | Promise<Verdict> {
    const options = { ...CONNECT_DEFAULTS, user: connect.user, pass: connect.pass };
    return this.#authenticator.decide({ options, nonce: "", certificateNames: undefined });
  }

  #decided(route: Route, connect: RouteConnect, verdict: Verdict): void {
    if (verdict.kind === "refused") {
      route.log.error("authentication error");
      route.close("Authentication Failure", ERROR_TEXT.authorization);
    } else if (this.#agreesOnName(route, { name: connect.cluster, isDynamic: connect.cluster_dynamic })) {
      route.connected();
    }
  }

  /** Takes over the name of the other server's cluster, or turns the other server away. Whether it may stay. */
  #agreesOnName(route: Route, theirs: ClusterName): boolean {
    const own = this.#introduction.name;
    switch (compareNames(own, theirs)) {
      case "same":
      case "prevail":
        return true;
      case "reject": {
        const text = denialTexts.clusterName(theirs.name, own.name);
        route.log.error(text);
        route.close("Cluster Name Conflict", text);
        return false;
      }
      case "adopt":
        this.#introduction.name = theirs;
        this.#context.logger.info(`Cluster name updated to ${theirs.name}`);
        this.#context.onChange();
        // The others learn of the new name when they connect again.
        for (const other of [...this.#present]) if (other !== route) other.close("Cluster Name Conflict");
        return true;
    }
  }

  #introduced(route: Route, info: RouteInfo): void {
    const { serverId, serverName } = this.#context;
    const { dialer, log } = route;
    if (dialer !== undefined) dialer.remoteId = info.server_id;
    if (info.server_id === serverId) {
      log.debug("Detected route to self");
      route.close("Duplicate Route");
      return;
    }
    if (info.cluster !== "" && !this.#agreesOnName(route, { name: info.cluster, isDynamic: info.cluster_dynamic })) {
      return;
    }
    if (info.server_name === serverName) log.warn(`Remote server has a duplicate name: ${JSON.stringify(serverName)}`);
    if (dialer !== undefined) {
      route.send(this.#introduction.connect(dialer.url));
      route.send(this.#introduction.info());
    }
    route.introduced(info);
    switch (this.#table.admit(route)) {
      case "active":
        this.#tellOthers(route, info);
        break;
      case "standby":
        this.#context.clock.setTimer(STANDBY_MILLIS, () => this.#table.settle(route));
        break;
      case "duplicate":
        log.debug(`Detected duplicate remote route "${info.server_id}"`);
        route.retire();
    }
  }

  /** Every other server is to know of the new one, and clients of where it is reached. */
  #tellOthers(route: Route, info: RouteInfo): void {
    const ip = info.ip === "" ? `nats-route://${hostPort(route.address, info.port)}/` : info.ip;
    const line = encodeRouteInfo({ ...info, ip, settles_by_id: false });
    for (const other of this.#table.routes) if (other !== route) other.send(line);
    this.#setUrls(info.server_id, info.connect_urls);
  }

  #informed(route: Route, info: RouteInfo): void {
    if (route.isClosed) return;
    const { server_id: id, cluster, cluster_dynamic: isDynamic } = info;
    if (id !== route.remoteId) {
      if (id !== this.#context.serverId && !this.#table.has(id)) this.#dialers.learn(info);
    } else if (info.ldm) {
      this.#setUrls(id, []);
    } else if (cluster === "" || this.#agreesOnName(route, { name: cluster, isDynamic })) {
      this.#setUrls(id, info.connect_urls);
    }
  }

  #settled(route: Route): void {
    if (this.#joined.has(route)) return;
    this.#joined.add(route);
    this.#dialers.settled(route.remoteId);
    this.#context.onJoined();
  }

  #closed(route: Route): void {
    const { remoteId, dialer } = route;
    if (remoteId !== "" && !this.#table.remove(route)) {
      this.#setUrls(remoteId, []);
      this.#dialers.lost(remoteId, dialer);
    }
    if (dialer !== undefined) this.#dialers.ended(dialer, this.#table.has(dialer.remoteId));
  }

  #gone(route: Route): void {
    this.#present.delete(route);
    if (this.#present.size === 0) this.#onAllGone?.();
  }

  #setUrls(serverId: string, urls: readonly string[]): void {
    if (this.#context.settings.noAdvertise) return;
    const isChanged = this.#gossip.set(serverId, urls);
    if (!isChanged) return;
    this.#hasGossip = true;
    this.#context.onChange();
  }
}

/** Who may open routes. @throws BrokerError `bad_option` */
export function routeAuthenticator(
  { authorization }: ClusterSettings,
  bcrypt: BcryptCompare | undefined,
): Authenticator {
  return createAuthenticator(authorization === undefined ? undefined : { kind: "user", ...authorization }, bcrypt);
}
