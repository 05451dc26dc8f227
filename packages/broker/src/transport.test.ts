import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RawClient } from "../testing/raw-client.ts";
import { createBroker } from "./broker.ts";
import { adoptSocket, type Transport } from "./transport.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

interface Accepted {
  readonly transport: Transport;
  readonly events: string[];
  readonly buffers: Set<Uint8Array>;
  /** What `bytesRead` answers from now on. */
  goesOn: boolean;
}

async function listen(): Promise<{ readonly port: number; readonly accepted: Accepted[]; close(): void }> {
  const accepted: Accepted[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    adoptSocket(socket, (transport) => {
      const entry: Accepted = { transport, events: [], buffers: new Set(), goesOn: true };
      accepted.push(entry);
      return {
        bytesRead(bytes, length): boolean {
          entry.buffers.add(bytes);
          entry.events.push(Buffer.from(bytes.slice(0, length)).toString());
          return entry.goesOn;
        },
        peerEnded: () => entry.events.push("end"),
        transportFailed: (error) => entry.events.push(String(error.code)),
        transportClosed: () => entry.events.push("close"),
      };
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, accepted, close: () => server.close() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Hides the handle of accepted sockets, as a Node without that property would. */
function hideHandles(): void {
  const get = Reflect.get;
  vi.spyOn(Reflect, "get").mockImplementation((target, key, ...rest) =>
    target instanceof Socket && key === "_handle" ? undefined : get(target, key, ...rest),
  );
}

for (const hidden of [false, true]) {
  describe(hidden ? "adoptSocket(), the handle being hidden," : "adoptSocket()", () => {
    it("reports what is read, the end of the peer, and the end", async () => {
      if (hidden) hideHandles();
      const { port, accepted, close } = await listen();
      const peer = connect(port, "127.0.0.1");
      await once(peer, "connect");
      peer.write("hello");
      while (accepted[0]?.events.length !== 1) await turn();
      const [first] = accepted;
      expect(first?.transport.remoteAddress).toBe("127.0.0.1");
      expect(first?.transport.remotePort).toBe(peer.localPort);
      first?.transport.write(new Uint8Array([0x68, 0x69]));
      const [answer] = await once(peer, "data");
      expect(String(answer)).toBe("hi");
      peer.end();
      while (first?.events.at(-1) !== "close") await turn();
      expect(first?.events).toEqual(["hello", "end", "close"]);
      close();
    });

    it("reports a reset as an error before the end", async () => {
      if (hidden) hideHandles();
      const { port, accepted, close } = await listen();
      const peer = connect(port, "127.0.0.1");
      await once(peer, "connect");
      while (accepted.length === 0) await turn();
      peer.resetAndDestroy();
      while (accepted[0]?.events.at(-1) !== "close") await turn();
      expect(accepted[0]?.events).toEqual(["ECONNRESET", "close"]);
      close();
    });

    it("reads no more until it is resumed", async () => {
      if (hidden) hideHandles();
      const { port, accepted, close } = await listen();
      const peer = connect({ port, host: "127.0.0.1", noDelay: true });
      await once(peer, "connect");
      while (accepted.length === 0) await turn();
      const entry = accepted[0]!;
      entry.goesOn = false;
      peer.write("one");
      while (entry.events.length === 0) await turn();
      peer.write("two");
      for (let i = 0; i < 50; i++) await turn();
      expect(entry.events).toEqual(["one"]);
      entry.goesOn = true;
      entry.transport.resume();
      while (entry.events.length === 1) await turn();
      expect(entry.events).toEqual(["one", "two"]);
      peer.destroy();
      close();
    });

    it("carries a broker's connections", async () => {
      if (hidden) hideHandles();
      const broker = createBroker({ host: "127.0.0.1", port: 0 });
      const { port } = await broker.listen();
      const client = await RawClient.connected(port);
      client.send("SUB a 1\r\nPUB a 2\r\nhi\r\n");
      expect(await client.synced()).toBe("MSG a 1 2\r\nhi\r\n");
      client.close();
      await broker.close();
    });
  });
}

describe("adoptSocket(), where the system allows it,", () => {
  it("reads all sockets into the same memory", async () => {
    const { port, accepted, close } = await listen();
    const peers = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    for (const peer of peers) peer.write("x");
    while (accepted.length < 2 || accepted.some((entry) => entry.events.length === 0)) await turn();
    const buffers = new Set(accepted.flatMap((entry) => [...entry.buffers]));
    expect(buffers.size).toBe(process.platform === "win32" ? 2 : 1);
    for (const peer of peers) peer.destroy();
    close();
  });
});
