import type { Clock } from "@nats-streaming/kernel";
import type { MonitoringRoute } from "../response.ts";
import type { MonitoringSource } from "../source.ts";
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
  const pause = (): Promise<void> => new Promise((resolve) => clock.defer(resolve));
  const server = createServerMetrics(pause);
  const channels = createChannelMetrics(clock, pause);
  return {
    async route() {
      const parts = [await server.text(source), latencies(source)];
      await pause();
      parts.push(await channels.text(source));
      return { status: 200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: parts.join("") };
    },
    close: () => server.close(),
  };
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
