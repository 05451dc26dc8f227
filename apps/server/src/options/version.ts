import { readFileSync } from "node:fs";

/** Version of this server, as `-version`, the banner and monitoring show it: that of its package. */
export const SERVER_VERSION: string = readVersion();

/** The nats-server release whose behaviour the embedded NATS server has; clients choose features by it. */
export const NATS_VERSION = "2.9.10";

/** The program's name in messages. */
export const PROGRAM = "nats-streaming-server";

/** The line of `-version`. */
export const versionText: string = `${PROGRAM} version ${SERVER_VERSION}, nats-server: v${NATS_VERSION}-compatible`;

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const hasVersion = typeof manifest === "object" && manifest !== null && "version" in manifest;
  return hasVersion ? String(manifest.version) : "unknown";
}
