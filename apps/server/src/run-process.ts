import { writeFileSync } from "node:fs";
import { type Clock, type Logger, silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { createLogger, type LogSink, type ServerLogger } from "./logging/logger.ts";
import { openLogTarget } from "./logging/open-target.ts";
import type { NatsOptions } from "./options/nats-options.ts";
import { formatWarning } from "./options/option-warning.ts";
import type { RunRequest } from "./options/resolve-options.ts";
import { type Server, startServer } from "./server.ts";
import { recoverOnly } from "./store/recover-only.ts";

/** Exit statuses. @see operations.md 4 */
export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
/** 128 and the number of the signal. */
const EXIT_TERMINATED = 143;

const PID_FILE_MODE = 0o660;

/** Runs a server as the only thing that this process is for: logs where the options say, obeys signals, and exits. */
export async function runProcess(request: RunRequest): Promise<void> {
  const clock = systemClock();
  let sink: LogSink;
  try {
    const isTerminal = process.stderr.isTTY === true;
    sink = { target: await openLogTarget({ nats: request.nats, clock, pid: process.pid, isTerminal }) };
  } catch (error) {
    process.stderr.write(`${textOf(error)}\n`);
    process.exitCode = EXIT_FAILED;
    return;
  }
  await new ServerProcess(request, sink, clock).run();
}

class ServerProcess {
  readonly #request: RunRequest;
  readonly #sink: LogSink;
  readonly #clock: Clock;
  readonly #logger: ServerLogger;
  readonly #natsLogger: Logger;
  #server: Server | undefined;
  /** With which status the process is about to end. */
  #stopping: number | undefined;

  constructor(request: RunRequest, sink: LogSink, clock: Clock) {
    const { streaming, nats } = request;
    this.#request = request;
    this.#sink = sink;
    this.#clock = clock;
    const verbosity = { debug: streaming.debug, trace: streaming.trace };
    this.#logger = createLogger({ sink, clock, prefix: "STREAM: ", verbosity });
    const embeds = streaming.natsServerUrl === "";
    this.#natsLogger = embeds
      ? createLogger({ sink, clock, prefix: "", verbosity: { debug: nats.debug, trace: nats.trace } })
      : silentLogger;
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
      natsLogger: this.#natsLogger,
      clock: this.#clock,
      random: systemRandom(),
      onFailed: (_reason, exitStatus) => void this.#exit(exitStatus),
    });
    if (started.kind === "refused") {
      if (this.#stopping !== undefined) return this.#exit(this.#stopping);
      if (started.detail !== "") logger.error(started.detail);
      const line = started.source === "nats" ? started.reason : `Failed to start: ${started.reason}`;
      (started.source === "nats" ? this.#natsLogger : logger).fatal(line);
      // Nobody looks into a syslog to find out why a command did nothing.
      if (nats.logFile === "" && (nats.syslog || nats.remoteSyslog !== "")) process.stdout.write(`${started.reason}\n`);
      return this.#exit(EXIT_FAILED);
    }
    this.#server = started.server;
    if (this.#stopping !== undefined) return this.#close(started.server, this.#stopping);
    writePidFile(nats, (text) => logger.error(text));
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
    process.on("SIGUSR2", () => {});
    process.on("SIGHUP", () => {
      this.#logger.warn("Reload is not available in this version: restart to apply a changed configuration");
    });
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
      this.#logger.fatal(`Unable to close the store: ${textOf(error)}`);
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
      logger.error(`Unable to re-open the log file: ${textOf(error)}`);
    }
  }

  /** The last lines of a log are the ones that matter. */
  async #exit(status: number): Promise<void> {
    await this.#sink.target.close();
    process.exit(status);
  }
}

/** @see operations.md 3 */
function writePidFile(nats: NatsOptions, onError: (text: string) => void): void {
  if (nats.pidFile === "") return;
  try {
    writeFileSync(nats.pidFile, String(process.pid), { mode: PID_FILE_MODE });
  } catch (error) {
    onError(`Could not write pidfile: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
