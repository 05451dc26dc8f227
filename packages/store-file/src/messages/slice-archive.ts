import { execFile } from "node:child_process";
import { FileError, type Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import type { Slice } from "./slice.ts";

/** Gets slices out of the way whose messages are all gone: deletes them, or hands them to the archive script. */
export interface SliceArchive {
  /** @param channel byte string */
  discard(channel: string, slice: Slice): void;
  /** Settles when no script runs any more. */
  idle(): Promise<void>;
}

/** Starts a program; settles when it has ended. */
export type RunScript = (script: string, args: readonly string[]) => Promise<ScriptOutcome>;

export interface ScriptOutcome {
  /** Standard output and standard error together. */
  readonly output: string;
  /** What went wrong, such as `exit status 3`. */
  readonly error?: string;
}

/** More than that of a script's output is not kept. */
const OUTPUT_BYTES_MAX = 64 * 1024;

/** Runs a program of this machine. */
export const runScript: RunScript = (script, args) => {
  return new Promise((resolve) => {
    let output = "";
    const child = execFile(script, [...args], { maxBuffer: OUTPUT_BYTES_MAX }, (error) => {
      if (error === null) resolve({ output });
      else resolve({ output, error: typeof error.code === "number" ? `exit status ${error.code}` : error.message });
    });
    const gather = (chunk: unknown): void => {
      output += String(chunk);
    };
    child.stdout?.on("data", gather);
    child.stderr?.on("data", gather);
  });
};

/** @param script as configured; empty: slices are deleted @see file-store.md 8 "Deleting a slice" */
export function createSliceArchive(script: string, run: RunScript, logger: Logger): SliceArchive {
  const running = new Set<Promise<void>>();

  const remove = (slice: Slice): void => {
    try {
      slice.remove();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      logger.error(`Unable to remove slice: ${error.message}`);
    }
  };

  const hand = async (channel: string, data: string, index: string): Promise<void> => {
    const { output, error } = await run(script, [byteStringToText(channel), data, index]);
    if (error !== undefined) {
      logger.error(`Error invoking archive script "${script}": ${error} (output=${output})`);
    } else {
      logger.info(`Output of archive script for ${byteStringToText(channel)} (${data} and ${index}): ${output}`);
    }
  };

  return {
    discard(channel, slice): void {
      if (script === "") {
        remove(slice);
        return;
      }
      const data = `${slice.data.path}.bak`;
      const index = `${slice.index.path}.bak`;
      try {
        slice.data.renameTo(data);
        slice.index.renameTo(index);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        remove(slice);
        return;
      }
      const done = hand(channel, data, index).finally(() => running.delete(done));
      running.add(done);
    },
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
