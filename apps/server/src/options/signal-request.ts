import type { ReadFile } from "@nats-streaming/config";

/** What a running server can be told. `ldm` is lame duck mode: let clients leave, then stop. @see operations.md 2.1 */
export const SIGNAL_COMMANDS = ["quit", "term", "stop", "reopen", "reload", "ldm"] as const;

export type SignalCommand = (typeof SIGNAL_COMMANDS)[number];

/** A signal to send instead of starting. */
export interface SignalRequest {
  readonly kind: "signal";
  readonly command: SignalCommand;
  /** Undefined when the server is to be found by its name. */
  readonly pid: number | undefined;
}

export type SignalParse = SignalRequest | { readonly kind: "invalid"; readonly message: string; readonly hint: string };

/** Reads `command` or `command=pid` or `command=pid file`. @see operations.md 2.1 */
export function parseSignal(text: string, readFile: ReadFile): SignalParse {
  const [name = "", target, ...more] = text.split("=");
  const command = SIGNAL_COMMANDS.find((known) => known === name);
  if (command === undefined) {
    const message = `unknown signal "${name}"`;
    return { kind: "invalid", message, hint: `the signals are ${SIGNAL_COMMANDS.join(", ")}` };
  }
  if (more.length > 0) {
    return { kind: "invalid", message: `invalid signal parameters: [${more.join(" ")}]`, hint: "write command=pid" };
  }
  if (target === undefined || target === "") return { kind: "signal", command, pid: undefined };
  const pid = pidOf(target, readFile);
  if (pid !== undefined) return { kind: "signal", command, pid };
  const hint = "name a process ID, or a readable file that holds one";
  return { kind: "invalid", message: `invalid pid: ${target}`, hint };
}

function pidOf(target: string, readFile: ReadFile): number | undefined {
  const read = PID.test(target) ? { kind: "text" as const, text: target } : readFile(target);
  const digits = read.kind === "text" ? read.text.trim() : "";
  return PID.test(digits) ? Number(digits) : undefined;
}

/** A process ID above 0: 0 and below would address whole groups of processes. */
const PID = /^0*[1-9]\d{0,9}$/;
