import type { Clock } from "@nats-streaming/kernel";
import { channelJson, channelsListing } from "./channelsz.ts";
import { clientJson, clientsListing } from "./clientsz.ts";
import { INDEX_PAGE } from "./index-page.ts";
import { type Listing, listingDocument } from "./listing.ts";
import { printLongDocument } from "./long-document.ts";
import { jsonResponse, type MonitoringResponse, type MonitoringRoute, textResponse } from "./response.ts";
import { serverzJson } from "./serverz.ts";
import type { MonitoringSource } from "./source.ts";
import { storezDocument } from "./storez.ts";

/**
 * The streaming endpoints by their path, for whoever serves HTTP already; {@link startMonitoring} serves them itself.
 * They keep nothing between two requests.
 * @see monitoring.md
 */
export function monitoringRoutes(source: MonitoringSource, clock: Clock): ReadonlyMap<string, MonitoringRoute> {
  const pause = (): Promise<void> => new Promise((resolve) => clock.defer(resolve));

  const list = (query: URLSearchParams, listing: Listing): MonitoringResponse =>
    jsonResponse(query, printLongDocument(listingDocument(source, clock, query, listing), pause));

  return new Map<string, MonitoringRoute>([
    ["/streaming", () => ({ status: 200, contentType: "text/html; charset=utf-8", body: INDEX_PAGE })],
    ["/streaming/serverz", async (query) => jsonResponse(query, await serverzJson(source, clock))],
    ["/streaming/storez", (query) => jsonResponse(query, printLongDocument(storezDocument(source, clock), pause))],
    [
      "/streaming/clientsz",
      (query): MonitoringResponse => {
        const id = query.get("client") ?? "";
        if (id === "") return list(query, clientsListing(source.clients, withSubscriptions(query)));
        const client = source.clients.find(id);
        if (client === undefined) return textResponse(404, `Client ${id} not found`);
        return jsonResponse(query, clientJson(client, withSubscriptions(query)));
      },
    ],
    [
      "/streaming/channelsz",
      (query): MonitoringResponse => {
        const name = query.get("channel") ?? "";
        if (name === "") return list(query, channelsListing(source.channels, withSubscriptions(query)));
        const channel = source.channels.find(name);
        if (channel === undefined) return textResponse(404, `Channel ${name} not found`);
        return jsonResponse(query, channelJson(channel, withSubscriptions(query)));
      },
    ],
    ["/streaming/isFTActive", () => ({ status: source.server().state === "FT_ACTIVE" ? 200 : 204, body: "" })],
  ]);
}

/** Only `1` asks for details. */
function withSubscriptions(query: URLSearchParams): boolean {
  return query.get("subs") === "1";
}
