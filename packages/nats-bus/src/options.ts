import type { Clock, Logger } from "@nats-streaming/kernel";

/** How to reach a NATS server or cluster. */
export interface NatsBusOptions {
  /**
   * One URL or several: `nats://host:port`, `tls://host:port` (TLS is then demanded of all), `host:port` or `host`; port
   * 4222 when there is none. A URL may hold credentials (`nats://user:pass@host`, `nats://token@host`), the same in each.
   * Others that the servers announce are added as they come. At most 64.
   */
  readonly servers: string | readonly string[];
  /** What NATS shows in its list of connections, such as `_NSS-test-cluster-general`. */
  readonly name: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Seed of an nkey: the text of a seed file. A function is asked at each connect, so that the file may change. */
  readonly nkeySeed?: string | (() => string);
  /** Text of a credentials file. A function is asked at each connect, so that the file may change. */
  readonly credentials?: string | (() => string);
  /** TLS towards the server; `{}` demands it with the system's certificate authorities. */
  readonly tls?: NatsBusTls;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long one server may take until the connection stands. */
  readonly connectTimeoutMillis?: number;
  /**
   * What to do when a handler throws, which is a bug of the program. By default the error is thrown once more outside of
   * the read loop, so that it ends the process like any other uncaught error instead of silencing the connection.
   */
  readonly onHandlerError?: (error: unknown) => void;
}

/** PEM texts, not file names. */
export interface NatsBusTls {
  /** Certificate authorities, instead of the system's. */
  readonly ca?: string;
  /** Own certificate and key, for servers that ask. */
  readonly cert?: string;
  readonly key?: string;
  /** Name to look for in the server's certificate, instead of the host in the URL. */
  readonly serverName?: string;
  /** Accept any certificate. Not for production. */
  readonly insecure?: boolean;
}

/** As in the other NATS clients. */
export const CONNECT_TIMEOUT_MILLIS = 2_000;
