// Starts a streaming server as a process of its own, for the examples beside this file.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const [program, ...first] = serverCommand();

/** The server that is installed beside the examples; else the command that is installed for the whole machine. */
function serverCommand() {
  try {
    const index = fileURLToPath(import.meta.resolve("@nats-streaming/server"));
    return [process.execPath, index.replace(/index\.js$/, "main.js")];
  } catch {
    return ["nats-streaming-server"];
  }
}

// Servers that an example has started never outlive it.
const running = new Set();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** Starts a server with these flags and waits for a line of its log: by default, until it serves. */
export async function startServer(flags, until = "Streaming Server is ready") {
  const child = spawn(program, [...first, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const isMissing = once(child, "error").then(([{ code }]) => {
    throw new Error(`${program} cannot be started (${code}): npm install --global @nats-streaming/server`);
  });
  const log = [];
  const lines = createInterface({ input: child.stderr });
  const said = (text) =>
    new Promise((resolve, reject) => {
      if (log.some((line) => line.includes(text))) resolve();
      lines.on("line", (line) => line.includes(text) && resolve());
      child.once("exit", (code) =>
        reject(new Error(`a server ended with status ${code}:\n${log.slice(-5).join("\n")}`)),
      );
    });
  lines.on("line", (line) => log.push(line));
  await Promise.race([said(until), isMissing]);
  return {
    said,
    /** Ends it, and waits until it has ended. */
    async stop(signal = "SIGINT") {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, "exit");
    },
  };
}

/** A TCP port that nobody uses now. */
export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
