import { renameSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { PROGRAM } from "../options/version.ts";

/** Where something listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Where a server listens; undefined for where it does not. */
export interface ServerPorts {
  /** For clients. */
  readonly nats: ListenAddress | undefined;
  readonly monitoring: ListenAddress | undefined;
  /** For routes. */
  readonly cluster: ListenAddress | undefined;
  /** Clients are served encrypted. */
  readonly isEncrypted: boolean;
}

const FILE_MODE = 0o640;

/** Where the ports of a process are written down. */
export function portsFile(directory: string, pid: number): string {
  return join(directory, `${PROGRAM}_${pid}.ports`);
}

/**
 * Writes down where a server listens, in the form of nats-server: URLs by what they are for, several where it listens on all
 * addresses of the machine. Whoever waits for the file finds it whole.
 * @throws the system's error
 * @see operations.md 3
 */
export function writePortsFile(path: string, ports: ServerPorts): void {
  const { nats, monitoring, cluster, isEncrypted } = ports;
  const text = JSON.stringify({
    ...(nats === undefined ? {} : { nats: urls(isEncrypted ? "tls" : "nats", nats) }),
    ...(monitoring === undefined ? {} : { monitoring: urls("http", monitoring) }),
    ...(cluster === undefined ? {} : { cluster: urls("nats", cluster) }),
  });
  const unfinished = `${path}.tmp`;
  writeFileSync(unfinished, text, { mode: FILE_MODE });
  renameSync(unfinished, path);
}

/** @throws the system's error; none when the file is gone already */
export function removePortsFile(path: string): void {
  rmSync(path, { force: true });
}

function urls(scheme: string, { host, port }: ListenAddress): string[] {
  return addressesOf(host).map((address) => `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}`);
}

/** An address that stands for all of the machine's, as those. */
function addressesOf(host: string): readonly string[] {
  if (host !== "" && host !== "0.0.0.0" && host !== "::") return [host];
  const all = Object.values(networkInterfaces()).flatMap((infos) => infos ?? []);
  const isFit = host === "::" || host === "" ? () => true : ({ family }: { family: string }) => family === "IPv4";
  const found = all.filter(isFit).map(({ address }) => address);
  return found.length === 0 ? ["127.0.0.1"] : found;
}
