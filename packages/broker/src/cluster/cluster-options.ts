import { MAX_CONTROL_LINE_DEFAULT } from "@nats-streaming/protocol/nats";
import type { UserPassword } from "../authorization.ts";
import { BrokerError } from "../errors.ts";
import { type RouteTlsOptions, type TlsSettings, tlsSettingsOf } from "../tls-options.ts";
import { whole } from "../whole.ts";
import { parseHostPort, type RouteUrl, routeUrlOf } from "./route-url.ts";

/** How a broker works together with other NATS servers, ours or real ones. */
export interface ClusterOptions {
  /** Address to listen on for routes. Default `0.0.0.0`. */
  readonly host?: string;
  /** Port to listen on for routes, 0 for any free one. */
  readonly port: number;
  /** Name of the cluster. Default: one is made up, and given up for that of the first server that has one. */
  readonly name?: string;
  /** `host` or `host:port` at which other servers are told to reach this one. Default: where its connections come from. */
  readonly advertise?: string;
  /** Neither tell other servers nor clients where clients reach the servers of the cluster. */
  readonly noAdvertise?: boolean;
  /** Other servers, `nats://[user:password@]host:port`: one of the cluster is enough, the others are learnt. */
  readonly routes?: readonly string[];
  /** What other servers have to say to be let in, and what is said to servers that were learnt. */
  readonly authorization?: UserPassword;
  /** How long another server may take to introduce itself. Default 2 s. */
  readonly authTimeoutMillis?: number;
  /** Encrypts routes, from the first byte on; all servers of a cluster have to. Default: they are not encrypted. */
  readonly tls?: RouteTlsOptions;
  /** Failures in a row after which a server that was learnt is given up. Default 5; configured ones never are. */
  readonly connectRetries?: number;
}

/** {@link ClusterOptions}, each with its value. */
export interface ClusterSettings {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly advertise: string;
  readonly noAdvertise: boolean;
  readonly routes: readonly RouteUrl[];
  readonly authorization: UserPassword | undefined;
  readonly authTimeoutMillis: number;
  readonly connectRetries: number;
  readonly tls: RouteTlsSettings | undefined;
}

export interface RouteTlsSettings extends TlsSettings {
  readonly insecure: boolean;
}

/** A server that was learnt and is lost is tried so often again, for some ten seconds: it may only have lost the connection. */
const CONNECT_RETRIES_DEFAULT = 5;

/** Longest line of a route: an `INFO` that names the addresses of a large cluster. */
const ROUTE_LINE_MIN = 65_536;

/** The longest line that a route must take when its clients' lines are so long, with what other servers add to them. */
export function routeLineMax(maxControlLine: number = MAX_CONTROL_LINE_DEFAULT): number {
  return ROUTE_LINE_MIN + maxControlLine;
}

/** What `options` ask for. @throws BrokerError `bad_option` */
export function clusterSettingsOf(options: ClusterOptions): ClusterSettings {
  const advertise = options.advertise ?? "";
  if (advertise !== "" && parseHostPort(advertise, 1) === undefined) {
    throw new BrokerError("bad_option", `cluster.advertise is "${advertise}": write host:port`);
  }
  const name = options.name ?? "";
  if (/\s/.test(name)) throw new BrokerError("bad_option", `cluster.name is "${name}": it must not hold white space`);
  return {
    host: options.host ?? "0.0.0.0",
    port: whole("cluster.port", options.port, 0, 65_535),
    name,
    advertise,
    noAdvertise: options.noAdvertise ?? false,
    routes: (options.routes ?? []).map(routeUrlOf),
    authorization: options.authorization,
    authTimeoutMillis: whole("cluster.authTimeoutMillis", options.authTimeoutMillis ?? 2_000, 1),
    connectRetries: whole("cluster.connectRetries", options.connectRetries ?? CONNECT_RETRIES_DEFAULT, 0),
    tls:
      options.tls === undefined
        ? undefined
        : { ...tlsSettingsOf("cluster.tls", options.tls), insecure: options.tls.insecure ?? false },
  };
}
