import { encodeInfo, type ServerInfo } from "@nats-streaming/protocol/nats";

/** What `INFO` tells of the cluster. */
export interface ClusterInfo {
  readonly name: string;
  /** Where clients reach the servers of the cluster. */
  readonly clientUrls: readonly string[];
}

/** What of {@link ClientInfoOptions} a reload may change. */
export type ClientInfoChange = Pick<
  ClientInfoOptions,
  "maxPayload" | "isAuthRequired" | "isTlsRequired" | "isTlsVerified"
>;

export interface ClientInfoOptions {
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly maxPayload: number;
  readonly isAuthRequired: boolean;
  readonly isTlsRequired: boolean;
  /** Clients have to show a certificate. */
  readonly isTlsVerified: boolean;
  /** Where clients are told that the server is. */
  readonly address: () => { readonly host: string; readonly port: number };
  readonly cluster: ClusterInfo | undefined;
}

/** A client, as far as the greeting is about it. */
export interface Greeted {
  readonly id: number;
  readonly address: string;
  /** What the client is to sign when it is known by a key; else empty. */
  readonly nonce: string;
}

/** What a client is told of the server, when it comes and whenever something has changed. */
export class ClientInfo {
  /** Goes up with each change. */
  version = 0;
  /** The server is about to go, and says so to whoever asks. */
  isLast = false;
  #options: ClientInfoOptions;

  constructor(options: ClientInfoOptions) {
    this.#options = options;
  }

  /** For clients that come from now on: those that are here are not told. */
  change(options: ClientInfoChange): void {
    this.#options = { ...this.#options, ...options };
  }

  /** The `INFO` line for a client. @param isLast the server is about to go. */
  line(client: Greeted, isLast: boolean): Uint8Array {
    const {
      serverId,
      serverName,
      version,
      maxPayload,
      isAuthRequired,
      isTlsRequired,
      isTlsVerified,
      address,
      cluster,
    } = this.#options;
    const { host, port } = address();
    const urls = cluster?.clientUrls ?? [];
    const info: ServerInfo = {
      server_id: serverId,
      server_name: serverName,
      version,
      proto: 1,
      go: `node${process.versions.node}`,
      host,
      port,
      headers: true,
      ...(isAuthRequired ? { auth_required: true } : {}),
      ...(isTlsRequired ? { tls_required: true } : {}),
      ...(isTlsVerified ? { tls_verify: true } : {}),
      max_payload: maxPayload,
      client_id: client.id,
      client_ip: client.address,
      ...(client.nonce === "" ? {} : { nonce: client.nonce }),
      ...(cluster === undefined ? {} : { cluster: cluster.name }),
      ...(urls.length === 0 ? {} : { connect_urls: urls }),
      ...(isLast || this.isLast ? { ldm: true } : {}),
    };
    return encodeInfo(info);
  }
}
