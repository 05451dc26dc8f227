import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SecureContextOptions } from "node:tls";
import { type Clock, errorText, type Logger, silentLogger } from "@nats-streaming/kernel";
import { askerOf, isFromOtherSite } from "./asker.ts";
import { dashboardRoutes } from "./dashboard.ts";
import { CHALLENGE, createGuard, type Guard } from "./guard.ts";
import { serverPage } from "./index-page.ts";
import type { MessageAccess } from "./messagesz.ts";
import { createMetrics } from "./metrics/metrics-route.ts";
import { withCause } from "./monitoring-error.ts";
import { natsRoutes } from "./nats/nats-routes.ts";
import { type MonitoringResponse, type MonitoringRoute, textResponse } from "./response.ts";
import { monitoringRoutes, OPEN_PATHS } from "./routes.ts";
import type { MonitoringSource } from "./source.ts";

/** Where monitoring listens, what it shows, and to whom. */
export interface MonitoringOptions {
  readonly host: string;
  /** 0 for a free port. */
  readonly port: number;
  readonly source: MonitoringSource;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Further exact paths on the same port; those of monitoring itself win. */
  readonly routes?: ReadonlyMap<string, MonitoringRoute>;
  /** Serves HTTPS with this certificate. */
  readonly tls?: SecureContextOptions;
  /** Without one, whoever reaches the port sees everything but the contents of messages. */
  readonly guard?: Guard;
  /** Folder of the built dashboard, served at `/`; without one there is a page of links. */
  readonly dashboard?: string;
  /** Who may see the contents of messages. Default `careful`. */
  readonly messages?: MessageAccess;
}

/** A listening HTTP server. */
export interface MonitoringServer {
  readonly host: string;
  /** The port that is listened on, also when 0 was asked for. */
  readonly port: number;
  /** Stops at once: answers under way are cut off. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Connections at one time: scrapers and people are few, and each may hold a few megabytes of answer. */
const CONNECTIONS_MAX = 256;
/** A connection on which nothing moves for so long is closed: a reader that has stopped reading gives its memory back. */
const IDLE_MILLIS_MAX = 120_000;

/**
 * Serves the streaming endpoints over HTTP (or HTTPS). Any method is answered like GET; HEAD gets the headers alone.
 * @throws MonitoringError `listen_failed`, `dashboard_missing`
 * @see monitoring.md 1
 */
export async function startMonitoring(options: MonitoringOptions): Promise<MonitoringServer> {
  const { source, clock, guard, dashboard, messages } = options;
  const requests = new Map<string, number>();
  const pages = dashboard === undefined ? [["/", serverPage(source)] as const] : await dashboardRoutes(dashboard);
  const metrics = createMetrics(source, clock);
  const site: Site = {
    routes: new Map([
      ...pages,
      ...(options.routes ?? []),
      ...(source.broker === undefined ? [] : natsRoutes(source.broker, clock, requests)),
      ...monitoringRoutes(source, clock, messages === undefined ? {} : { messages }),
      ["/metrics", metrics.route],
    ]),
    requests,
    admits: guard && createGuard(guard),
    logger: options.logger ?? silentLogger,
  };
  const listener: RequestListener = (request, response) => void answer(site, request, response);
  const server = await listen(options, listener).catch((error: unknown) => {
    metrics.close();
    throw error;
  });
  const address = server.address();
  const close = async (): Promise<void> => {
    metrics.close();
    await closeServer(server);
  };
  return {
    host: options.host,
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What is served, and to whom. */
interface Site {
  readonly routes: ReadonlyMap<string, MonitoringRoute>;
  /** How often each path was asked for; only paths that exist count, so that it stays small. */
  readonly requests: Map<string, number>;
  /** Checks an `Authorization` header; undefined: everybody may see everything. */
  readonly admits: ((authorization: string | undefined) => boolean) | undefined;
  readonly logger: Logger;
}

function listen(options: MonitoringOptions, listener: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(withCause("listen_failed", "unable to start monitoring server", cause));
    try {
      const server = options.tls === undefined ? createServer(listener) : createTlsServer({ ...options.tls }, listener);
      server.maxConnections = CONNECTIONS_MAX;
      server.timeout = IDLE_MILLIS_MAX;
      server.once("error", fail);
      server.listen(options.port, options.host, () => {
        server.off("error", fail);
        // A failed accept (no descriptors left) ends one connection, not the server.
        server.on("error", (error) => options.logger?.error(`Monitoring: ${error.message}`));
        resolve(server);
      });
    } catch (error) {
      fail(error);
    }
  });
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

async function answer(site: Site, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const started = await begin(await respond(site, request));
    await send(request, response, started);
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      // What is left of the answer cannot be had, or nobody wants it any more: the reader sees a cut connection.
      response.destroy();
      return;
    }
    const text = errorText(error);
    site.logger.error(`Monitoring: ${request.method} ${request.url}: ${text}`);
    await send(request, response, await begin(textResponse(500, text)));
  }
}

async function respond(site: Site, request: IncomingMessage): Promise<MonitoringResponse> {
  // A client that takes this server for a proxy names scheme and host as well.
  const url = (request.url ?? "").replace(/^https?:\/\/[^/?]*/i, "");
  const mark = url.indexOf("?");
  const path = decodePath(mark < 0 ? url : url.slice(0, mark));
  const isAdmitted = site.admits?.(request.headers.authorization) ?? false;
  if (site.admits !== undefined && !OPEN_PATHS.has(path)) {
    if (!isAdmitted) return unauthorized();
    if (isFromOtherSite(request)) return textResponse(403, "Not shown to a page of another site");
  }
  const route = site.routes.get(path);
  if (route === undefined) return textResponse(404, "404 page not found");
  site.requests.set(path, (site.requests.get(path) ?? 0) + 1);
  return route(new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)), askerOf(request, isAdmitted));
}

function unauthorized(): MonitoringResponse {
  return {
    ...textResponse(401, "Unauthorized: monitoring of this server asks for a token or a password"),
    headers: { "WWW-Authenticate": CHALLENGE },
  };
}

/** What cannot be decoded stays as it is and is not found. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** An answer whose first piece is there: its status stands. */
interface Started {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly first: string | Uint8Array;
  /** What follows; undefined when `first` is everything. */
  readonly rest: AsyncGenerator<string | Uint8Array, void, void> | undefined;
}

async function begin(response: MonitoringResponse): Promise<Started> {
  const { status, contentType, headers, body } = response;
  if (typeof body === "string" || body instanceof Uint8Array) {
    return { status, contentType, headers, first: body, rest: undefined };
  }
  const first = await body.next();
  const second = first.done === true ? first : await body.next();
  if (second.done === true) return { status, contentType, headers, first: first.value ?? "", rest: undefined };
  return { status, contentType, headers, first: first.value ?? "", rest: concat(second.value, body) };
}

async function send(request: IncomingMessage, response: ServerResponse, started: Started): Promise<void> {
  response.statusCode = started.status;
  if (started.contentType !== undefined) response.setHeader("Content-Type", started.contentType);
  for (const name in started.headers) response.setHeader(name, started.headers[name] ?? "");
  if (started.status >= 400) response.setHeader("X-Content-Type-Options", "nosniff");
  if (started.rest === undefined) {
    if (started.status !== 204) response.setHeader("Content-Length", Buffer.byteLength(started.first));
    response.end(started.first);
    return;
  }
  if (request.method === "HEAD") {
    await started.rest.return();
    response.end();
    return;
  }
  await pipeline(Readable.from(concat(started.first, started.rest), { objectMode: false }), response);
}

async function* concat(
  first: string | Uint8Array,
  rest: AsyncGenerator<string | Uint8Array, void, void>,
): AsyncGenerator<string | Uint8Array, void, void> {
  yield first;
  yield* rest;
}
