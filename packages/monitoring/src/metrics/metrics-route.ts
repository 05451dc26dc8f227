import type { Clock } from "@nats-streaming/kernel";
import { type LongElement, printLongDocument } from "../long-document.ts";
import type { MonitoringRoute } from "../response.ts";
import type { MonitoringSource } from "../source.ts";
import { createTurns } from "../turns.ts";
import { createChannelMetrics } from "./channel-metrics.ts";
import { labelText } from "./family.ts";
import { histogramText } from "./histogram.ts";
import { createServerMetrics } from "./server-metrics.ts";

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
      const parts = await channels.texts(source, turns);
      const document = { head: () => opening, elements: elementsOf(parts), expected: 0, tail: () => "" };
      const body = printLongDocument(document, turns);
      return { status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body };
    },
    close: () => server.close(),
  };
}

function* elementsOf(parts: Iterable<string>): Iterable<LongElement> {
  for (const more of parts) yield { more };
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
