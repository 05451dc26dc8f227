import type { NatsOptions } from "./options/nats-options.ts";
import { natsServerUrlFault } from "./options/nats-urls.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";

/**
 * Why a configuration cannot be served, if it cannot: what is asked for has to be there, or the start is refused. Nothing
 * is silently left out.
 */
export function refusalOf(streaming: StreamingOptions): string | undefined {
  const { storeType } = streaming;
  if (!["MEMORY", "FILE", "SQL"].includes(storeType)) return `unsupported store type: ${storeType}`;
  return natsServerUrlFault(streaming.natsServerUrl);
}

/** What is accepted and has no effect in this version, one sentence each. */
export function withoutEffect(nats: NatsOptions): string[] {
  const found: string[] = [];
  if (nats.traceVerbose) found.push("trace_verbose has no effect: use trace");
  if (nats.maxTracedMessageLength !== 0)
    found.push("max_traced_msg_len has no effect: 1024 bytes of a message are traced");
  return found;
}
