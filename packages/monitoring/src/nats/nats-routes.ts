import type { Clock } from "@nats-streaming/kernel";
import type { BrokerDirectory } from "../broker-directory.ts";
import { MonitoringError } from "../monitoring-error.ts";
import { jsonResponse, type MonitoringRoute } from "../response.ts";
import { connzJson } from "./connz.ts";
import { routezJson } from "./routez.ts";
import { subszJson } from "./subsz.ts";
import { varzJson } from "./varz.ts";

/**
 * The endpoints of the NATS server by their path.
 * @param requests how often which path was asked for; read at each `/varz`
 */
export function natsRoutes(
  broker: BrokerDirectory,
  clock: Clock,
  requests: ReadonlyMap<string, number>,
): ReadonlyMap<string, MonitoringRoute> {
  const route =
    (json: (query: URLSearchParams) => string): MonitoringRoute =>
    (query) => {
      try {
        return jsonResponse(query, json(query));
      } catch (error) {
        if (!(error instanceof MonitoringError) || error.code !== "bad_request") throw error;
        return { status: 400, contentType: "text/plain; charset=utf-8", body: error.message };
      }
    };
  const subsz = route((query) => subszJson(broker, clock, query));
  return new Map([
    ["/varz", route(() => varzJson(broker, clock, requests))],
    ["/connz", route((query) => connzJson(broker, clock, query))],
    ["/routez", route((query) => routezJson(broker, clock, query))],
    ["/subsz", subsz],
    // The name it once had.
    ["/subscriptionsz", subsz],
  ]);
}
