import { type Clock, nowMillis } from "@nats-streaming/kernel";
import { type ChannelView, channelDocument, channelsListing, loadBacklogs, matchingChannels } from "./channelsz.ts";
import { clientDocument, clientsListing } from "./clientsz.ts";
import { healthResponse, readyResponse } from "./health.ts";
import { INDEX_PAGE } from "./index-page.ts";
import { type Listing, listingDocument } from "./listing.ts";
import { type LongDocument, printLongDocument } from "./long-document.ts";
import { type MessageAccess, messagesResponse } from "./messagesz.ts";
import { partitionszDocument } from "./partitionsz.ts";
import { jsonResponse, type MonitoringResponse, type MonitoringRoute, textResponse } from "./response.ts";
import { serverzJson } from "./serverz.ts";
import type { MonitoringSource } from "./source.ts";
import { storezDocument } from "./storez.ts";
import { createTurns } from "./turns.ts";

/** Paths that are answered without a token or a password: probes of a machine that starts and stops servers. */
export const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/**
 * The streaming endpoints by their path, for whoever serves HTTP already; {@link startMonitoring} serves them itself.
 * They keep nothing between two requests.
 * @see monitoring.md
 */
export function monitoringRoutes(
  source: MonitoringSource,
  clock: Clock,
  options: { readonly messages?: MessageAccess } = {},
): ReadonlyMap<string, MonitoringRoute> {
  const print = (query: URLSearchParams, document: LongDocument): MonitoringResponse =>
    jsonResponse(query, printLongDocument(document, createTurns(clock)));

  const list = (query: URLSearchParams, listing: Listing): MonitoringResponse =>
    print(query, listingDocument(source, clock, query, listing));

  const channelView = (query: URLSearchParams): ChannelView => ({
    withSubscriptions: withSubscriptions(query),
    detailsAt: query.get("details") === "1" ? nowMillis(clock) : undefined,
  });

  return new Map<string, MonitoringRoute>([
    ["/healthz", () => healthResponse(source)],
    ["/readyz", (query) => readyResponse(source, query)],
    ["/streaming", () => ({ status: 200, contentType: "text/html; charset=utf-8", body: INDEX_PAGE })],
    ["/streaming/serverz", async (query) => jsonResponse(query, await serverzJson(source, clock))],
    ["/streaming/storez", async (query) => print(query, await storezDocument(source, clock))],
    [
      "/streaming/clientsz",
      (query): MonitoringResponse => {
        const id = query.get("client") ?? "";
        if (id === "") return list(query, clientsListing(source.clients, withSubscriptions(query)));
        const client = source.clients.find(id);
        if (client === undefined) return textResponse(404, `Client ${id} not found`);
        return print(query, clientDocument(client, withSubscriptions(query)));
      },
    ],
    [
      "/streaming/channelsz",
      async (query): Promise<MonitoringResponse> => {
        const name = query.get("channel") ?? "";
        const view = channelView(query);
        if (name === "") {
          const match = query.get("match") ?? "";
          const channels =
            match === "" ? source.channels : await matchingChannels(source.channels, match, createTurns(clock));
          return list(query, channelsListing(channels, view));
        }
        const channel = source.channels.find(name);
        if (channel === undefined) return textResponse(404, `Channel ${name} not found`);
        if (view.detailsAt !== undefined) await loadBacklogs(channel);
        return print(query, channelDocument(source.channels.find(name) ?? channel, view));
      },
    ],
    [
      "/streaming/partitionsz",
      async (query) => print(query, partitionszDocument(source, await source.partitions?.(), clock, query)),
    ],
    [
      "/streaming/messagesz",
      (query, asker) => messagesResponse(source, clock, query, asker, options.messages ?? "careful"),
    ],
    ["/streaming/isFTActive", () => ({ status: source.server().state === "FT_ACTIVE" ? 200 : 204, body: "" })],
  ]);
}

/** Only `1` asks for details. */
function withSubscriptions(query: URLSearchParams): boolean {
  return query.get("subs") === "1";
}
