import { BusError, errorText, type Logger } from "@nats-streaming/kernel";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  NatsError,
  nkeyAuthenticator,
  type TlsOptions,
} from "nats";
import { CONNECT_TIMEOUT_MILLIS, type NatsBusOptions } from "./options.ts";
import type { Servers } from "./servers.ts";

/*
 * The only file that knows the `nats` client from within. Three things its public face does not offer are needed: handing
 * over composed bytes instead of single messages, hearing of a disconnect at once instead of some promises later, and the
 * bytes of subjects. The version is therefore pinned, and the shape is checked at each connect.
 */

/** Between two attempts to reconnect; attempts never end. @see protocol.md 2.5 */
export const RECONNECT_WAIT_MILLIS = 250;

/** A message as the client's parser delivers it; what it points to is valid during the callback only. */
export interface RawMessage {
  readonly _msg: {
    readonly subject: Uint8Array;
    readonly reply?: Uint8Array;
    /** Size of the headers, which stand before the payload; -1 or 0 for none. */
    readonly hdr: number;
  };
  readonly _rdata: Uint8Array;
  readonly headers?: { readonly code: number };
}

export interface ClientEvent {
  readonly type: string;
  readonly data: unknown;
  readonly permissionContext?: { readonly operation: string; readonly subject: string };
}

interface Protocol {
  readonly connected: boolean;
  readonly lastError?: Error;
  readonly transport: {
    readonly closeError?: Error;
    readonly socket?: { readonly writableLength: number; destroy(): void };
    isEncrypted(): boolean;
  };
  readonly listeners: { push(event: ClientEvent): void; stop(): void }[];
  readonly servers: {
    getServers(): readonly { readonly listen: string }[];
    addServer(host: string): void;
    /** Adds what a server announces. */
    update(info: unknown, isEncrypted: boolean): unknown;
  };
  readonly options: { ignoreClusterUpdates?: boolean };
  sendCommand(bytes: Uint8Array): void;
}

export interface Client {
  readonly connection: NatsConnection;
  /** Hands over composed protocol lines; they go out after what was handed over before, at the end of the turn. */
  send(bytes: Uint8Array): void;
  /** Calls back at once, synchronously, for every event of the connection. */
  onEvent(listener: (event: ClientEvent) => void): void;
  /** Bytes that wait for the socket. */
  readonly waitingBytes: number;
  /** Drops the line and all that waits for it; the client then reconnects. */
  breakConnection(): void;
  /** Why the connection was lost, in the words of the system or of the NATS server. */
  lossReason(): string;
}

/**
 * Connects to the first server that answers.
 * @throws BusError `connect_failed`
 */
export async function openClient(options: NatsBusOptions, servers: Servers): Promise<Client> {
  const list = servers.hosts.join(", ");
  let connection: NatsConnection;
  try {
    connection = await connect(connectionOptions(options, servers));
  } catch (error) {
    throw new BusError("connect_failed", `cannot connect to NATS at ${list}: ${describe(error)}`, { cause: error });
  }
  return wrap(connection, servers.hosts);
}

function wrap(connection: NatsConnection, hosts: readonly string[]): Client {
  const protocol = (connection as unknown as { readonly protocol: Protocol }).protocol;
  const known =
    typeof protocol?.sendCommand === "function" &&
    Array.isArray(protocol.listeners) &&
    typeof protocol.servers?.addServer === "function" &&
    typeof protocol.servers.update === "function" &&
    protocol.options?.ignoreClusterUpdates === true &&
    typeof protocol.transport?.isEncrypted === "function" &&
    typeof protocol.transport?.socket?.writableLength === "number";
  if (!known) {
    void connection.close();
    throw new BusError("connect_failed", "this version of the nats client is not supported: install nats 2.29.3");
  }
  restoreServers(protocol, hosts);
  protocol.options.ignoreClusterUpdates = false;
  protocol.servers.update(connection.info, protocol.transport.isEncrypted());
  // The client keeps its last error for ever; one from before the present connection says nothing about its loss.
  let former = protocol.lastError;
  protocol.listeners.push({
    push: (event) => {
      if (event.type === "reconnect") former = protocol.lastError;
    },
    stop: () => {},
  });
  return {
    connection,
    send: (bytes) => protocol.sendCommand(bytes),
    onEvent: (listener) => void protocol.listeners.push({ push: listener, stop: () => {} }),
    get waitingBytes(): number {
      return protocol.transport.socket?.writableLength ?? 0;
    },
    breakConnection: () => protocol.transport.socket?.destroy(),
    lossReason: () => {
      const { transport, lastError } = protocol;
      const error = transport.closeError ?? (lastError === former ? undefined : lastError);
      return error === undefined ? "connection closed by the NATS server" : describe(error);
    },
  };
}

/** The client forgets the servers that did not answer at the first connect; they may be up when one is needed. */
function restoreServers(protocol: Protocol, hosts: readonly string[]): void {
  const kept = new Set(protocol.servers.getServers().map((server) => server.listen));
  for (const host of hosts) {
    const listen = (/:\d+$/.test(host) ? host : `${host}:4222`).toLowerCase();
    if (!kept.has(listen)) protocol.servers.addServer(host);
  }
}

function connectionOptions(options: NatsBusOptions, servers: Servers): ConnectionOptions {
  const authenticators = authenticatorsOf(options);
  const user = options.user ?? servers.user;
  const pass = options.pass ?? servers.pass;
  const token = options.token ?? servers.token;
  const tls = tlsOf(options, servers);
  return {
    servers: [...servers.hosts],
    name: options.name,
    timeout: options.connectTimeoutMillis ?? CONNECT_TIMEOUT_MILLIS,
    reconnect: true,
    // Until the first connection stands: servers of a cluster announce one another even to those that they refuse, and the
    // client would go round among them for ever.
    ignoreClusterUpdates: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MILLIS,
    reconnectJitter: 0,
    reconnectJitterTLS: 0,
    // Credentials may be put right on the server's side: go on trying.
    ignoreAuthErrorAbort: true,
    // Host names as the system resolves them, /etc/hosts included.
    resolve: false,
    noAsyncTraces: true,
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(authenticators.length === 0 ? {} : { authenticator: authenticators }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function authenticatorsOf(options: NatsBusOptions): Authenticator[] {
  const authenticators: Authenticator[] = [];
  const { credentials, nkeySeed, logger } = options;
  // The client wants a line end after the last line of a credentials file, and none after a seed.
  if (credentials !== undefined) {
    authenticators.push(lasting(() => `${textOf(credentials)}\n`, credsAuthenticator, logger));
  }
  if (nkeySeed !== undefined) {
    authenticators.push(lasting(() => textOf(nkeySeed).trim(), nkeyAuthenticator, logger));
  }
  return authenticators;
}

/**
 * Asks for the text at each connect, and falls back to the former one when it cannot be read or is broken: an error here
 * would end the connection for good, and a file that is being replaced is no reason to.
 */
function lasting(read: () => string, authenticate: (text: Uint8Array) => Authenticator, logger: Logger): Authenticator {
  let former: Uint8Array | undefined;
  return (nonce) => {
    try {
      const text = new TextEncoder().encode(read());
      const answer = authenticate(text)(nonce);
      former = text;
      return answer;
    } catch (error) {
      if (former === undefined) throw error;
      logger.error(`NATS credentials cannot be used, trying the former ones: ${describe(error)}`);
      return authenticate(former)(nonce);
    }
  };
}

function textOf(text: string | (() => string)): string {
  return typeof text === "string" ? text : text();
}

function tlsOf({ tls }: NatsBusOptions, servers: Servers): TlsOptions | undefined {
  if (tls === undefined) return servers.tls ? {} : undefined;
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    // The client hands the whole object to Node's TLS.
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecure === true ? { rejectUnauthorized: false } : {}),
  } as TlsOptions;
}

const CAUSES: Readonly<Record<string, string>> = {
  CONNECTION_REFUSED: "connection refused; is the NATS server running there?",
  TIMEOUT: "no answer in time",
  BAD_CREDS: "the credentials are not the text of a credentials file",
  AUTHORIZATION_VIOLATION: "authorization violation; check user, password, token, nkey or credentials",
};

function describe(error: unknown): string {
  if (error instanceof NatsError) return CAUSES[error.code] ?? error.message;
  return errorText(error);
}
