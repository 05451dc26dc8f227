import type { Clock } from "@nats-streaming/kernel";
import type { MonitoringRoute } from "../response.ts";
import type { MonitoringSource } from "../source.ts";
import { createTurns, type Turns } from "../turns.ts";
import { createChannelMetrics } from "./channel-metrics.ts";
import { labelText } from "./family.ts";
import { histogramText } from "./histogram.ts";
import { createServerMetrics } from "./server-metrics.ts";

/** Up to here a text goes out at once, half a millisecond of the system's time; in pieces it would take twice that. */
const WHOLE_BYTES_MAX = 262_144;
/** Bytes of a longer one that are written in one turn. */
const PIECE_BYTES = 49_152;

/** `/metrics` in the exposition format of Prometheus. */
export interface Metrics {
  readonly route: MonitoringRoute;
  /** Stops measuring the event loop. Idempotent. */
  close(): void;
}

export function createMetrics(source: MonitoringSource, clock: Clock): Metrics {
  const server = createServerMetrics(clock);
  const channels = createChannelMetrics(clock);
  return {
    async route() {
      const opening = (await server.text(source)) + latencies(source);
      const turns = createTurns(clock);
      await turns.next();
      const families = await channels.read(source, turns);
      const bytes = Buffer.concat([Buffer.from(opening), ...families]);
      const body = bytes.length <= WHOLE_BYTES_MAX ? bytes : inPieces(bytes, turns);
      return { status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body };
    },
    close: () => server.close(),
  };
}

/** The system copies what is written: a thousand channels have megabytes of it. */
async function* inPieces(bytes: Uint8Array, turns: Turns): AsyncGenerator<Uint8Array, void, void> {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    yield bytes.subarray(from, from + PIECE_BYTES);
    await turns.next();
  }
}

function latencies(source: MonitoringSource): string {
  const work = source.work?.();
  if (work === undefined) return "";
  const labels = labelText({ server: source.server().name });
  return (
    histogramText(
      "nss_publish_latency_seconds",
      "From the arrival of a publish until its PubAck is sent",
      labels,
      work.publishLatency,
    ) + histogramText("nss_flush_latency_seconds", "Time to make a batch durable", labels, work.flushLatency)
  );
}
