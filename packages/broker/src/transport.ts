import { Socket } from "node:net";
import type { Sink } from "./outgoing.ts";

/** A connection's socket, as far as the broker uses it. */
export interface Transport extends Sink {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly destroyed: boolean;
  end(): unknown;
  destroy(): unknown;
  resume(): unknown;
}

/** What a transport reports. Nothing comes before the listener's constructor has returned. */
export interface TransportListener {
  /** `bytes[0, length)` was read; the memory is overwritten by the next read. False: read no more until `resume`. */
  bytesRead(bytes: Uint8Array, length: number): boolean;
  /** The peer will send no more. */
  peerEnded(): void;
  transportFailed(error: NodeJS.ErrnoException): void;
  /** The last event. */
  transportClosed(): void;
}

/** One read takes at most so much. Twice and four times as much won nothing that could be measured. */
export const READ_BYTES = 65_536;

let shared: Uint8Array | undefined;

/**
 * The memory that sockets read into: one buffer for all of them, as a read is handled before the next one begins. Not on
 * Windows, where the system holds the buffer of every socket that waits for data.
 */
function readBuffer(): Uint8Array {
  if (process.platform === "win32") return new Uint8Array(READ_BYTES);
  shared ??= new Uint8Array(READ_BYTES);
  return shared;
}

/**
 * Takes over a socket that a server has accepted with `pauseOnConnect`.
 *
 * What it buys: reads go into one static buffer (Node's `onread`), where the usual 'data' events allocate a buffer each, an
 * eighth more CPU for the whole way of a message. `onread` can only be given to the constructor, and `net.Server` constructs its sockets
 * itself; so the accepted handle moves to a second socket. Should a future Node hide the handle, 'data' events serve.
 */
export function adoptSocket(accepted: Socket, listenerOf: (transport: Transport) => TransportListener): void {
  const handle: unknown = Reflect.get(accepted, "_handle");
  let listener: TransportListener | undefined;
  let socket = accepted;
  if (typeof handle === "object" && handle !== null) {
    const options = {
      handle,
      allowHalfOpen: false,
      onread: {
        buffer: readBuffer(),
        callback: (length: number, bytes: Uint8Array): boolean => listener?.bytesRead(bytes, length) ?? true,
      },
    };
    Reflect.set(accepted, "_handle", null);
    // The empty shell is counted off by its server.
    accepted.destroy();
    socket = new Socket(options);
  }
  const listening = listenerOf(socket);
  listener = listening;
  if (socket === accepted) {
    socket.on("data", (bytes: Buffer) => {
      if (!listening.bytesRead(bytes, bytes.length)) socket.pause();
    });
  }
  socket.on("end", () => listening.peerEnded());
  socket.on("error", (error: NodeJS.ErrnoException) => listening.transportFailed(error));
  socket.on("close", () => listening.transportClosed());
  socket.resume();
}
