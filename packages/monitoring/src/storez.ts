import { type Clock, nowNanos } from "@nats-streaming/kernel";
import { jsonString, toJson, withoutEnd } from "./json.ts";
import { limitsJson } from "./limits-json.ts";
import type { LongDocument } from "./long-document.ts";
import { readTotals } from "./serverz.ts";
import type { LimitsList, MonitoringSource } from "./source.ts";
import { formatTime } from "./time.ts";

/**
 * The store, its limits and its totals. The limits per channel are the part that may be long.
 * @throws (rejects) MonitoringError `source_failed`
 * @see monitoring.md 3
 */
export async function storezDocument(source: MonitoringSource, clock: Clock): Promise<LongDocument> {
  const totals = await readTotals(source);
  const { clusterId, serverId } = source.server();
  const { type, limits, quarantined = [] } = source.store();
  const global = toJson({ max_channels: limits.maxChannels, ...limitsJson(limits) }, "  ");
  const opening = toJson({ cluster_id: clusterId, server_id: serverId, now: formatTime(nowNanos(clock)), type });
  const closing = toJson({
    total_msgs: totals.messages,
    total_bytes: totals.bytes,
    // Not a member of the original's: only there when there is something to say.
    ...(quarantined.length === 0 ? {} : { quarantined: quarantined.map(({ name, reason }) => ({ name, reason })) }),
  });
  const some = limits.channels.length > 0;
  return {
    head: () => `${withoutEnd(opening)},\n  "limits": ${withoutEnd(global)}${some ? ',\n    "channels": {' : ""}`,
    elements: channelElements(limits.channels),
    expected: limits.channels.length,
    tail: () => `${some ? "\n    }" : ""}\n  },${closing.slice("{".length)}`,
  };
}

function* channelElements(channels: LimitsList): Iterable<string | undefined> {
  for (const limits of channels) {
    yield limits && `\n      ${jsonString(limits.name)}: ${toJson(limitsJson(limits), "      ")}`;
  }
}
