import type { IncomingMessage } from "node:http";
import type { Asker } from "./response.ts";

/** Who sent a request. @param isTrusted it has passed the guard */
export function askerOf(request: IncomingMessage, isTrusted: boolean): Asker {
  return {
    isTrusted,
    isLocal: isLoopback(request.socket.remoteAddress ?? "") && isOwnName(request.headers.host ?? ""),
  };
}

/**
 * Whether a request was sent by a page of another site: with the password that the browser remembers it would be answered,
 * and as a script (`callback`) be read. Following a link is fine.
 */
export function isFromOtherSite({ headers }: IncomingMessage): boolean {
  return headers["sec-fetch-site"] === "cross-site" && headers["sec-fetch-mode"] !== "navigate";
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === "::1";
}

/**
 * Whether the server is called by an address or as localhost. A page whose own name was made to point to this machine calls it
 * by that name.
 */
function isOwnName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return name === "localhost" || /^\d+\.\d+\.\d+\.\d+$/.test(name) || /^\[[\da-f:.]+\]$/.test(name);
}
