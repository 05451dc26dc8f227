import { GO, type Job, type Report } from "../job.ts";
import type { Load } from "./load.ts";
import { openRelayLoad } from "./relay-load.ts";
import { openStanLoad } from "./stan-load.ts";

/** The load generator: a process of its own, so that its work does not count as the server's. */

process.once("message", (message: unknown) => {
  void work(readJob(message));
});

async function work(job: Job): Promise<void> {
  try {
    const failed = deferred();
    const load = await Promise.race([open(job, failed.reject), failed.promise]);
    report({ kind: "ready" });
    await new Promise<void>((resolve) => {
      process.on("message", (message) => {
        if (message === GO) resolve();
      });
    });
    const cpuBefore = process.cpuUsage();
    const start = performance.now();
    const watch = watchProgress(load, failed.reject);
    await Promise.race([load.run(), failed.promise]);
    clearInterval(watch);
    const seconds = (performance.now() - start) / 1000;
    const cpu = process.cpuUsage(cpuBefore);
    await Promise.race([load.settle(), failed.promise]);
    report({
      kind: "done",
      outcome: {
        published: load.published(),
        delivered: load.delivered(),
        seconds,
        generatorCpuSeconds: (cpu.user + cpu.system) / 1_000_000,
      },
    });
    await load.close();
  } catch (error) {
    report({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
  process.disconnect();
}

/** A load that makes no progress for so long will not end. */
const STALLED_MILLIS = 20_000;

function watchProgress(load: Load, fail: (error: Error) => void): NodeJS.Timeout {
  let before = -1;
  return setInterval(() => {
    const now = load.published() + load.delivered();
    if (now === before) {
      fail(
        new Error(`no progress for ${STALLED_MILLIS} ms: ${load.published()} published, ${load.delivered()} delivered`),
      );
    }
    before = now;
  }, STALLED_MILLIS);
}

function open(job: Job, fail: (error: Error) => void): Promise<Load> {
  return job.kind === "stan" ? openStanLoad(job, fail) : openRelayLoad(job, fail);
}

function report(message: Report): void {
  process.send?.(message);
}

/** A promise that only ever fails. */
function deferred(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<never>((_resolve, rejectPromise) => {
    reject = rejectPromise;
  });
  promise.catch(() => {});
  return { promise, reject };
}

function readJob(message: unknown): Job {
  if (typeof message !== "object" || message === null) throw new Error("the generator was started without a job");
  const number = (name: string): number => Number(Reflect.get(message, name));
  return {
    kind: Reflect.get(message, "kind") === "relay" ? "relay" : "stan",
    port: number("port"),
    publishers: number("publishers"),
    channelsPerPublisher: number("channelsPerPublisher"),
    window: number("window"),
    subscribersPerChannel: number("subscribersPerChannel"),
    messages: number("messages"),
    payloadBytes: number("payloadBytes"),
    tag: String(Reflect.get(message, "tag")),
  };
}
