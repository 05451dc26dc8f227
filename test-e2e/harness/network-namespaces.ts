import { execFileSync } from "node:child_process";
import { connect, createServer } from "node:net";
import { freePort } from "@nats-streaming/kernel/testing";
import type { Stage } from "./stage.ts";

/** One of several network namespaces that see one another over a switch. */
export interface NetworkNamespace {
  /** Its address on the switch; other namespaces reach it while it is plugged in. */
  readonly address: string;
  /** What to put in front of a command that is to run inside. */
  readonly enter: readonly string[];
  /** Takes its line to the switch away: what is sent is lost, and nobody is told. */
  cut(): void;
  /** Ends {@link cut}. */
  mend(): void;
  /** A port of this machine that leads to a port inside, whatever becomes of its line to the switch. */
  reach(port: number): Promise<number>;
}

let spaces = 0;

/** Why namespaces cannot be made here; undefined when they can. */
export const noNamespaces: string | undefined = whyNone();

function whyNone(): string | undefined {
  const name = `nse2e-probe-${process.pid}`;
  try {
    ip("netns", "add", name);
    ip("netns", "del", name);
    return undefined;
  } catch (error) {
    const reason =
      error instanceof Error ? (error.message.split("\n").find((line) => line !== "") ?? "") : String(error);
    return `network namespaces are not permitted here (${reason})`;
  }
}

/** Makes namespaces and a switch between them, and clears them away with the stage. Each has a line of its own to us, too. */
export function networkNamespaces(stage: Stage, count: number): readonly NetworkNamespace[] {
  const prefix = `ns${process.pid}x${spaces++}`;
  const hub = `${prefix}hub`;
  ip("netns", "add", hub);
  stage.defer(() => {
    ip("netns", "del", hub);
  });
  ip("-n", hub, "link", "add", "switch", "type", "bridge");
  ip("-n", hub, "link", "set", "switch", "up");
  return Array.from({ length: count }, (_, index) => {
    const name = `${prefix}n${index}`;
    const address = `10.213.7.${index + 1}`;
    // A network of two addresses for each pair of ends: ours and theirs.
    const subnet = 4 * ((process.pid * 8 + spaces * 4 + index) % 4096);
    const [ours, theirs] = [1, 2].map((host) => `10.214.${subnet >> 8}.${(subnet & 255) + host}`);
    ip("netns", "add", name);
    stage.defer(() => {
      ip("netns", "del", name);
    });
    ip("-n", name, "link", "set", "lo", "up");
    ip("-n", name, "link", "add", "line", "type", "veth", "peer", "name", `port${index}`, "netns", hub);
    ip("-n", name, "addr", "add", `${address}/24`, "dev", "line");
    ip("-n", name, "link", "set", "line", "up");
    ip("-n", hub, "link", "set", `port${index}`, "master", "switch", "up");
    const end = `e${process.pid}x${spaces}n${index}`.slice(-15);
    ip("link", "add", end, "type", "veth", "peer", "name", "home", "netns", name);
    ip("addr", "add", `${ours}/30`, "dev", end);
    ip("link", "set", end, "up");
    ip("-n", name, "addr", "add", `${theirs}/30`, "dev", "home");
    ip("-n", name, "link", "set", "home", "up");
    return {
      address,
      enter: ["ip", "netns", "exec", name],
      cut: () => ip("-n", hub, "link", "set", `port${index}`, "nomaster"),
      mend: () => ip("-n", hub, "link", "set", `port${index}`, "master", "switch"),
      reach: (port) => relay(stage, theirs ?? "", port),
    };
  });
}

async function relay(stage: Stage, host: string, port: number): Promise<number> {
  const near = await freePort();
  const sockets = new Set<{ destroy(): void }>();
  const server = createServer((client) => {
    const far = connect({ host, port });
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen({ port: near, host: "127.0.0.1" }, resolve));
  stage.defer(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return near;
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}
