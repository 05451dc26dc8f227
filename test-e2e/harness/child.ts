import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { STEP_MILLIS, within } from "./mailbox.ts";
import type { Stage } from "./stage.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that a scenario started. Its end is part of the scenario: an end that nobody asked for fails the test. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  /** Everything printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** The complete lines of standard error so far. */
  readonly lines: readonly string[];
  /** Waits for a line on standard error that contains the text or matches; lines already printed count. */
  line(match: string | RegExp, deadlineMillis?: number): Promise<string>;
  /** The same for standard output. */
  outputLine(match: string | RegExp, deadlineMillis?: number): Promise<string>;
  /** Waits for the end, which hereby counts as expected. */
  exit(deadlineMillis?: number): Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** Asks for an orderly end with `signal` (SIGINT by default) and waits for it. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder it runs in; the present one by default. */
  readonly cwd?: string;
  /** Number of the user it runs as; the present one by default, and anyone else for root only. */
  readonly uid?: number;
  /** Text of the failure when the command does not exist. */
  readonly missing: string;
  /** How long an orderly end may take; {@link STOP_MILLIS} by default. */
  readonly stopMillis?: number;
}

/** How many lines of a log a failure shows. */
const LOG_LINES_SHOWN = 60;

/** How long an orderly end may take at the end of a test before the process is killed and the test fails. */
const STOP_MILLIS = 8_000;

const running = new Set<ChildProcess>();

// The last resort: when the test worker itself goes down, its children go with it.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a process that ends with the stage at the latest. Nothing but its own children is ever signalled. */
export async function startChild(stage: Stage, options: ChildOptions): Promise<Child> {
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new Error(options.missing, { cause: error });
  }
  running.add(child);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  let endExpected = false;

  const exited = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout: stdout.text, stderr: stderr.text });
    });
  });
  const log = (): string => {
    const lines = `${stdout.text}${stderr.text}`.split("\n");
    return [`--- ${options.name} (pid ${child.pid}) ---`, ...lines.slice(-LOG_LINES_SHOWN)].join("\n");
  };
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  const exit = (deadlineMillis: number = STEP_MILLIS): Promise<Exit> => {
    endExpected = true;
    return within(deadlineMillis, `the end of ${options.name}`, exited);
  };
  const stop = (signal: NodeJS.Signals = "SIGINT"): Promise<Exit> => {
    child.kill(signal);
    return exit(options.stopMillis ?? STOP_MILLIS);
  };

  stage.onFailure(log);
  stage.defer(async () => {
    if (hasEnded()) {
      if (endExpected) return;
      throw new Error(`${options.name} ended by itself (code ${child.exitCode}, signal ${child.signalCode})\n${log()}`);
    }
    try {
      await stop();
    } catch (error) {
      child.kill("SIGKILL");
      await exited;
      throw new Error(`${options.name} had to be killed`, { cause: error });
    }
  });

  const line = (output: Output, match: string | RegExp, deadlineMillis: number = STEP_MILLIS): Promise<string> => {
    const fits = (text: string): boolean => (typeof match === "string" ? text.includes(match) : match.test(text));
    const ended = exited.then((end): never => {
      throw new Error(`${options.name} ended (code ${end.code}) before it printed ${match}\n${log()}`);
    });
    return within(deadlineMillis, `a line ${match} of ${options.name}`, Promise.race([output.line(fits), ended]));
  };

  return {
    name: options.name,
    pid: child.pid ?? 0,
    get stdout() {
      return stdout.text;
    },
    get stderr() {
      return stderr.text;
    },
    lines: stderr.lines,
    line: (match, deadlineMillis) => line(stderr, match, deadlineMillis),
    outputLine: (match, deadlineMillis) => line(stdout, match, deadlineMillis),
    exit,
    stop,
    signal: (signal) => {
      child.kill(signal);
    },
  };
}

interface Output {
  readonly text: string;
  readonly lines: readonly string[];
  /** The first line that fits, now or to come. */
  line(fits: (line: string) => boolean): Promise<string>;
}

function collect(stream: Readable): Output {
  const waiters = new Set<(line: string) => void>();
  const lines: string[] = [];
  let whole = "";
  let unfinished = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    whole += text;
    const parts = `${unfinished}${text}`.split("\n");
    unfinished = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      for (const waiter of waiters) waiter(line);
    }
  });
  return {
    lines,
    get text() {
      return whole;
    },
    line: (fits) =>
      new Promise((resolve) => {
        const known = lines.find(fits);
        if (known !== undefined) {
          resolve(known);
          return;
        }
        const waiter = (line: string): void => {
          if (!fits(line)) return;
          waiters.delete(waiter);
          resolve(line);
        };
        waiters.add(waiter);
      }),
  };
}
