import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a test or a suite has put up (processes, connections, folders) and takes down at its end, last first. */
export interface Stage {
  /** Runs `release` at the end, after everything deferred later. A failure of it fails the test. */
  defer(release: () => void | Promise<void>): void;
  /** Text to print when the test fails, such as the log of a server. */
  onFailure(report: () => string): void;
}

/** A stage that is taken down by hand. Tests use those of `test-stage.ts`, which end by themselves. */
export interface ManualStage extends Stage {
  close(): Promise<void>;
  /** Prints what {@link Stage.onFailure} has to say. */
  report(): void;
}

export function manualStage(): ManualStage {
  const releases: (() => void | Promise<void>)[] = [];
  const reports: (() => string)[] = [];
  return {
    defer: (release) => {
      releases.push(release);
    },
    onFailure: (report) => {
      reports.push(report);
    },
    report: () => {
      for (const report of reports) process.stderr.write(`${report()}\n`);
    },
    async close(): Promise<void> {
      const failures: unknown[] = [];
      for (let release = releases.pop(); release !== undefined; release = releases.pop()) {
        try {
          await release();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length === 1) throw failures[0];
      if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join("; "));
    },
  };
}

/** An empty folder that goes with the stage. */
export async function tempDir(stage: Stage): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "nats-streaming-e2e-"));
  stage.defer(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A file with this text in a folder of its own. */
export async function tempFile(stage: Stage, name: string, text: string): Promise<string> {
  const path = join(await tempDir(stage), name);
  await writeFile(path, text);
  return path;
}
