import { type Clock, errorText, type Logger } from "@nats-streaming/kernel";
import type { LogSink, ServerLogger } from "../logging/logger.ts";
import { openLogTarget } from "../logging/open-target.ts";
import { formatWarning } from "../options/option-warning.ts";
import type { ResolvedOptions, RunRequest } from "../options/resolve-options.ts";
import { inForce, planReload, type ReloadPlan } from "./plan-reload.ts";
import type { ProcessFiles } from "./process-files.ts";
import type { ReloadArea } from "./reload-rules.ts";
import type { ReloadTarget } from "./reload-target.ts";
import { withoutSecrets } from "./without-secrets.ts";

export interface ReloaderOptions {
  /** What the server was started with. */
  readonly request: RunRequest;
  /** Reads arguments, environment and files again. */
  readonly resolve: () => ResolvedOptions;
  readonly clock: Clock;
  readonly sink: LogSink;
  /** Of the streaming part. */
  readonly logger: ServerLogger;
  /** Of the embedded NATS server; undefined with an external one. */
  readonly natsLogger: ServerLogger | undefined;
  readonly files: ProcessFiles;
  readonly isTerminal: boolean;
}

/** Holds a running server to a configuration that has changed. One reload at a time. */
export class Reloader {
  readonly #options: ReloaderOptions;
  #current: RunRequest;
  #running: Promise<void> | undefined;
  /** Another signal came meanwhile: files may have changed since they were read. */
  #isAskedAgain = false;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#current = options.request;
  }

  /** The options in force. */
  get current(): RunRequest {
    return this.#current;
  }

  /** Reads the configuration and carries out what has changed; says in the log what it did. Never rejects. */
  reload(server: ReloadTarget): Promise<void> {
    this.#isAskedAgain = this.#running !== undefined;
    this.#running ??= this.#reloadWhileAsked(server).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #reloadWhileAsked(server: ReloadTarget): Promise<void> {
    do {
      this.#isAskedAgain = false;
      await this.#reload(server);
    } while (this.#isAskedAgain);
  }

  async #reload(server: ReloadTarget): Promise<void> {
    const { logger } = this.#options;
    const { configFiles } = this.#current;
    if (configFiles.nats === "" && configFiles.streaming === "") {
      logger.error("Reload: can only reload config when a file is provided using -c or --config");
      return;
    }
    const resolved = this.#options.resolve();
    if (resolved.kind !== "run") {
      const lines = resolved.kind === "error" ? [resolved.text, ...resolved.detail.split("\n")] : [resolved.kind];
      this.#failed(lines.filter((line) => line !== ""));
      return;
    }
    for (const warning of resolved.warnings) logger.warn(formatWarning(warning));
    const plan = planReload(this.#current, resolved);
    for (const { line } of plan.left) logger.warn(line);
    const failed = await this.#carryOut(plan, resolved, server);
    this.#current = inForce(this.#current, resolved, plan, failed);
    if (failed.size === 0) this.#natsPart.info("Reloaded server configuration");
    else this.#natsPart.warn("Reloaded server configuration in part: what failed is as it was before");
  }

  /** @returns where it could not be done */
  async #carryOut(plan: ReloadPlan, next: RunRequest, server: ReloadTarget): Promise<ReadonlySet<ReloadArea>> {
    const { logger, natsLogger, files } = this.#options;
    const { streaming, nats } = next;
    const failed = new Set<ReloadArea>();
    const carryOut = async (area: ReloadArea, work: () => void | Promise<void>): Promise<void> => {
      if (!plan.areas.has(area)) return;
      try {
        await work();
      } catch (error) {
        failed.add(area);
        this.#failed(errorText(error).split("\n"));
        return;
      }
      for (const { line, isNats, area: its } of plan.applied) {
        if (its === area) (isNats ? this.#natsPart : logger).info(line);
      }
    };
    await carryOut("target", () => this.#changeTarget(next));
    await carryOut("verbosity", () => {
      logger.setVerbosity({ debug: streaming.debug, trace: streaming.trace });
      natsLogger?.setVerbosity({ debug: nats.debug, trace: nats.trace });
    });
    // Connections ask once whether they are traced: the broker is told of that, too.
    const isForBroker = plan.areas.has("broker") || plan.areas.has("verbosity");
    const known = inForce(this.#current, next, plan, failed).nats;
    if (plan.areas.has("broker")) await carryOut("broker", () => server.reloadBroker(known));
    else if (isForBroker && natsLogger !== undefined) await this.#refresh(server);
    await carryOut("limits", async () => {
      const outcome = await server.reloadLimits(streaming.storeLimits);
      if (outcome.kind === "refused") throw new Error(outcome.reason);
      const { added, removed } = outcome;
      if (added.length > 0) logger.info(`Reloaded: channels added: ${added.join(", ")}`);
      if (removed.length > 0) logger.info(`Reloaded: channels removed: ${removed.join(", ")}`);
    });
    await carryOut("pid_file", () => files.writePid(nats.pidFile));
    await carryOut("ports_file", () => files.writePorts(nats.portsFileDirectory, server.ports));
    await carryOut("later", () => {});
    return failed;
  }

  async #refresh(server: ReloadTarget): Promise<void> {
    try {
      await server.reloadBroker(this.#current.nats);
    } catch (error) {
      this.#failed(errorText(error).split("\n"));
    }
  }

  /** The lines of the former target come before those of the new one. */
  async #changeTarget({ nats }: RunRequest): Promise<void> {
    const { sink, clock, isTerminal } = this.#options;
    const former = sink.target;
    sink.target = await openLogTarget({ nats, clock, pid: process.pid, isTerminal });
    await former.close();
  }

  #failed(lines: readonly string[]): void {
    const [first = "", ...more] = lines;
    const logger = this.#natsPart;
    logger.error(`Failed to reload server configuration: ${withoutSecrets(first)}`);
    for (const line of more) logger.error(withoutSecrets(line));
  }

  get #natsPart(): Logger {
    return this.#options.natsLogger ?? this.#options.logger;
  }
}
