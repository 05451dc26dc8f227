import { hostname } from "node:os";
import type { Clock } from "@nats-streaming/kernel";
import type { NatsOptions } from "../options/nats-options.ts";
import { PROGRAM } from "../options/version.ts";
import { fileTarget } from "./file-target.ts";
import { stderrTarget } from "./stderr-target.ts";
import { syslogTarget } from "./syslog-target.ts";
import { connectLocalSyslog, connectRemoteSyslog } from "./syslog-transport.ts";
import type { LogTarget } from "./target.ts";

export interface TargetOpening {
  readonly nats: NatsOptions;
  readonly clock: Clock;
  readonly pid: number;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
}

/**
 * Opens the target that the options name: file, remote syslog, local syslog, else standard error.
 * @throws (rejects) Error whose message is one sentence for people
 * @see operations.md 1.1
 */
export async function openLogTarget({ nats, clock, pid, isTerminal }: TargetOpening): Promise<LogTarget> {
  const format = { pid, time: nats.logTime, colour: false };
  if (nats.logFile !== "") {
    try {
      return fileTarget({ path: nats.logFile, format, sizeLimit: nats.logSizeLimitBytes });
    } catch (error) {
      throw new Error(`error opening file: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
  const sender = { tag: PROGRAM, pid, host: hostname() };
  if (nats.remoteSyslog !== "") {
    const connect = () => connectRemoteSyslog(nats.remoteSyslog);
    return syslogTarget({ sender, clock, transport: await connect(), connect, kind: "remote" });
  }
  if (nats.syslog) {
    const connect = () => connectLocalSyslog();
    return syslogTarget({ sender, clock, transport: await connect(), connect, kind: "local" });
  }
  return stderrTarget({ ...format, colour: isTerminal });
}
