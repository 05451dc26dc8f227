import { Socket } from "node:net";
import type { Clock } from "@nats-streaming/kernel";
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

/** Where the peer is. */
export function peerAddress(transport: Transport): { readonly address: string; readonly port: number } {
  const address = transport.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, "") ?? "";
  return { address, port: transport.remotePort ?? 0 };
}

/** Something under way that can be called off. */
export interface Cancellable {
  /** Calls it off: nothing more is reported. Idempotent. */
  cancel(): void;
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

/** After so much silence the system looks whether a peer's machine is still there. */
export const KEEP_ALIVE_MILLIS = 15_000;

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
  if (socket === accepted) listenToData(socket, listening);
  listenToEnd(socket, listening);
  socket.resume();
}

/** Where to dial, and what becomes of it. One of the two is called, once. */
export interface Dial {
  readonly host: string;
  readonly port: number;
  readonly timeoutMillis: number;
  readonly onConnected: (transport: Transport) => TransportListener;
  readonly onFailed: (error: Error) => void;
}

/** Opens a connection that reads as {@link adoptSocket} does. */
export function dialSocket(dial: Dial, clock: Clock): Cancellable {
  let listener: TransportListener | undefined;
  const options = {
    allowHalfOpen: false,
    onread: {
      buffer: readBuffer(),
      callback: (length: number, bytes: Uint8Array): boolean => listener?.bytesRead(bytes, length) ?? true,
    },
  };
  const socket = new Socket(options);
  return supervise(socket, dial, clock, () => {
    listener = dial.onConnected(socket);
    listenToEnd(socket, listener);
  });
}

/** Connects a socket, tears it down when that takes too long, and tells of failure. */
export function supervise(socket: Socket, dial: Dial, clock: Clock, onConnected: () => void): Cancellable {
  const { host, port, timeoutMillis } = dial;
  const fail = (error: Error): void => {
    stop();
    dial.onFailed(error);
  };
  const timer = clock.setTimer(timeoutMillis, () => fail(new Error("i/o timeout")));
  const stop = (): void => {
    timer.cancel();
    socket.removeAllListeners();
    // What a socket that nobody waits for still reports is of no interest.
    socket.on("error", () => {});
    socket.destroy();
  };
  socket.once("error", fail);
  socket.once("close", () => fail(new Error("connection closed")));
  socket.connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MILLIS }, () => {
    timer.cancel();
    socket.removeAllListeners();
    onConnected();
  });
  let isOver = false;
  return {
    cancel(): void {
      if (isOver) return;
      isOver = true;
      if (socket.connecting) stop();
    },
  };
}

/** Hands what a socket reads to its listener, one buffer after the other. */
export function listenToData(socket: Socket, listener: TransportListener): void {
  socket.on("data", (bytes: Buffer) => {
    if (!listener.bytesRead(bytes, bytes.length)) socket.pause();
  });
}

/** Tells the listener of the end of a socket. */
export function listenToEnd(socket: Socket, listener: TransportListener): void {
  socket.on("end", () => listener.peerEnded());
  socket.on("error", (error: NodeJS.ErrnoException) => listener.transportFailed(error));
  socket.on("close", () => listener.transportClosed());
}
