import { setTimeout } from "node:timers/promises";
import { InspectError, inspectClient } from "./inspect-client.ts";
import { type InspectCommand, inspectHelp, parseInspect } from "./inspect-flags.ts";
import type { InspectContext } from "./inspect-io.ts";
import { listChannels, listClients, listSubscriptions } from "./list-commands.ts";
import { showMessages } from "./show-messages.ts";
import { top } from "./top.ts";

/** Where a command of inspection stands. */
export interface InspectIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly fetch: typeof fetch;
  /** Of the terminal; undefined when standard output is none. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How the program is called, for help. */
  readonly program: string;
  /** Settles after so long, or rejects when the signal comes; the machine's timer when left out. */
  readonly sleep?: (millis: number, signal: AbortSignal | undefined) => Promise<void>;
  /** Ends `top` in order. */
  readonly signal?: AbortSignal;
}

const EXIT_OK = 0;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const RUNS: Readonly<Record<InspectCommand, (context: InspectContext) => Promise<void>>> = {
  channels: listChannels,
  clients: listClients,
  subscriptions: listSubscriptions,
  messages: showMessages,
  top,
};

/**
 * Looks into a running server from a terminal, over its monitoring port.
 * @param argv begins with the command: `isInspectCommand` says whether it is one
 * @returns the exit status: 0 for done, 1 for a server that cannot answer, 2 for a command line that is wrong
 */
export async function runInspect(argv: readonly string[], io: InspectIo): Promise<number> {
  const request = parseInspect(argv, io.env);
  switch (request.kind) {
    case "help":
      io.stdout(inspectHelp(io.program, request.command));
      return EXIT_OK;
    case "wrong":
      io.stderr(`${io.program}: ${request.message}\n`);
      return EXIT_USAGE;
    case "request":
      break;
  }
  const sleep = io.sleep ?? ((millis, signal) => setTimeout(millis, undefined, { signal }));
  try {
    await RUNS[request.command]({
      request,
      client: inspectClient(request, io.fetch, io.signal),
      print: io.stdout,
      columns: io.columns,
      sleep: (millis) => sleep(millis, io.signal),
      isOver: () => io.signal?.aborted ?? false,
    });
    return EXIT_OK;
  } catch (error) {
    if (io.signal?.aborted) return EXIT_OK;
    if (!(error instanceof InspectError || error instanceof RangeError)) throw error;
    io.stderr(`${io.program}: ${error.message}\n`);
    return error instanceof RangeError ? EXIT_USAGE : EXIT_FAILED;
  }
}
