import { createServer, type Server, type Socket } from "node:net";
import type { NewClient } from "./connection.ts";
import type { ConnectionContext } from "./connection-context.ts";
import { ConnectionLog } from "./connection-log.ts";
import { listenOn } from "./listen.ts";
import { newNonce } from "./nonce.ts";
import { type ClientTlsOptions, tlsSettingsOf } from "./tls-options.ts";
import { certificateNames, TlsAcceptor } from "./tls-transport.ts";
import { adoptSocket, KEEP_ALIVE_MILLIS, peerAddress, type Transport, type TransportListener } from "./transport.ts";

export interface ClientListenerOptions {
  readonly context: ConnectionContext;
  readonly tls: ClientTlsOptions | undefined;
  /** The number for the next connection, of whatever kind. */
  readonly nextId: () => number;
  /** A client is there, and as far as it is to be so, encrypted. */
  readonly onClient: (client: NewClient, transport: Transport) => TransportListener;
}

/** Where clients come in. */
export class ClientListener {
  readonly #options: ClientListenerOptions;
  #tls: ClientTlsOptions | undefined;
  #acceptor: TlsAcceptor | undefined;
  /** Those before it, which may have handshakes under way. */
  #formerAcceptors: readonly TlsAcceptor[] = [];
  #server: Server | undefined;

  /** @throws BrokerError `bad_option` */
  constructor(options: ClientListenerOptions) {
    this.#options = options;
    this.secure(options.tls);
  }

  /** How clients that come from now on are encrypted, if they are. @throws BrokerError `bad_option`; nothing has changed then */
  secure(tls: ClientTlsOptions | undefined): void {
    const { clock } = this.#options.context;
    const next = tls === undefined ? undefined : new TlsAcceptor(tlsSettingsOf("tls", tls), isVerifying(tls), clock);
    const former = this.#acceptor === undefined ? [] : [this.#acceptor];
    this.#formerAcceptors = [...this.#formerAcceptors, ...former].filter((acceptor) => acceptor.isBusy);
    this.#acceptor = next;
    this.#tls = tls;
  }

  /** Returns the port that was taken. @throws BrokerError `listen_failed` */
  async open(host: string, port: number): Promise<number> {
    const { context, nextId, onClient } = this.#options;
    const server = createServer({
      pauseOnConnect: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MILLIS,
    });
    server.on("connection", (socket) => {
      const nonce = context.authenticator.needsNonce ? newNonce(context.random) : "";
      const client = { id: nextId(), nonce, certificateNames: undefined, isGreeted: false };
      if (this.#acceptor === undefined) adoptSocket(socket, (transport) => onClient(client, transport));
      else this.#secure(socket, client, this.#acceptor);
    });
    const taken = await listenOn(server, { host, port, what: "port" }, (error) =>
      context.logger.error(`Temporary Client Accept Error (${error.message})`),
    );
    this.#server = server;
    return taken;
  }

  /** Takes nobody in any more, and gives up handshakes under way. Settles when all sockets are gone. */
  async close(): Promise<void> {
    for (const acceptor of this.#formerAcceptors) acceptor.close();
    this.#acceptor?.close();
    const server = this.#server;
    if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** The greeting goes out as it is; everything else is encrypted. */
  #secure(socket: Socket, client: NewClient, acceptor: TlsAcceptor): void {
    const { context, onClient } = this.#options;
    const tls = this.#tls;
    const { address, port } = peerAddress(socket);
    const log = new ConnectionLog(context.logger, address, port, `cid:${client.id}`);
    socket.write(context.info.line({ ...client, address }, false));
    log.debug("Starting TLS client connection handshake");
    acceptor.accept(socket, {
      onSecured(secured): TransportListener {
        const names = tls?.verifyAndMap === true ? certificateNames(secured) : undefined;
        return onClient({ ...client, certificateNames: names, isGreeted: true }, secured);
      },
      onFailed(reason): void {
        log.error(`TLS handshake error: ${reason}`);
        log.debug("Client connection closed: TLS Handshake Failure");
      },
    });
  }
}

/** Whether clients have to show a certificate. */
export function isVerifying(tls: ClientTlsOptions | undefined): boolean {
  return tls?.verify === true || tls?.verifyAndMap === true;
}
