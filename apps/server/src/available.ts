import type { NatsOptions } from "./options/nats-options.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";

/** The embedded broker listens without these; with them it would promise what it does not keep. */
const EXTERNAL = "run a NATS server and point this one at it with -ns";

/**
 * Why a configuration cannot be served, if it cannot: what is asked for has to be there, or the start is refused. Nothing
 * is silently left out.
 */
export function refusalOf(streaming: StreamingOptions, nats: NatsOptions): string | undefined {
  const { storeType } = streaming;
  if (!["MEMORY", "FILE", "SQL"].includes(storeType)) return `unsupported store type: ${storeType}`;
  if (streaming.natsServerUrl !== "") return undefined;
  const { routes, tls, authorization } = nats;
  if (routes.listenUrl !== "" || routes.urls.length > 0 || routes.block !== undefined) {
    return `routes of the embedded NATS server are not available in this version: ${EXTERNAL}`;
  }
  if (tls.enabled || tls.block !== undefined) {
    return `TLS of the embedded NATS server is not available in this version: ${EXTERNAL}`;
  }
  const restricted = authorization.users.some((user) => user.nkey !== "" || user.permissions !== undefined);
  if (restricted || authorization.defaultPermissions !== undefined) {
    return `nkeys and permissions of the embedded NATS server are not available in this version: ${EXTERNAL}`;
  }
  if (nats.httpsPort !== 0) return "monitoring over TLS is not available in this version: use -m";
  return undefined;
}

/** What is accepted and has no effect in this version, one sentence each. */
export function withoutEffect(nats: NatsOptions): string[] {
  const found: string[] = [];
  if (nats.portsFileDirectory !== "") found.push("ports_file_dir is not available in this version");
  if (nats.clientAdvertise !== "") found.push("client_advertise has no effect without routes");
  return found;
}
