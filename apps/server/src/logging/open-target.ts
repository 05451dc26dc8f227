import { hostname } from "node:os";
import { systemReason } from "@nats-streaming/config";
import { type Clock, errorText } from "@nats-streaming/kernel";
import type { NatsOptions } from "../options/nats-options.ts";
import { PROGRAM } from "../options/version.ts";
import { fileTarget } from "./file-target.ts";
import { localTime } from "./line.ts";
import { stderrTarget } from "./stderr-target.ts";
import { syslogTarget } from "./syslog-target.ts";
import { connectLocalSyslog, connectRemoteSyslog } from "./syslog-transport.ts";
import type { LogTarget } from "./target.ts";

/** A log file that cannot be opened. The message's second line is the remedy. */
export class LogFileError extends Error {
  override readonly name = "LogFileError";
}

export interface TargetOpening {
  readonly nats: NatsOptions;
  readonly clock: Clock;
  readonly pid: number;
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean;
}

/**
 * Opens the target that the options name: file, remote syslog, local syslog, else standard error.
 * @throws (rejects) Error whose message is one sentence for people, with a second line for the remedy where there is one
 * @see operations.md 1.1
 */
export async function openLogTarget({ nats, clock, pid, isTerminal }: TargetOpening): Promise<LogTarget> {
  const format = { pid, time: nats.logTime, colour: false };
  if (nats.logFile !== "") {
    try {
      return fileTarget({ path: nats.logFile, format, sizeLimit: nats.logSizeLimitBytes });
    } catch (error) {
      const fault = `error opening file: open ${nats.logFile}: ${systemReason(error)}`;
      throw new LogFileError(`${fault}\n${REMEDY}`, { cause: error });
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

const REMEDY =
  "name a file in a directory that is there and that the user of the server may write to: -l (logfile in the file)";

/** What a start says that has no log: of a file with the time in front, as the original does. @see operations.md 1.2 */
export function withoutLog(error: unknown, clock: Clock): string {
  const text = errorText(error);
  return error instanceof LogFileError ? `${secondsOf(clock)} ${text}` : text;
}

function secondsOf(clock: Clock): string {
  const now = { millis: 0, nanos: 0 };
  clock.read(now);
  return localTime(now).slice(0, "2026/11/22 14:08:49".length);
}
