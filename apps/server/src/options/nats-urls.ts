/** URLs of external NATS servers, or what is wrong with them. */
export type NatsUrls =
  | { readonly kind: "urls"; readonly urls: readonly string[] }
  | { readonly kind: "invalid"; readonly message: string };

/**
 * The URLs that the option `nats_server_url` names. A list, or a URL with a login, is taken as given; a single plain URL
 * must be `scheme://host:port` and gets the scheme `nats` unless it is `tls`.
 * @see configuration.md 7
 */
export function parseNatsServerUrls(text: string): NatsUrls {
  if (text.includes(",") || text.includes("@")) {
    return { kind: "urls", urls: text.split(",").map((url) => url.trim()) };
  }
  const match = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(text);
  const address = match?.[1];
  if (address === undefined) return { kind: "invalid", message: `malformed url: ${text}` };
  const parts = /^(\[[^\]]+\]|[^:]*):(\d+)$/.exec(address);
  if (parts === null) return { kind: "invalid", message: `address ${address}: missing port in address` };
  if (parts[1] === "") return { kind: "invalid", message: `malformed url: ${text}` };
  // TLS that was asked for is kept; the original passes over it.
  const scheme = /^tls:/i.test(text) ? "tls" : "nats";
  return { kind: "urls", urls: [`${scheme}://${address}`] };
}

/** Why the option `nats_server_url` cannot be used; undefined when it can, or is empty. */
export function natsServerUrlFault(text: string): string | undefined {
  const parsed = text === "" ? undefined : parseNatsServerUrls(text);
  return parsed?.kind === "invalid" ? parsed.message : undefined;
}

/** Where routes are listened for. */
export interface RouteListener {
  readonly kind: "listener";
  readonly host: string;
  /** -1 for a free one. */
  readonly port: number;
  /** Login that other servers must give; empty for none. */
  readonly user: string;
  readonly password: string;
}

/** Reads the URL of the flag `-cluster`: `nats://[user:password@]host:port`. @see configuration.md 4.3 */
export function parseRouteListener(
  text: string,
): RouteListener | { readonly kind: "invalid"; readonly message: string } {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:([^@/]*)@)?([^/?#]*)/i.exec(text);
  if (match === null) {
    return { kind: "invalid", message: `parse "${text}": a URL begins with a scheme, as in nats://0.0.0.0:6222` };
  }
  const [, login, address = ""] = match;
  const parts = /^(?:\[([^\]]+)\]|([^:]*)):(-?\d+)$/.exec(address);
  if (parts === null) return { kind: "invalid", message: "missing port in address" };
  const [user = "", password] = login === undefined ? [] : login.split(":", 2);
  if (login !== undefined && password === undefined) {
    return { kind: "invalid", message: "expected cluster password to be set" };
  }
  return {
    kind: "listener",
    host: parts[1] ?? parts[2] ?? "",
    port: Number(parts[3]),
    user: decode(user),
    password: decode(password ?? ""),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
