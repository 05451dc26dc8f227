/** An address to listen on, or what is wrong with it. */
export type HostPort =
  | { readonly kind: "address"; readonly host: string; readonly port: number }
  | { readonly kind: "invalid"; readonly message: string };

/** Reads `host:port`, `:port` and `[::1]:port`. A host may be empty, a port may be -1. @see configuration.md 7 */
export function parseHostPort(text: string): HostPort {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/.exec(text);
  if (match === null) return { kind: "invalid", message: `could not parse address string "${text}"` };
  const port = match[3] ?? "";
  if (!/^[+-]?\d{1,9}$/.test(port)) return { kind: "invalid", message: `could not parse port "${port}"` };
  return { kind: "address", host: match[1] ?? match[2] ?? "", port: Number(port) };
}
