import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { hostPort } from "./route-url.ts";

/**
 * Where clients reach a server that listens on `host`: there, or, when that stands for all addresses of the machine, at each
 * of those that can be reached from elsewhere.
 */
export function clientUrls(host: string, port: number): readonly string[] {
  if (host !== "0.0.0.0" && host !== "::") return [hostPort(host, port)];
  const addresses = Object.values(networkInterfaces())
    .flatMap((infos) => infos ?? [])
    .filter(({ internal, address }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address);
  if (addresses.length === 0) return [hostPort(host, port)];
  return addresses.map((address) => hostPort(address, port));
}

function isLinkLocal(address: string): boolean {
  return isIPv6(address) ? /^fe[89ab]/i.test(address) : address.startsWith("169.254.");
}

/** Most addresses that one server may name for clients, and longest one: what is more is left out. */
const URLS_PER_SERVER_MAX = 64;
const URL_LENGTH_MAX = 512;

/** The addresses for clients that other servers of the cluster name, each for as long as one of them does. */
export class GossipedUrls {
  readonly #byServer = new Map<string, readonly string[]>();

  /** All of them, each once. */
  get all(): readonly string[] {
    return [...new Set([...this.#byServer.values()].flat())];
  }

  /** What a server names; nothing when it is gone. Whether {@link all} has changed. */
  set(serverId: string, urls: readonly string[]): boolean {
    const before = this.all.join();
    const kept = urls.filter((url) => url.length <= URL_LENGTH_MAX).slice(0, URLS_PER_SERVER_MAX);
    if (kept.length === 0) this.#byServer.delete(serverId);
    else this.#byServer.set(serverId, kept);
    return this.all.join() !== before;
  }
}
