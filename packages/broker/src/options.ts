import type { Clock, Logger, Random } from "@nats-streaming/kernel";
import { MAX_CONTROL_LINE_DEFAULT, MAX_PAYLOAD_DEFAULT } from "@nats-streaming/protocol/nats";
import type { Authorization } from "./authorization.ts";
import type { ClusterOptions } from "./cluster/cluster-options.ts";
import { parseHostPort } from "./cluster/route-url.ts";
import { BrokerError } from "./errors.ts";
import type { BcryptCompare } from "./passwords.ts";
import type { ClientTlsOptions } from "./tls-options.ts";
import { whole } from "./whole.ts";

/** How a broker is set up. What is left out is as nats-server 2.9.10 has it. */
export interface BrokerOptions {
  /** Address to listen on. Default `0.0.0.0`. */
  readonly host?: string;
  /** Port to listen on, 0 for any free one. Default 4222. */
  readonly port?: number;
  /** `host` or `host:port` that clients are told instead of the address listened on. */
  readonly clientAdvertise?: string;
  /** Routes to other NATS servers. Default: none, and none are listened for. */
  readonly cluster?: ClusterOptions;
  /** Name in `INFO`. Default: the server's identity. */
  readonly serverName?: string;
  /** Version in `INFO` and in the log; clients choose features by it. Default `2.9.10`. */
  readonly version?: string;
  /** Largest payload in bytes, headers included. Default 1 MiB; at most {@link maxPending}. */
  readonly maxPayload?: number;
  /** Longest arguments of an operation in bytes. Default 4,096. */
  readonly maxControlLine?: number;
  /** Most connections at a time. Default 65,536; 0 for no limit. */
  readonly maxConnections?: number;
  /** Most subscriptions of one connection. Default 0: no limit. */
  readonly maxSubscriptions?: number;
  /** Most tokens of a subject that is subscribed to. Default 0: no limit. */
  readonly maxSubscriptionTokens?: number;
  /** Most bytes that may wait for one connection; with more it is closed as a slow consumer. Default 64 MiB. */
  readonly maxPending?: number;
  /** How long the kernel may take over one write before the connection is closed as a slow consumer. Default 10 s. */
  readonly writeDeadlineMillis?: number;
  /** After so long without a sign of life a client is pinged. Default 2 min. */
  readonly pingIntervalMillis?: number;
  /** A client that has left so many pings unanswered is closed as stale. Default 2. */
  readonly pingMax?: number;
  /** Encrypts the connections of clients, after `INFO`. Default: they are not encrypted. */
  readonly tls?: ClientTlsOptions;
  /** Who may connect. Default: everybody. */
  readonly authorization?: Authorization;
  /** Checks passwords that are configured as bcrypt hashes. Default: such hashes are refused. */
  readonly bcrypt?: BcryptCompare;
  /** How long a client may take to authenticate. Default 2 s. */
  readonly authTimeoutMillis?: number;
  /** How long {@link Broker.close} lets clients read what is still on its way to them. Default 2 s. */
  readonly drainMillis?: number;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
  /** Default: nothing is logged. */
  readonly logger?: Logger;
  /** For identities and for choosing members of queue groups. Default: the machine's randomness. */
  readonly random?: Random;
  /**
   * Told of what a local handler throws: a bug of the handler, which harms neither the broker nor other receivers.
   * Default: the error is thrown from a microtask of its own, so that the process decides as for any uncaught error.
   */
  readonly onHandlerError?: (error: unknown) => void;
}

/** The numbers of {@link BrokerOptions}, each with its value. */
export interface Limits {
  readonly maxPayload: number;
  readonly maxControlLine: number;
  readonly maxConnections: number;
  readonly maxSubscriptions: number;
  readonly maxSubscriptionTokens: number;
  readonly maxPending: number;
  readonly writeDeadlineMillis: number;
  readonly pingIntervalMillis: number;
  readonly pingMax: number;
  readonly authTimeoutMillis: number;
  readonly drainMillis: number;
}

/** nats-server's own default. */
export const PORT_DEFAULT = 4_222;
export const HOST_DEFAULT = "0.0.0.0";
export const VERSION_DEFAULT = "2.9.10";

/** A payload may not be larger: its size has at most nine digits, and a chunk of it must fit a buffer. */
const MAX_PAYLOAD_MAX = 64 * 1_048_576;

/** The limits that `options` ask for. @throws BrokerError `bad_option` */
export function limitsOf(options: BrokerOptions): Limits {
  const limits: Limits = {
    maxPayload: whole("maxPayload", options.maxPayload ?? MAX_PAYLOAD_DEFAULT, 1, MAX_PAYLOAD_MAX),
    maxControlLine: whole("maxControlLine", options.maxControlLine ?? MAX_CONTROL_LINE_DEFAULT, 1, 1_048_576),
    maxConnections: whole("maxConnections", options.maxConnections ?? 65_536, 0),
    maxSubscriptions: whole("maxSubscriptions", options.maxSubscriptions ?? 0, 0),
    maxSubscriptionTokens: whole("maxSubscriptionTokens", options.maxSubscriptionTokens ?? 0, 0),
    maxPending: whole("maxPending", options.maxPending ?? 64 * 1_048_576, 1),
    writeDeadlineMillis: whole("writeDeadlineMillis", options.writeDeadlineMillis ?? 10_000, 1),
    pingIntervalMillis: whole("pingIntervalMillis", options.pingIntervalMillis ?? 120_000, 1),
    pingMax: whole("pingMax", options.pingMax ?? 2, 0),
    authTimeoutMillis: whole("authTimeoutMillis", options.authTimeoutMillis ?? 2_000, 1),
    drainMillis: whole("drainMillis", options.drainMillis ?? 2_000, 0),
  };
  if (limits.maxPayload > limits.maxPending) {
    throw new BrokerError(
      "bad_option",
      `maxPayload (${limits.maxPayload}) is larger than maxPending (${limits.maxPending}): no receiver could take such a message; lower the first or raise the second`,
    );
  }
  return limits;
}

/** The port that `options` ask for. @throws BrokerError `bad_option` */
export function portOf(options: BrokerOptions): number {
  return whole("port", options.port ?? PORT_DEFAULT, 0, 65_535);
}

/** What clients are told instead of the address, or nothing. @throws BrokerError `bad_option` */
export function advertiseOf(options: BrokerOptions): string {
  const advertise = options.clientAdvertise ?? "";
  if (advertise === "" || parseHostPort(advertise, 1) !== undefined) return advertise;
  throw new BrokerError("bad_option", `clientAdvertise is "${advertise}": write host:port`);
}
