import { readdirSync, readFileSync } from "node:fs";
import type { SignalCommand, SignalRequest } from "./options/signal-request.ts";
import { PROGRAM } from "./options/version.ts";

/** `stop` kills, `quit` and `term` stop in order. @see operations.md 2.1 */
const SIGNALS: Readonly<Record<SignalCommand, NodeJS.Signals>> = {
  quit: "SIGINT",
  term: "SIGTERM",
  stop: "SIGKILL",
  reopen: "SIGUSR1",
  reload: "SIGHUP",
  ldm: "SIGUSR2",
};

export type SentSignal = { readonly kind: "sent" } | { readonly kind: "failed"; readonly lines: readonly string[] };

/** What finding and signalling processes needs of the machine. */
export interface Processes {
  /** Process IDs with their program's name; undefined where the system does not list them. */
  list(): readonly { readonly pid: number; readonly name: string }[] | undefined;
  /** @throws the system's error */
  kill(pid: number, signal: NodeJS.Signals): void;
  readonly ownPid: number;
}

/** Sends what `--signal` asks for: to the process it names, or to the one running server. */
export function sendSignal(request: SignalRequest, processes: Processes = systemProcesses): SentSignal {
  const found = request.pid === undefined ? findServer(processes) : request.pid;
  if (typeof found !== "number") return found;
  try {
    processes.kill(found, SIGNALS[request.command]);
    return { kind: "sent" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return failed(code === "ESRCH" ? "no such process" : (error as Error).message);
  }
}

function findServer(processes: Processes): number | SentSignal {
  const all = processes.list();
  if (all === undefined) return failed("unable to resolve pid, try providing one");
  const servers = all.filter(({ pid, name }) => name === PROGRAM && pid !== processes.ownPid);
  const [first, ...others] = servers;
  if (first === undefined) return failed(`no ${PROGRAM} processes running`);
  if (others.length === 0) return first.pid;
  return failed(`multiple ${PROGRAM} processes running:`, ...servers.map(({ pid }) => String(pid)));
}

function failed(...lines: string[]): SentSignal {
  return { kind: "failed", lines };
}

const systemProcesses: Processes = {
  ownPid: process.pid,
  kill: (pid, signal) => {
    process.kill(pid, signal);
  },
  list() {
    try {
      return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => ({ pid: Number(pid), name: programOf(pid) }));
    } catch {
      return undefined;
    }
  },
};

/** The first word of a process's command line without its folder; a process that has just ended has none. */
function programOf(pid: string): string {
  try {
    const [command = ""] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split(/[\0 ]/);
    return command.slice(command.lastIndexOf("/") + 1);
  } catch {
    return "";
  }
}
