import type { Clock } from "@nats-streaming/kernel";
import type { BrokerDirectory } from "../broker-directory.ts";
import { type LongDocument, printLongDocument } from "../long-document.ts";
import { MonitoringError } from "../monitoring-error.ts";
import { jsonResponse, type MonitoringRoute } from "../response.ts";
import { createTurns, type Turns } from "../turns.ts";
import { connzDocument } from "./connz.ts";
import { routezDocument } from "./routez.ts";
import { subszDocument } from "./subsz.ts";
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
    (document: (query: URLSearchParams, turns: Turns) => LongDocument | Promise<LongDocument>): MonitoringRoute =>
    async (query) => {
      const turns = createTurns(clock);
      try {
        return jsonResponse(query, printLongDocument(await document(query, turns), turns));
      } catch (error) {
        if (!(error instanceof MonitoringError) || error.code !== "bad_request") throw error;
        return { status: 400, contentType: "text/plain; charset=utf-8", body: error.message };
      }
    };
  const subsz = route((query, turns) => subszDocument(broker, clock, query, turns));
  return new Map([
    ["/varz", (query) => jsonResponse(query, varzJson(broker, clock, requests))],
    ["/connz", route((query, turns) => connzDocument(broker, clock, query, turns))],
    ["/routez", route((query) => routezDocument(broker, clock, query))],
    ["/subsz", subsz],
    // The name it once had.
    ["/subscriptionsz", subsz],
  ]);
}
