import { type Clock, type Random, systemClock, systemRandom } from "@nats-streaming/kernel";
import type { Level } from "./logging/line.ts";
import { createLogger } from "./logging/logger.ts";
import { formatWarning } from "./options/option-warning.ts";
import { type RunRequest, resolveOptions } from "./options/resolve-options.ts";
import { type Server, startServer } from "./server.ts";
import type { ServerConfig } from "./server-config.ts";
import { reportedState, type ServerState } from "./server-state.ts";

/** What a host program hears of a server. */
export interface ServerEvents {
  /** A log line of the server, without time and process. The streaming part's begin with `STREAM: `. */
  readonly log: readonly [level: Level, text: string];
  /** It is ready to serve: at once, or for a member of a fault tolerance group when it becomes active. */
  readonly active: readonly [];
  /** It cannot go on, and has closed itself: a conflict of partitions, a lost lock, a disk that failed. */
  readonly failed: readonly [reason: string];
}

/** What is called when an event happens; see {@link ServerEvents}. */
export type ServerListener<Name extends keyof ServerEvents> = (...args: ServerEvents[Name]) => void;

/** What else a host program may say. */
export interface RunServerOptions {
  /** Called for every log line from the start on; nothing is printed anywhere. */
  readonly onLog?: ServerListener<"log">;
  /** For tests. */
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A server inside this process. */
export interface RunningServer extends AsyncDisposable {
  /** New at each start. */
  readonly serverId: string;
  /** Where clients connect to. */
  readonly clientUrl: string;
  /** `STANDALONE`, `FT_ACTIVE`, `FT_STANDBY`, `FAILED` or `SHUTDOWN`, as monitoring says it. */
  readonly state: ReturnType<typeof reportedState>;
  /** Why it is `FAILED`; undefined otherwise. */
  readonly lastError: string | undefined;
  /** @returns a function that ends the listening */
  on<Name extends keyof ServerEvents>(event: Name, listener: ServerListener<Name>): () => void;
  /** Stops in order; settles when everything is closed. Idempotent. @throws (rejects) what the store could not do at its end */
  close(): Promise<void>;
}

/** Why a server inside a process could not be started. */
export type ServerErrorCode =
  /** An option cannot be used; the text has the place and the remedy. Remedy: As the text says. */
  | "invalid_options"
  /**
   * The start failed, with the line that the log of a server process would say.
   * Remedy: See docs/errors.md#the-server-does-not-start.
   */
  | "start_failed";

/** A server that could not be started. Nothing of it is left running. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Where an embedded server listens when nothing is said: this machine only. @see configuration.md 7 */
const EMBEDDED_HOST = "127.0.0.1";
/** How messages call the object with the options. */
const SOURCE = "options";

/**
 * Starts a server inside this process. It prints nothing, obeys no signals and never ends the process; several may run side
 * by side. Settles when it serves, or stands by in its fault tolerance group.
 * @param config options by the names that configuration files use, with the same defaults, but for `host`: 127.0.0.1
 * @throws (rejects) ServerError `invalid_options` with the place and the remedy, `start_failed` with what the log of a server
 * process would say
 * @see operations.md 7
 */
export async function runServer(config: ServerConfig = {}, options: RunServerOptions = {}): Promise<RunningServer> {
  const request = requestOf(config);
  const listeners = new Listeners();
  if (options.onLog !== undefined) listeners.add("log", options.onLog);
  const { clock = systemClock(), random = systemRandom() } = options;
  const { streaming, nats } = request;
  const sink = {
    target: {
      write: (level: Level, text: string) => listeners.tell("log", level, text),
      reopen: () => false,
      close: async () => {},
    },
  };
  const logger = createLogger({
    sink,
    clock,
    prefix: "STREAM: ",
    verbosity: { debug: streaming.debug, trace: streaming.trace },
  });
  const natsLogger = createLogger({ sink, clock, prefix: "", verbosity: { debug: nats.debug, trace: nats.trace } });
  for (const warning of request.warnings) logger.warn(formatWarning(warning));
  const started = await startServer({
    streaming,
    nats,
    configFile: "",
    logger,
    natsLogger,
    clock,
    random,
    onActive: () => listeners.tell("active"),
    onFailed: (reason) => listeners.tell("failed", reason),
  });
  if (started.kind === "refused") throw new ServerError("start_failed", started.reason);
  return new EmbeddedServer(started.server, listeners);
}

function requestOf(config: ServerConfig): RunRequest {
  // JSON is a subset of the configuration language: one reader, one set of error texts.
  const text = JSON.stringify({ host: EMBEDDED_HOST, ...config }, null, 2);
  const resolved = resolveOptions(["-sc", SOURCE], process.env, { readFile: () => ({ kind: "text", text }) });
  if (resolved.kind === "run") return resolved;
  const reason = resolved.kind === "error" ? `${resolved.text}\n${resolved.detail}`.trim() : resolved.kind;
  throw new ServerError("invalid_options", reason);
}

class EmbeddedServer implements RunningServer {
  readonly #server: Server;
  readonly #listeners: Listeners;

  constructor(server: Server, listeners: Listeners) {
    this.#server = server;
    this.#listeners = listeners;
  }

  get serverId(): string {
    return this.#server.serverId;
  }

  get clientUrl(): string {
    return this.#server.clientUrl;
  }

  get state(): ReturnType<typeof reportedState> {
    return reportedState(this.#server.state);
  }

  get lastError(): string | undefined {
    const state: ServerState = this.#server.state;
    return state.kind === "failed" ? state.reason : undefined;
  }

  on<Name extends keyof ServerEvents>(event: Name, listener: ServerListener<Name>): () => void {
    return this.#listeners.add(event, listener);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class Listeners {
  readonly #sets: { readonly [Name in keyof ServerEvents]: Set<ServerListener<Name>> } = {
    log: new Set(),
    active: new Set(),
    failed: new Set(),
  };

  add<Name extends keyof ServerEvents>(event: Name, listener: ServerListener<Name>): () => void {
    this.#sets[event].add(listener);
    return () => {
      this.#sets[event].delete(listener);
    };
  }

  tell<Name extends keyof ServerEvents>(event: Name, ...args: ServerEvents[Name]): void {
    for (const listener of this.#sets[event]) listener(...args);
  }
}
