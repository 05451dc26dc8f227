import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { GO, type Job, type Outcome } from "./job.ts";
import { cpuSeconds } from "./process-usage.ts";

/** One load, and what the server spent on it. */
export interface Measured {
  readonly outcome: Outcome;
  readonly serverCpuSeconds: number;
}

const GENERATOR = fileURLToPath(new URL("./generator/main.ts", import.meta.url));

/** Runs one job in a generator process and reads the server's CPU time around it. */
export async function generate(job: Job, serverPid: number): Promise<Measured> {
  // Inherits the loader that runs this file.
  const generator = fork(GENERATOR, { stdio: "inherit" });
  const reports = reportsOf(generator);
  try {
    generator.send(job);
    await reports.next("ready");
    const before = cpuSeconds(serverPid);
    generator.send(GO);
    const outcome = await reports.next("done");
    const serverCpuSeconds = cpuSeconds(serverPid) - before;
    if (outcome === undefined) throw new Error("the load generator reported no outcome");
    await reports.ended;
    return { outcome, serverCpuSeconds };
  } finally {
    generator.kill();
  }
}

interface Reports {
  /** The next report, which has to be of this kind. */
  next(kind: "ready" | "done"): Promise<Outcome | undefined>;
  readonly ended: Promise<void>;
}

function reportsOf(generator: ChildProcess): Reports {
  const arrived: unknown[] = [];
  let wake = (): void => {};
  let over = false;
  generator.on("message", (message) => {
    arrived.push(message);
    wake();
  });
  const ended = new Promise<void>((resolve) => {
    generator.once("exit", () => {
      over = true;
      wake();
      resolve();
    });
  });
  return {
    ended,
    async next(kind): Promise<Outcome | undefined> {
      while (arrived.length === 0) {
        if (over) throw new Error("the load generator ended early");
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return readReport(arrived.shift(), kind);
    },
  };
}

function readReport(message: unknown, kind: "ready" | "done"): Outcome | undefined {
  const field = (target: unknown, name: string): unknown =>
    typeof target === "object" && target !== null ? Reflect.get(target, name) : undefined;
  if (field(message, "kind") === "failed") throw new Error(`load generator: ${field(message, "reason")}`);
  if (field(message, "kind") !== kind) throw new Error(`load generator: expected ${kind}`);
  if (kind === "ready") return undefined;
  const outcome = field(message, "outcome");
  const number = (name: string): number => Number(field(outcome, name));
  return {
    published: number("published"),
    delivered: number("delivered"),
    seconds: number("seconds"),
    generatorCpuSeconds: number("generatorCpuSeconds"),
  };
}
