import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** One connection as the server sees it. */
export interface ScriptedConnection {
  /** Everything that came in, as latin1 text. */
  readonly received: string;
  /** Sends bytes as they stand. */
  send(text: string): void;
  /** Settles when what came in contains `text`. */
  receives(text: string): Promise<void>;
  /** Cuts the line. */
  cut(): void;
  /** Ends the line in good order, as a server that shuts down. */
  end(): void;
  /** Stops reading, as a server that hangs. */
  pause(): void;
  /** Settles when the line is gone. */
  readonly closed: Promise<void>;
}

/**
 * Just enough of a NATS server to play one that goes away at awkward moments: it greets, answers pings, and shows what it
 * was sent. It routes nothing.
 */
export class ScriptedServer {
  readonly connections: ScriptedConnection[] = [];
  /** Merged into the greeting of connections to come. */
  info: Record<string, unknown> = {};
  /** False: pings stay without an answer, so that no connection comes about. */
  answersPings = true;
  /** True: whoever connects is hung up on. */
  hangsUp = false;
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  #waiting: ((connection: ScriptedConnection) => void)[] = [];

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, on the same port as before if there was one. */
  async start(): Promise<void> {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    this.#port = address.port;
  }

  /** Refuses connections from now on and cuts those there are. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** The next connection that comes. */
  nextConnection(): Promise<ScriptedConnection> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    let received = "";
    let answered = 0;
    let waiting: { readonly text: string; readonly resolve: () => void }[] = [];
    const connection: ScriptedConnection = {
      get received(): string {
        return received;
      },
      send: (text) => socket.write(text, "latin1"),
      receives: (text) =>
        received.includes(text)
          ? Promise.resolve()
          : new Promise((resolve) => {
              waiting.push({ text, resolve });
            }),
      cut: () => socket.destroy(),
      end: () => socket.end(),
      pause: () => socket.pause(),
      closed: new Promise((resolve) => {
        socket.once("close", () => resolve());
      }),
    };
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const pings = received.split("PING\r\n").length - 1;
      for (; this.answersPings && answered < pings; answered++) socket.write("PONG\r\n");
      const settled = waiting.filter(({ text }) => received.includes(text));
      waiting = waiting.filter((entry) => !settled.includes(entry));
      for (const { resolve } of settled) resolve();
    });
    const info = {
      server_id: "scripted",
      version: "2.9.10",
      proto: 1,
      headers: true,
      max_payload: 1_048_576,
      ...this.info,
    };
    if (this.hangsUp) socket.destroy();
    else socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    this.connections.push(connection);
    const resolvers = this.#waiting;
    this.#waiting = [];
    for (const resolve of resolvers) resolve(connection);
  }
}
