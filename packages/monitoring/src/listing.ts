import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { toJson, withoutEnd } from "./json.ts";
import type { LongDocument, LongElement } from "./long-document.ts";
import { type Page, pageRange, readPage } from "./paging.ts";
import type { MonitoringSource, NameList } from "./source.ts";
import { formatTime } from "./time.ts";

/** One page of a sorted list in the envelope that clients and channels share. */
export interface Listing {
  /** Key of the list. */
  readonly key: string;
  /** An empty list is shown as `[]` or not at all. */
  readonly whenEmpty: "shown" | "omitted";
  readonly list: { readonly count: number; page(offset: number, limit: number): NameList };
  /**
   * Text of one element, whose lines are indented by {@link ELEMENT_INDENT}, in one or more parts; nothing, or undefined, when it
   * has gone.
   */
  element(name: string): Iterable<LongElement>;
}

/** Where the elements of a listing stand. */
export const ELEMENT_INDENT = "    ";

/** @see monitoring.md 4 */
export function listingDocument(
  source: MonitoringSource,
  clock: Clock,
  query: URLSearchParams,
  listing: Listing,
): LongDocument {
  const page = readPage(query);
  const total = listing.list.count;
  const range = pageRange(page, total);
  const names = listing.list.page(range.offset, range.limit);
  const { clusterId, serverId } = source.server();
  const now = formatTime(nowNanos(clock));
  const envelope = (count: number): string => envelopeJson({ clusterId, serverId, now, page, count, total });
  return {
    head(count): string {
      const text = withoutEnd(envelope(count));
      if (count > 0) return `${text},\n  "${listing.key}": [`;
      return listing.whenEmpty === "shown" ? `${text},\n  "${listing.key}": []` : text;
    },
    elements: elements(names, listing),
    expected: names.length,
    tail: (count) => (count > 0 ? "\n  ]\n}" : "\n}"),
  };
}

function* elements(names: NameList, listing: Listing): Iterable<LongElement> {
  for (const name of names) {
    for (const text of listing.element(name)) yield typeof text === "string" ? `\n${ELEMENT_INDENT}${text}` : text;
  }
}

function envelopeJson(envelope: {
  readonly clusterId: string;
  readonly serverId: string;
  readonly now: string;
  readonly page: Page;
  readonly count: number;
  readonly total: number;
}): string {
  return toJson({
    cluster_id: envelope.clusterId,
    server_id: envelope.serverId,
    now: envelope.now,
    offset: envelope.page.offset,
    limit: envelope.page.limit,
    count: envelope.count,
    total: envelope.total,
  });
}
