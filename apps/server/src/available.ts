import type { NatsOptions } from "./options/nats-options.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";

/**
 * Why a configuration cannot be served, if it cannot: what is asked for has to be there, or the start is refused. Nothing
 * is silently left out.
 */
export function refusalOf(streaming: StreamingOptions, nats: NatsOptions): string | undefined {
  const { storeType } = streaming;
  if (!["MEMORY", "FILE", "SQL"].includes(storeType)) return `unsupported store type: ${storeType}`;
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
