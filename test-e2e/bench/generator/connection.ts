import { connect, type Socket } from "node:net";
import { createLineReader, type RawMessage } from "../../harness/nats-lines.ts";

/** Bytes that one read takes at most. The buffer is shared by all connections: a chunk is handled before the next. */
const READ_BYTES = 256 * 1024;

/** Room for what is left of a chunk together with the next one. */
const CARRY_BYTES = 2 * READ_BYTES;

const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/** Handles `bytes[0, end)` and says how many of them were whole messages. */
export type ChunkHandler = (bytes: Uint8Array, end: number) => number;

/**
 * A connection of the load generator. While it is set up it reads line by line, without haste; once `stream` is called
 * every chunk goes to a handler that scans bytes.
 */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #lines = createLineReader((line) => {
    if (line.kind === "message") this.#answers.get(line.sid)?.(line.message);
    else if (line.kind === "ping") this.write(Buffer.from("PONG\r\n"));
    else if (line.kind === "pong") this.#pongs.shift()?.();
    else if (line.kind === "error") this.#fail(new Error(`the server says ${line.text}`));
  });
  readonly #answers = new Map<string, (message: RawMessage) => void>();
  readonly #pongs: (() => void)[] = [];
  readonly #fail: (error: Error) => void;
  #handler: ChunkHandler | undefined;
  readonly #carry = Buffer.allocUnsafeSlow(CARRY_BYTES);
  #carried = 0;
  #nextSid = 1;

  constructor(port: number, fail: (error: Error) => void) {
    this.#fail = fail;
    this.#socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      // One static buffer instead of a new one for each read.
      onread: { buffer: readBuffer, callback: (count, buffer) => this.#onChunk(buffer, count) },
    });
    this.#socket.on("error", fail);
    this.#socket.on("close", () => fail(new Error("the server closed a connection")));
    this.write(Buffer.from('CONNECT {"verbose":false,"pedantic":false,"lang":"bench"}\r\n'));
  }

  /** Everything that the server still sends is ignored from now on, its end included. */
  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    this.#socket.destroy();
  }

  /** `written` is called when the bytes may be changed again. */
  write(bytes: Uint8Array, written?: () => void): void {
    if (written === undefined) this.#socket.write(bytes);
    else this.#socket.write(bytes, written);
  }

  /** Subscribes; the subscription's ID. */
  subscribe(subject: string): string {
    const sid = String(this.#nextSid++);
    this.write(Buffer.from(`SUB ${subject} ${sid}\r\n`));
    return sid;
  }

  /** A request of the set-up phase. */
  async request(subject: string, payload: Uint8Array): Promise<Buffer> {
    const inbox = `_INBOX.setup.${process.pid}.${Math.random().toString(36).slice(2)}`;
    const sid = this.subscribe(inbox);
    const answer = new Promise<RawMessage>((resolve) => this.#answers.set(sid, resolve));
    this.write(Buffer.concat([Buffer.from(`PUB ${subject} ${inbox} ${payload.length}\r\n`), payload, CRLF]));
    const { payload: bytes } = await answer;
    this.#answers.delete(sid);
    this.write(Buffer.from(`UNSUB ${sid}\r\n`));
    return bytes;
  }

  /** A round trip, in either phase. */
  flush(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#pongs.push(resolve));
    this.write(Buffer.from("PING\r\n"));
    return done;
  }

  /** A PONG that a chunk handler met. */
  pong(): void {
    this.#pongs.shift()?.();
  }

  /** Ends the set-up: from now on chunks go to `handler`. Called when nothing is under way. */
  stream(handler: ChunkHandler): void {
    this.#handler = handler;
  }

  #onChunk(buffer: Uint8Array, count: number): boolean {
    const handler = this.#handler;
    if (handler === undefined) {
      this.#lines.read(Buffer.from(buffer.subarray(0, count)));
      return true;
    }
    if (this.#carried === 0) {
      this.#keep(buffer, handler(buffer, count), count);
      return true;
    }
    this.#carry.set(buffer.subarray(0, count), this.#carried);
    const end = this.#carried + count;
    this.#keep(this.#carry, handler(this.#carry, end), end);
    return true;
  }

  #keep(bytes: Uint8Array, from: number, end: number): void {
    if (bytes === this.#carry) this.#carry.copyWithin(0, from, end);
    else this.#carry.set(bytes.subarray(from, end), 0);
    this.#carried = end - from;
  }
}

export const CRLF: Buffer = Buffer.from("\r\n");
