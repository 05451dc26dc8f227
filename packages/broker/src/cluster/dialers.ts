import { isIP } from "node:net";
import type { Clock, Logger, Random } from "@nats-streaming/kernel";
import type { RouteInfo } from "@nats-streaming/protocol/nats";
import { dialTls } from "../tls-transport.ts";
import { type Cancellable, dialSocket, type Transport } from "../transport.ts";
import type { ClusterSettings } from "./cluster-options.ts";
import { Dialer } from "./dialer.ts";
import type { Route } from "./route.ts";
import { parseRouteUrl, type RouteUrl } from "./route-url.ts";

export interface DialersOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: ClusterSettings;
  readonly serverId: string;
  readonly onConnected: (transport: Transport, dialer: Dialer) => Route;
}

/** How long a connection to another server may take to come about. */
const DIAL_MILLIS = 2_000;

/** Servers learnt from others and dialled at a time. */
const LEARNT_MAX = 256;

/** After the first failed attempt, one of so many is reported: about every two hours. */
const REPORTED_ATTEMPTS = 3_600;

/** The routes that this server opens: to the addresses that are configured, and to servers that it learns of. */
export class Dialers {
  readonly #options: DialersOptions;
  readonly #dialers = new Set<Dialer>();
  #isStopped = false;

  constructor(options: DialersOptions) {
    this.#options = options;
  }

  /** Begins with the addresses that are configured. */
  start(): void {
    for (const url of this.#options.settings.routes) this.#open(url, true);
  }

  stop(): void {
    this.#isStopped = true;
    for (const dialer of this.#dialers) dialer.stop();
    this.#dialers.clear();
  }

  /** The addresses that are configured have changed: opens routes to new ones. @returns the dialers of those that are gone */
  reconfigure(): readonly Dialer[] {
    const { routes } = this.#options.settings;
    const explicit = [...this.#dialers].filter((dialer) => dialer.isExplicit);
    const isSame = (one: RouteUrl, other: RouteUrl): boolean =>
      one.host === other.host && one.port === other.port && one.user === other.user && one.password === other.password;
    const gone = explicit.filter((dialer) => !routes.some((url) => isSame(url, dialer.url)));
    for (const dialer of gone) {
      dialer.stop();
      this.#dialers.delete(dialer);
    }
    for (const url of routes) if (!explicit.some((dialer) => isSame(url, dialer.url))) this.#open(url, true);
    return gone;
  }

  /** Another server says that there is a third one, to which there is no route. */
  learn(info: RouteInfo): void {
    const { settings, logger } = this.#options;
    const dialers = [...this.#dialers];
    const isConfigured = settings.routes.some(({ host, port }) => host === info.host && port === info.port);
    const isTried = dialers.some((dialer) => dialer.remoteId === info.server_id);
    const learnt = dialers.filter((dialer) => !dialer.isExplicit).length;
    if (this.#isStopped || isConfigured || isTried || learnt >= LEARNT_MAX) return;
    const url = parseRouteUrl(info.ip);
    if (url === undefined) {
      logger.error(`INFO names no address of server ${JSON.stringify(info.server_id)}`);
      return;
    }
    const { user = "", password = "" } = info.auth_required ? (settings.authorization ?? {}) : {};
    this.#open({ ...url, user, password }, false, info.server_id);
  }

  /** A route to a server is in use: nobody else needs to try. */
  settled(remoteId: string): void {
    for (const dialer of this.#dialers) {
      if (dialer.remoteId !== remoteId) continue;
      dialer.succeeded();
      dialer.rest();
    }
  }

  /** There is no route to a server any more, the last having been opened by `but`. */
  lost(remoteId: string, but: Dialer | undefined): void {
    for (const dialer of this.#dialers) if (dialer !== but && dialer.remoteId === remoteId) dialer.lost();
  }

  /** The route that a dialer has opened has ended. @param isConnected there is another one to the same server. */
  ended(dialer: Dialer, isConnected: boolean): void {
    const { serverId, logger } = this.#options;
    if (this.#isStopped) return;
    if (dialer.remoteId === serverId) {
      logger.debug(`Detected route to self, ignoring ${dialer.address}`);
      dialer.stop();
      this.#dialers.delete(dialer);
    } else if (!isConnected) {
      dialer.lost();
    }
  }

  /** Keeps a route to an address open. */
  #open(url: RouteUrl, isExplicit: boolean, remoteId = ""): void {
    const { clock, random, settings } = this.#options;
    const dialer = new Dialer({
      clock,
      random,
      url,
      isExplicit,
      attemptsMax: isExplicit ? Number.POSITIVE_INFINITY : settings.connectRetries,
      dial: (self) => this.#dial(self),
      onFailed: (self, error) => this.#report(self, error),
      onGivenUp: (self) => this.#dialers.delete(self),
    });
    dialer.remoteId = remoteId;
    this.#dialers.add(dialer);
    dialer.start();
  }

  #dial(dialer: Dialer): Cancellable {
    const { clock, logger, settings, onConnected } = this.#options;
    logger.debug(`Trying to connect to route on ${dialer.address}`);
    const { host, port } = dialer.url;
    const dial = {
      host,
      port,
      timeoutMillis: DIAL_MILLIS,
      onConnected: (transport: Transport) => onConnected(transport, dialer),
      onFailed: (error: Error) => dialer.failed(error),
    };
    if (settings.tls === undefined) return dialSocket(dial, clock);
    // Servers that were learnt are known by address; their certificates name the hosts of the cluster.
    const nameForAddress = settings.routes.find((route) => isIP(route.host) === 0)?.host ?? "";
    return dialTls(dial, { settings: settings.tls, nameForAddress, insecure: settings.tls.insecure }, clock);
  }

  #report(dialer: Dialer, error: Error): void {
    const { logger } = this.#options;
    const fault = `dial tcp ${dialer.address}: ${dialFault(error)}`;
    const text = `Error trying to connect to route (attempt ${dialer.attempts}): ${fault}`;
    if (dialer.isExplicit && dialer.attempts % REPORTED_ATTEMPTS === 1) logger.error(text);
    else logger.debug(text);
  }
}

function dialFault(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "connect: connection refused";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "lookup: no such host";
    default:
      return error.message;
  }
}
