import { readSystemFile } from "@nats-streaming/config";
import { flagTable } from "./flags/flag-table.ts";
import { helpText } from "./flags/help.ts";
import { isInspectCommand } from "./inspect/inspect-flags.ts";
import { runInspect } from "./inspect/run-inspect.ts";
import { resolveOptions } from "./options/resolve-options.ts";
import { PROGRAM } from "./options/version.ts";
import { runPartitions } from "./partitions/run-partitions.ts";
import { EXIT_FAILED, EXIT_OK, runProcess } from "./run-process.ts";
import { sendSignal } from "./send-signal.ts";
import { createSchema, printSchema, type SchemaOutcome } from "./store/sql-schema.ts";

/** A flag that is none, or has a value that is none: the usage follows, as in the original (which exits with 0). */
const EXIT_USAGE = 2;

/** The program: reads arguments and files, runs the server, and ends the process. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  if (isInspectCommand(argv[0])) {
    process.exitCode = await inspect(argv);
    return;
  }
  const [command, ...rest] = argv;
  if (command === "partitions") {
    const { stdout, stderr, exitStatus } = await runPartitions(rest);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = exitStatus;
    return;
  }
  const resolved = resolveOptions(argv, process.env, { readFile: readSystemFile });
  switch (resolved.kind) {
    case "help":
    case "help_tls":
    case "version":
      print(process.stdout, [resolved.text]);
      process.exitCode = EXIT_OK;
      return;
    case "error":
      print(resolved.stream === "stdout" ? process.stdout : process.stderr, [resolved.text]);
      if (resolved.detail !== "") print(process.stderr, [resolved.detail]);
      if (resolved.exitCode === EXIT_USAGE) print(process.stdout, [helpText(PROGRAM, flagTable)]);
      process.exitCode = resolved.exitCode;
      return;
    case "check":
      print(resolved.exitCode === EXIT_OK ? process.stdout : process.stderr, resolved.lines);
      process.exitCode = resolved.exitCode;
      return;
    case "signal": {
      const sent = sendSignal(resolved);
      if (sent.kind === "failed") print(process.stderr, sent.lines);
      process.exitCode = sent.kind === "failed" ? EXIT_FAILED : EXIT_OK;
      return;
    }
    case "print_schema":
      return finish(printSchema(resolved.streaming.sqlStore));
    case "create_schema":
      return finish(await createSchema(resolved.streaming.sqlStore));
    case "run":
      // By this name `--signal` finds the process.
      process.title = PROGRAM;
      await runProcess(resolved);
  }
}

/** Looks into a server that runs elsewhere. Ends in order when it is interrupted. */
async function inspect(argv: readonly string[]): Promise<number> {
  const ending = new AbortController();
  process.once("SIGINT", () => ending.abort());
  // Whoever reads no further, such as head, has what it wants.
  process.stdout.on("error", () => ending.abort());
  const { columns } = process.stdout;
  return runInspect(argv, {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    fetch,
    columns: process.stdout.isTTY ? columns : undefined,
    env: process.env,
    program: PROGRAM,
    signal: ending.signal,
  });
}

function finish(outcome: SchemaOutcome): void {
  const isDone = outcome.kind === "done";
  print(isDone ? process.stdout : process.stderr, [outcome.text]);
  process.exitCode = isDone ? EXIT_OK : EXIT_FAILED;
}

function print(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  for (const line of lines) stream.write(line.endsWith("\n") ? line : `${line}\n`);
}
