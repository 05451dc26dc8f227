import { readFileSync } from "node:fs";

/** Version of this server: that of its package. */
export const serverVersion: string = readVersion();

/** The NATS server that the embedded broker behaves like; announced to clients, which judge features by it. */
export const natsVersion = "2.9.10";

/** What `-v` prints. */
export function versionLine(): string {
  return `nats-streaming-server version ${serverVersion}, nats-server: v${natsVersion}-compatible`;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  return "unknown";
}
