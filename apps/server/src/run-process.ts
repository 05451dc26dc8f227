import { readSystemFile } from "@nats-streaming/config";
import {
  type Clock,
  durationToMillis,
  errorText,
  silentLogger,
  systemClock,
  systemRandom,
} from "@nats-streaming/kernel";
import { createLogger, type LogSink, type ServerLogger } from "./logging/logger.ts";
import { openLogTarget, withoutLog } from "./logging/open-target.ts";
import { formatWarning } from "./options/option-warning.ts";
import { type RunRequest, resolveOptions } from "./options/resolve-options.ts";
import { ProcessFiles } from "./reload/process-files.ts";
import { Reloader } from "./reload/reloader.ts";
import { type Server, startServer } from "./server.ts";
import { recoverOnly } from "./store/recover-only.ts";

/** Exit statuses. @see operations.md 4 */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
/** 128 and the number of the signal. */
const EXIT_TERMINATED = 143;

/**
 * Runs a server as the only thing that this process is for: logs where the options say, obeys signals, and exits.
 * @param argv what `request` was made from, for a reload
 */
export async function runProcess(request: RunRequest, argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const clock = systemClock();
  const isTerminal = process.stderr.isTTY === true;
  let sink: LogSink;
  try {
    sink = { target: await openLogTarget({ nats: request.nats, clock, pid: process.pid, isTerminal }) };
  } catch (error) {
    process.stderr.write(`${withoutLog(error, clock)}\n`);
    process.exitCode = EXIT_FAILED;
    return;
  }
  await new ServerProcess({ request, argv, sink, clock, isTerminal }).run();
}

interface ProcessSetup {
  readonly request: RunRequest;
  readonly argv: readonly string[];
  readonly sink: LogSink;
  readonly clock: Clock;
  readonly isTerminal: boolean;
}

class ServerProcess {
  readonly #request: RunRequest;
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #logger: ServerLogger;
  /** Undefined with an external NATS server. */
  readonly #natsLogger: ServerLogger | undefined;
  readonly #files = new ProcessFiles(process.pid);
  readonly #reloader: Reloader;
  #server: Server | undefined;
  /** Signals that came before the server was there to obey them. */
  readonly #early = new Set<"reload" | "lame_duck">();
  #isLeaving = false;
  /** With which status the process is about to end. */
  #stopping: number | undefined;

  constructor({ request, argv, sink, clock, isTerminal }: ProcessSetup) {
    const { streaming, nats } = request;
    this.#request = request;
    this.#sink = sink;
    this.#clock = clock;
    const verbosity = { debug: streaming.debug, trace: streaming.trace };
    this.#logger = createLogger({ sink, clock, prefix: "STREAM: ", verbosity });
    const embeds = streaming.natsServerUrl === "";
    this.#natsLogger = embeds
      ? createLogger({ sink, clock, prefix: "", verbosity: { debug: nats.debug, trace: nats.trace } })
      : undefined;
    this.#reloader = new Reloader({
      request,
      resolve: () => resolveOptions(argv, process.env, { readFile: readSystemFile }),
      clock,
      sink,
      logger: this.#logger,
      natsLogger: this.#natsLogger,
      files: this.#files,
      isTerminal,
    });
  }

  async run(): Promise<void> {
    const { streaming, nats, warnings, configFiles } = this.#request;
    const logger = this.#logger;
    for (const warning of warnings) logger.warn(formatWarning(warning));
    if (this.#request.recoverOnly) return this.#recoverOnly();

    // Before anything is opened, so that a stop during the start is orderly, too.
    this.#obeySignals();
    const started = await startServer({
      streaming,
      nats,
      configFile: configFiles.nats,
      logger,
      natsLogger: this.#natsLogger ?? silentLogger,
      clock: this.#clock,
      random: systemRandom(),
      onFailed: (_reason, exitStatus) => void this.#exit(exitStatus),
    });
    if (started.kind === "refused") {
      if (this.#stopping !== undefined) return this.#exit(this.#stopping);
      if (started.detail !== "") logger.error(started.detail);
      const line = started.source === "nats" ? started.reason : `Failed to start: ${started.reason}`;
      (started.source === "nats" ? (this.#natsLogger ?? logger) : logger).fatal(line);
      // Nobody looks into a syslog to find out why a command did nothing.
      if (nats.logFile === "" && (nats.syslog || nats.remoteSyslog !== "")) process.stdout.write(`${started.reason}\n`);
      return this.#exit(EXIT_FAILED);
    }
    this.#server = started.server;
    if (this.#stopping !== undefined) return this.#close(started.server, this.#stopping);
    this.#attempt(() => this.#files.writePid(nats.pidFile));
    this.#attempt(() => this.#files.writePorts(nats.portsFileDirectory, started.server.ports));
    if (this.#early.has("reload")) void this.#reloader.reload(started.server);
    if (this.#early.has("lame_duck")) void this.#leave();
  }

  async #recoverOnly(): Promise<void> {
    const { streaming } = this.#request;
    const logger = this.#logger;
    const onFailure = (error: Error): void => logger.fatal(error.message);
    const opening = { streaming, clock: this.#clock, logger, random: systemRandom(), onFailure, onLockLost: onFailure };
    const failure = await recoverOnly(opening);
    if (failure !== undefined) logger.fatal(failure);
    await this.#exit(failure === undefined ? EXIT_OK : EXIT_FAILED);
  }

  #obeySignals(): void {
    process.on("SIGINT", () => void this.#stop(EXIT_OK));
    process.on("SIGTERM", () => void this.#stop(EXIT_TERMINATED));
    process.on("SIGUSR1", () => this.#reopenLog());
    process.on("SIGUSR2", () => void this.#leave());
    // On Windows it says that the console is being closed.
    process.on("SIGHUP", () => (process.platform === "win32" ? void this.#stop(EXIT_OK) : this.#reload()));
  }

  #reload(): void {
    if (this.#stopping !== undefined) return;
    if (this.#server === undefined) this.#early.add("reload");
    else void this.#reloader.reload(this.#server);
  }

  /** Lame duck mode: sends clients away, then stops in order. */
  async #leave(): Promise<void> {
    if (this.#stopping !== undefined || this.#isLeaving) return;
    if (this.#natsLogger === undefined) {
      this.#logger.warn("Lame duck mode: clients are on the external NATS server, there is nobody to send away");
      return;
    }
    const server = this.#server;
    if (server === undefined) {
      this.#early.add("lame_duck");
      return;
    }
    this.#isLeaving = true;
    const { lameDuckGracePeriod, lameDuckDuration } = this.#reloader.current.nats;
    await server.lameDuck({
      gracePeriodMillis: durationToMillis(lameDuckGracePeriod),
      durationMillis: durationToMillis(lameDuckDuration),
    });
    if (this.#stopping === undefined) await this.#stop(EXIT_OK);
  }

  async #stop(status: number): Promise<void> {
    this.#logger.info("Shutting down.");
    if (this.#stopping !== undefined) return;
    this.#stopping = status;
    if (this.#server !== undefined) await this.#close(this.#server, status);
  }

  async #close(server: Server, status: number): Promise<void> {
    try {
      await server.close();
    } catch (error) {
      this.#logger.fatal(`Unable to close the store: ${errorText(error)}`);
      return this.#exit(EXIT_FAILED);
    }
    await this.#exit(status);
  }

  #reopenLog(): void {
    const logger = this.#logger;
    try {
      const isFile = this.#sink.target.reopen();
      logger.info(isFile ? "File log re-opened" : "File log re-open ignored, not a file logger");
    } catch (error) {
      logger.error(`Unable to re-open the log file: ${errorText(error)}`);
    }
  }

  /** Does what the server can do without. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#logger.error(errorText(error));
    }
  }

  /** The last lines of a log are the ones that matter. */
  async #exit(status: number): Promise<void> {
    this.#attempt(() => this.#files.remove());
    await this.#sink.target.close();
    process.exit(status);
  }
}
