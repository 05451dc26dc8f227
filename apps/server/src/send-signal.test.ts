import { describe, expect, it } from "vitest";
import { type Processes, sendSignal } from "./send-signal.ts";

function machine(...servers: number[]): Processes & { readonly sent: string[] } {
  const sent: string[] = [];
  return {
    sent,
    ownPid: 1,
    list: () => [
      { pid: 1, name: "nats-streaming-server" },
      { pid: 2, name: "nats-server" },
      ...servers.map((pid) => ({ pid, name: "nats-streaming-server" })),
    ],
    kill(pid, signal) {
      if (pid === 404) throw Object.assign(new Error("kill ESRCH"), { code: "ESRCH" });
      sent.push(`${pid} ${signal}`);
    },
  };
}

describe("sendSignal()", () => {
  it.each([
    ["quit", "SIGINT"],
    ["term", "SIGTERM"],
    ["stop", "SIGKILL"],
    ["reopen", "SIGUSR1"],
    ["reload", "SIGHUP"],
    ["ldm", "SIGUSR2"],
  ] as const)("sends %s as %s to the process that is named", (command, signal) => {
    const processes = machine();
    expect(sendSignal({ kind: "signal", command, pid: 7 }, processes)).toEqual({ kind: "sent" });
    expect(processes.sent).toEqual([`7 ${signal}`]);
  });

  it("finds the one running server by its name", () => {
    const processes = machine(5);
    sendSignal({ kind: "signal", command: "quit", pid: undefined }, processes);
    expect(processes.sent).toEqual(["5 SIGINT"]);
  });

  it("says so when there is none, or several, or the process does not exist", () => {
    const linesOf = (processes: Processes, pid?: number): readonly string[] => {
      const sent = sendSignal({ kind: "signal", command: "quit", pid }, processes);
      return sent.kind === "failed" ? sent.lines : [];
    };
    expect(linesOf(machine())).toEqual(["no nats-streaming-server processes running"]);
    expect(linesOf(machine(5, 6))).toEqual(["multiple nats-streaming-server processes running:", "5", "6"]);
    expect(linesOf(machine(), 404)).toEqual(["no such process"]);
    expect(linesOf({ ...machine(), list: () => undefined })).toEqual(["unable to resolve pid, try providing one"]);
  });
});
