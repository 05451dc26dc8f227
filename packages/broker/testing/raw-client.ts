import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that is nothing but a socket: it sends what it is told and keeps what it gets, one character per byte. */
export class RawClient {
  /** The greeting. */
  info = "";
  /** Everything received since the greeting and not yet taken. */
  text = "";
  isClosed = false;
  readonly socket: Socket;
  #waiters: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (bytes: Buffer) => {
      this.text += bytes.toString("latin1");
      this.#wake();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** A client that has read the greeting. */
  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await client.until(() => /^INFO [^\n]*\n/.test(client.text));
    client.info = client.text.slice(0, client.text.indexOf("\n") + 1);
    client.text = client.text.slice(client.info.length);
    return client;
  }

  /** A client that has introduced itself, neither verbose nor pedantic unless `options` say so. */
  static async connected(port: number, options: object = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.send(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, ...options })}\r\n`);
    await client.synced();
    return client;
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  /** Resolves once `condition` holds, which is looked at after each event. Rejects when the line closes before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.isClosed) throw new Error(`closed; received ${JSON.stringify(this.text.slice(0, 500))}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Takes everything up to and including `end`. */
  async take(end: string): Promise<string> {
    await this.until(() => this.text.includes(end));
    const taken = this.text.slice(0, this.text.indexOf(end) + end.length);
    this.text = this.text.slice(taken.length);
    return taken;
  }

  /** Takes everything up to the answer to a ping, without that. */
  async synced(): Promise<string> {
    this.send("PING\r\n");
    const taken = await this.take("PONG\r\n");
    return taken.slice(0, -"PONG\r\n".length);
  }

  /** Everything received until the server closed. */
  async rest(): Promise<string> {
    if (!this.isClosed) await once(this.socket, "close");
    return this.text;
  }

  close(): void {
    this.socket.destroy();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
