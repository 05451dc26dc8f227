import { writeFileSync } from "node:fs";
import { readSystemFile } from "@nats-streaming/config";
import { silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { flagTable } from "./flags/flag-table.ts";
import { helpText } from "./flags/help.ts";
import type { LineFormat } from "./logging/line.ts";
import { createLogger } from "./logging/logger.ts";
import { fileTarget, type LogTarget, stderrTarget } from "./logging/target.ts";
import type { NatsOptions } from "./options/nats-options.ts";
import { formatWarning } from "./options/option-warning.ts";
import { type RunRequest, resolveOptions } from "./options/resolve-options.ts";
import { PROGRAM } from "./options/version.ts";
import { sendSignal } from "./send-signal.ts";
import { type Server, startServer } from "./server.ts";
import { recoverOnly } from "./store/recover-only.ts";

/** Exit statuses. @see operations.md 4 */
const EXIT_OK = 0;
const EXIT_FAILED = 1;
/** A flag that is none, or has a value that is none: the usage follows, as in the original (which exits with 0). */
const EXIT_USAGE = 2;
/** 128 and the number of the signal. */
const EXIT_TERMINATED = 143;

const PID_FILE_MODE = 0o660;

/** The program: reads arguments and files, runs the server, and ends the process. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  const resolved = resolveOptions(argv, process.env, { readFile: readSystemFile });
  switch (resolved.kind) {
    case "help":
    case "help_tls":
    case "version":
      print(process.stdout, [resolved.text]);
      process.exitCode = EXIT_OK;
      return;
    case "error":
      print(resolved.stream === "stdout" ? process.stdout : process.stderr, [resolved.text]);
      if (resolved.detail !== "") print(process.stderr, [resolved.detail]);
      if (resolved.exitCode === EXIT_USAGE) print(process.stdout, [helpText(PROGRAM, flagTable)]);
      process.exitCode = resolved.exitCode;
      return;
    case "check":
      print(resolved.exitCode === EXIT_OK ? process.stdout : process.stderr, resolved.lines);
      process.exitCode = resolved.exitCode;
      return;
    case "signal": {
      const sent = sendSignal(resolved);
      if (sent.kind === "failed") print(process.stderr, sent.lines);
      process.exitCode = sent.kind === "failed" ? EXIT_FAILED : EXIT_OK;
      return;
    }
    case "run":
      // By this name `--signal` finds the process.
      process.title = PROGRAM;
      await run(resolved);
  }
}

function print(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  for (const line of lines) stream.write(line.endsWith("\n") ? line : `${line}\n`);
}

async function run(resolved: RunRequest): Promise<void> {
  const { streaming, nats, warnings, configFiles } = resolved;
  let target: LogTarget;
  try {
    target = nats.logFile === "" ? stderrTarget() : fileTarget(nats.logFile);
  } catch (error) {
    process.stderr.write(`error opening file: ${(error as Error).message}\n`);
    process.exitCode = EXIT_FAILED;
    return;
  }
  const clock = systemClock();
  const format: LineFormat = {
    pid: process.pid,
    time: nats.logTime,
    colour: nats.logFile === "" && process.stderr.isTTY === true,
  };
  const common = { target, format, clock };
  const logger = createLogger({
    ...common,
    prefix: "STREAM: ",
    verbosity: { debug: streaming.debug, trace: streaming.trace },
  });
  const embeds = streaming.natsServerUrl === "";
  const natsLogger = embeds
    ? createLogger({ ...common, prefix: "", verbosity: { debug: nats.debug, trace: nats.trace } })
    : silentLogger;

  for (const warning of warnings) logger.warn(formatWarning(warning));

  if (resolved.recoverOnly) {
    const onFailure = (error: Error): void => logger.fatal(error.message);
    const failure = await recoverOnly({ streaming, clock, logger, random: systemRandom(), onFailure });
    if (failure !== undefined) logger.fatal(failure);
    target.close();
    process.exitCode = failure === undefined ? EXIT_OK : EXIT_FAILED;
    return;
  }

  // Installed before anything is opened, so that a stop during the start is orderly, too.
  let server: Server | undefined;
  let stopping: number | undefined;
  const stop = async (status: number): Promise<void> => {
    logger.info("Shutting down.");
    if (stopping !== undefined) return;
    stopping = status;
    if (server === undefined) return;
    process.exit(await closed(server, status));
  };
  const closed = async (closing: Server, status: number): Promise<number> => {
    try {
      await closing.close();
      return status;
    } catch (error) {
      logger.fatal(`Unable to close the store: ${(error as Error).message}`);
      return EXIT_FAILED;
    }
  };
  process.on("SIGINT", () => void stop(EXIT_OK));
  process.on("SIGTERM", () => void stop(EXIT_TERMINATED));
  process.on("SIGUSR1", () => {
    try {
      logger.info(target.reopen() ? "File log re-opened" : "File log re-open ignored, not a file logger");
    } catch (error) {
      logger.error(`Unable to re-open the log file: ${(error as Error).message}`);
    }
  });
  process.on("SIGUSR2", () => {});
  process.on("SIGHUP", () => {
    logger.warn("Reload is not available in this version: restart to apply a changed configuration");
  });

  const started = await startServer({
    streaming,
    nats,
    configFile: configFiles.nats,
    logger,
    natsLogger,
    clock,
    random: systemRandom(),
    onFailed: (_reason, exitStatus) => process.exit(exitStatus),
  });
  if (started.kind === "refused") {
    if (stopping !== undefined) process.exit(stopping);
    if (started.detail !== "") logger.error(started.detail);
    if (started.source === "nats") natsLogger.fatal(started.reason);
    else logger.fatal(`Failed to start: ${started.reason}`);
    target.close();
    process.exit(EXIT_FAILED);
  }
  server = started.server;
  if (stopping !== undefined) {
    process.exit(await closed(server, stopping));
  }
  writePidFile(nats, (text) => logger.error(text));
}

/** @see operations.md 3 */
function writePidFile(nats: NatsOptions, onError: (text: string) => void): void {
  if (nats.pidFile === "") return;
  try {
    writeFileSync(nats.pidFile, String(process.pid), { mode: PID_FILE_MODE });
  } catch (error) {
    onError(`Could not write pidfile: ${(error as Error).message}`);
  }
}
