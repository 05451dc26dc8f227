import { isIP, Socket } from "node:net";
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from "node:tls";
import type { Clock } from "@nats-streaming/kernel";
import type { TlsSettings } from "./tls-options.ts";
import {
  type Cancellable,
  type Dial,
  listenToData,
  listenToEnd,
  supervise,
  type TransportListener,
} from "./transport.ts";

/** What becomes of a handshake. One of the two is called, once. */
export interface Handshake {
  readonly onSecured: (socket: TLSSocket) => TransportListener;
  readonly onFailed: (reason: string) => void;
}

interface Pending extends Handshake {
  readonly raw: Socket;
  readonly end: () => void;
}

/** Most handshakes under way at a time: whoever comes on top is turned away, for they all compute. */
const HANDSHAKES_MAX = 4_096;

/** The server's side of handshakes on sockets that were accepted. */
export class TlsAcceptor {
  readonly #clock: Clock;
  readonly #timeoutMillis: number;
  readonly #server: Server;
  readonly #pending = new Map<string, Pending>();

  /** @param verify whether peers are to show a certificate. */
  constructor(settings: TlsSettings, verify: boolean, clock: Clock) {
    this.#clock = clock;
    this.#timeoutMillis = settings.timeoutMillis;
    // It never listens: it is handed sockets.
    this.#server = createServer({
      ...settings.secure,
      requestCert: verify,
      rejectUnauthorized: verify,
      // The limit below is kept by the clock of this process; this one is not to come first.
      handshakeTimeout: 2 * settings.timeoutMillis + 1_000,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#take(keyOf(socket))?.onFailed(error.message));
  }

  /** Handshakes are under way. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  /** Begins a handshake. What was written to the socket before goes out before it. */
  accept(raw: Socket, handshake: Handshake): void {
    const key = keyOf(raw);
    if (key === undefined || this.#pending.size >= HANDSHAKES_MAX) {
      raw.destroy();
      handshake.onFailed("too many handshakes at a time");
      return;
    }
    const timer = this.#clock.setTimer(this.#timeoutMillis, () => {
      this.#take(key)?.onFailed("i/o timeout");
      raw.destroy();
    });
    this.#pending.set(key, { ...handshake, raw, end: () => timer.cancel() });
    raw.on("error", () => {});
    raw.once("close", () => this.#take(key)?.onFailed("connection closed"));
    this.#server.emit("connection", raw);
  }

  /** Ends the handshakes under way. */
  close(): void {
    for (const { raw } of this.#pending.values()) raw.destroy();
  }

  #secured(socket: TLSSocket): void {
    const pending = this.#take(keyOf(socket));
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    const listener = pending.onSecured(socket);
    listenToData(socket, listener);
    listenToEnd(socket, listener);
  }

  #take(key: string | undefined): Pending | undefined {
    const pending = key === undefined ? undefined : this.#pending.get(key);
    if (key === undefined || pending === undefined) return undefined;
    this.#pending.delete(key);
    pending.end();
    return pending;
  }
}

/** What a socket and the encrypted one on top of it have in common: where the peer is. */
function keyOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined || remotePort === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}

/** What a client's side of a handshake checks. */
export interface TlsDial {
  readonly settings: TlsSettings;
  /** The name that the server's certificate has to hold when the host is an address; empty for that address. */
  readonly nameForAddress: string;
  readonly insecure: boolean;
}

/** Opens an encrypted connection; the time limit is for all of it. */
export function dialTls(dial: Dial, { settings, nameForAddress, insecure }: TlsDial, clock: Clock): Cancellable {
  const raw = new Socket();
  const name = isIP(dial.host) === 0 ? dial.host : nameForAddress;
  const options: ConnectionOptions = {
    ...settings.secure,
    socket: raw,
    host: dial.host,
    rejectUnauthorized: !insecure,
    ...(name === "" ? {} : { servername: name }),
  };
  let handshake: Cancellable | undefined;
  const connecting = supervise(raw, dial, clock, () => {
    let isOver = false;
    const over = (report: () => void): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      report();
    };
    const fail = (error: Error): void =>
      over(() => {
        socket.destroy();
        dial.onFailed(error);
      });
    const timer = clock.setTimer(settings.timeoutMillis, () => fail(new Error("TLS handshake timeout")));
    const socket = connect(options, () =>
      over(() => {
        socket.removeAllListeners("close");
        const listener = dial.onConnected(socket);
        listenToData(socket, listener);
        listenToEnd(socket, listener);
      }),
    );
    socket.on("error", (error) => fail(new Error(`TLS route handshake error: ${error.message}`)));
    socket.once("close", () => fail(new Error("connection closed")));
    handshake = {
      cancel: () =>
        over(() => {
          socket.destroy();
        }),
    };
  });
  return {
    cancel(): void {
      connecting.cancel();
      handshake?.cancel();
    },
  };
}

/**
 * The names in a peer's certificate by which a user may be known: e-mail addresses, DNS names, and the subject as RFC 2253
 * writes it, `CN=ada,OU=sales,O=Example`: its parts from the last to the first.
 */
export function certificateNames(socket: TLSSocket): readonly string[] {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return [];
  const alternatives = (certificate.subjectAltName ?? "").split(", ");
  const having = (prefix: string): string[] =>
    alternatives.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  const subject = certificate.subject.split("\n").reverse().join(",");
  return [...having("email:"), ...having("DNS:"), subject];
}
