import { parseArgs } from "node:util";
import { serverCommand } from "../harness/streaming-server.ts";

export interface BenchOptions {
  /** Messages of a run with few subscribers; runs with many send fewer. */
  readonly messages: number;
  /** Which runs, by name; all when empty. */
  readonly only: readonly string[];
  /** Bytes of data in a message. */
  readonly size: number;
  /** How often each run is repeated; the median is printed. */
  readonly runs: number;
  /** Command that starts the server under test; the flags of the bench are appended. */
  readonly serverCommand: readonly [string, ...string[]];
}

/** The largest data that the load generator's buffers are made for. */
const SIZE_MAX = 65_536;

export const USAGE = `usage: pnpm bench test-e2e [options]   or   tsx test-e2e/bench/main.bench.ts [options]

  --messages=N         messages per run (default 1000000); runs with many subscribers send a fiftieth of it
  --only=NAME,NAME     only these runs: 1+0, 1+1, 4+4, 1+100, memory
  --size=BYTES         data of each message (default 128, at most ${SIZE_MAX})
  --runs=N             repeat each run and print the median (default 1)
  --server-cmd="CMD"   another server, such as "nats-streaming-server"; flags are appended, and it has to be the
                       server's own process, not a script that starts it
`;

/** @throws Error with a text for the user when an option is wrong. */
export function readOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: "string", default: "1000000" },
      only: { type: "string", default: "" },
      size: { type: "string", default: "128" },
      runs: { type: "string", default: "1" },
      "server-cmd": { type: "string", default: "" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const [command, ...commandArgs] = words(values["server-cmd"], " ");
  return {
    messages: positive("--messages", values.messages),
    only: words(values.only, ","),
    size: positive("--size", values.size, SIZE_MAX),
    runs: positive("--runs", values.runs),
    serverCommand: command === undefined ? serverCommand() : [command, ...commandArgs],
  };
}

function words(text: string, separator: string): string[] {
  return text.split(separator).filter((word) => word !== "");
}

function positive(name: string, text: string, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Error(`${name} ${text}: not from 1 to ${most}`);
  return value;
}
