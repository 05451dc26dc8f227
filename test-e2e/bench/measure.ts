import { freePort } from "@nats-streaming/kernel/testing";
import { type Child, startChild } from "../harness/child.ts";
import { type ManualStage, manualStage } from "../harness/stage.ts";
import { generate, type Measured } from "./generate.ts";
import type { Job } from "./job.ts";
import { memory } from "./process-usage.ts";

const READY_MILLIS = 20_000;
/** An orderly stop syncs every file that was written. */
const STOP_MILLIS = 180_000;

/** A process that is measured, and where it listens. */
export interface Measurable {
  readonly pid: number;
  readonly port: number;
}

/** Starts the streaming server under test. Limits that a long run would meet are off. */
export async function startStreaming(
  stage: ManualStage,
  serverCommand: readonly [string, ...string[]],
  storeFlags: readonly string[],
): Promise<Measurable & { readonly child: Child }> {
  const port = await freePort();
  const [command, ...args] = serverCommand;
  const flags = ["-a", "127.0.0.1", "-p", String(port), "-mm", "0", "-mb", "0", "-mc", "0", ...storeFlags];
  const child: Child = await startChild(stage, {
    name: "server under test",
    command,
    args: [...args, ...flags],
    missing: `cannot start ${command}`,
    stopMillis: STOP_MILLIS,
  });
  await child.line("STREAM: Streaming Server is ready", READY_MILLIS);
  return { pid: child.pid, port, child };
}

/** Runs a job after a shorter one of the same kind, so that the server's code is compiled. */
export async function measureWarm(job: Job, pid: number): Promise<Measured & { readonly maxBytes: number }> {
  const channels = job.publishers * job.channelsPerPublisher;
  // Making a channel takes longer than a message: it is not what is measured.
  const warmUp =
    job.channelsPerPublisher === 1
      ? { tag: "warm" }
      : { messages: roundTo(Math.max(channels, warmUpMessages(job)), channels) };
  await generate({ ...job, messages: warmUpMessages(job), ...warmUp }, pid);
  return { ...(await generate(job, pid)), maxBytes: memory(pid).maxBytes };
}

/** Enough for the server's code to be compiled; at most a tenth of the run. */
export function warmUpMessages({ messages, publishers }: Job): number {
  return roundTo(Math.max(publishers, Math.min(100_000, messages / 10)), publishers);
}

export function roundTo(count: number, publishers: number): number {
  return Math.max(1, Math.floor(count / publishers)) * publishers;
}

/** The result in the middle by CPU time. */
export function median<T extends { readonly serverCpuSeconds: number }>(results: readonly T[]): T {
  const sorted = results.toSorted((a, b) => a.serverCpuSeconds - b.serverCpuSeconds);
  const middle = sorted[sorted.length >> 1];
  if (middle === undefined) throw new Error("no repetition");
  return middle;
}

export async function onStage<T>(action: (stage: ManualStage) => Promise<T>): Promise<T> {
  const stage = manualStage();
  try {
    return await action(stage);
  } finally {
    await stage.close();
  }
}
