import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/**
 * What becomes of a COMMIT on its way: the server gets it and its answer is lost; the server never gets it; or it stays on
 * the way and reaches the server, whose side of the connection stays open, when {@link CommitProxy.deliverLate} is called.
 */
export type CommitFate = "answer lost" | "never arrives" | "arrives late";

/** Stands between a store and its database, and loses one COMMIT when it is told to. */
export interface CommitProxy {
  readonly port: number;
  /** Says what becomes of the next COMMIT; the client's connection breaks at it. */
  doomNextCommit(fate: CommitFate): void;
  /** Settles when the doomed COMMIT has come by. */
  readonly doomed: Promise<void>;
  /** Sends what was kept on the way. */
  deliverLate(): void;
  close(): Promise<void>;
}

const COMMIT = "COMMIT";

export async function startCommitProxy(serverPort: number): Promise<CommitProxy> {
  const sockets = new Set<Socket>();
  let fate: CommitFate | undefined;
  let late = (): void => {};
  let noticed = (): void => {};
  const doomed = new Promise<void>((resolve) => {
    noticed = resolve;
  });

  const listener = createServer((client) => {
    const server = connect(serverPort, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => sockets.delete(socket));
    }
    let isKept = false;
    server.on("data", (data) => client.write(data));
    server.on("close", () => client.destroy());
    client.on("close", () => {
      if (!isKept) server.destroy();
    });
    client.on("data", (data: Buffer) => {
      // Statements are sent readable and, being short, in one piece.
      if (fate === undefined || !data.includes(COMMIT)) {
        server.write(data);
        return;
      }
      const now = fate;
      fate = undefined;
      server.removeAllListeners("data");
      switch (now) {
        case "answer lost":
          server.write(data);
          server.once("data", () => client.destroy());
          break;
        case "never arrives":
          client.destroy();
          break;
        case "arrives late":
          isKept = true;
          server.on("data", () => {});
          late = () => server.write(data);
          client.destroy();
          break;
      }
      noticed();
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    doomed,
    doomNextCommit(next): void {
      fate = next;
    },
    deliverLate: () => late(),
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
