import { BrokerError } from "../errors.ts";

/** Where another server listens for routes, and what to say to be let in. */
export interface RouteUrl {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const SCHEMES: readonly string[] = ["nats:", "nats-route:", "tls:"];

/** Reads `nats://[user:password@]host:port`. Undefined when it is none. */
export function parseRouteUrl(text: string): RouteUrl | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const port = Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!SCHEMES.includes(url.protocol) || host === "" || port < 1) return undefined;
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (user === undefined || password === undefined) return undefined;
  return { host, port, user, password };
}

/** As {@link parseRouteUrl}. @throws BrokerError `bad_option` */
export function routeUrlOf(text: string): RouteUrl {
  const url = parseRouteUrl(text);
  if (url !== undefined) return url;
  const shown = text.replace(/\/\/[^/@]*@/, "//[REDACTED]@");
  throw new BrokerError(
    "bad_option",
    `cluster.routes: "${shown}" is no route: write nats://host:port or nats://user:password@host:port`,
  );
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Reads `host:port`, `host` or `[host]:port`; without a port it is `portDefault`. Undefined when it is neither. */
export function parseHostPort(
  text: string,
  portDefault: number,
): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return undefined;
  const given = match?.[3] === undefined ? 0 : Number(match[3]);
  // As the reference has it, a port of 0 stands for the one that is listened on.
  const port = given === 0 ? portDefault : given;
  return port <= 65_535 ? { host, port } : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
