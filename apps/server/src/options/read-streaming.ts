import type { ConfigEntry, ConfigError, ConfigMap } from "@nats-streaming/config";
import type { OptionsDraft } from "./draft.ts";
import { misplacedKey, nearestElsewhere } from "./misplaced-key.ts";
import { natsTopLevelKeys } from "./nats-table.ts";
import type { OptionWarning } from "./option-warning.ts";
import { readChannels } from "./read-channels.ts";
import { readDeliveryChannels } from "./read-delivery.ts";
import { keysOf, notAMap, readMapInto, warnOfUnknown } from "./read-map.ts";
import {
  CHANNELS_KEYS,
  clusterSection,
  DELIVERY_CHANNELS_KEY,
  deliverySection,
  generalSection,
  limitsSection,
  type OptionSection,
  streamingSections,
} from "./streaming-table.ts";

/** The key of the map that, when it is there, alone is read for streaming options. */
const STREAMING_KEY = "streaming";

/**
 * Reads the streaming options of a parsed file into the draft, in file order; stops at the first fault.
 * Keys that mean something to NATS are no strangers at the top of a file without a `streaming` map.
 * @see configuration.md 2, 3
 */
export function readStreaming(
  root: ConfigMap,
  draft: OptionsDraft,
  warnings: OptionWarning[],
): ConfigError | undefined {
  const own = [...root.entries.values()].findLast((entry) => entry.key.toLowerCase() === STREAMING_KEY);
  if (own === undefined) return readTop(root, true, draft, warnings);
  if (own.value.kind !== "map") return notAMap("streaming section", own);
  warnOfStrayKeys(root, warnings);
  return readTop(own.value, false, draft, warnings);
}

/** @param shared whether NATS keys stand beside the streaming keys. */
function readTop(
  map: ConfigMap,
  shared: boolean,
  draft: OptionsDraft,
  warnings: OptionWarning[],
): ConfigError | undefined {
  const other = (entry: ConfigEntry, key: string): ConfigError | undefined => {
    const section = sectionByKey.get(key);
    if (section !== undefined) return readSection(section, entry, shared, draft, warnings);
    if (shared && natsTopLevelKeys.has(key)) return undefined;
    const misplaced = misplacedKey(entry, generalSection);
    if (misplaced !== undefined) warnings.push(misplaced);
    else
      warnOfUnknown(
        entry,
        shared ? [...streamingTopLevelKeys, ...natsTopLevelKeys] : streamingTopLevelKeys,
        warnings,
        nearestElsewhere,
      );
    return undefined;
  };
  const outcome = readMapInto(map, { options: generalSection.options, target: draft, warnings, other });
  return outcome.kind === "wrong" ? outcome.error : undefined;
}

function readSection(
  section: OptionSection,
  entry: ConfigEntry,
  shared: boolean,
  draft: OptionsDraft,
  warnings: OptionWarning[],
): ConfigError | undefined {
  if (entry.value.kind !== "map") return notAMap(section.label, entry);
  if (section === clusterSection) {
    if (shared && !asksForClustering(entry.value)) return undefined;
    draft.clustering.clustered = true;
  }
  // A block of NATS may bear the same name; then its own reader judges what we do not know.
  const foreign = shared && natsTopLevelKeys.has(entry.key.toLowerCase());
  const known = [...keysOf(section.options), ...subsectionKeys(section)];
  const other = (inner: ConfigEntry, key: string): ConfigError | undefined => {
    if (section === limitsSection && CHANNELS_KEYS.includes(key)) return readChannels(inner, draft.channels, warnings);
    if (section === deliverySection && key === DELIVERY_CHANNELS_KEY) {
      return readDeliveryChannels(inner, draft.deliveryChannels, warnings);
    }
    if (foreign) return undefined;
    const misplaced = misplacedKey(inner, section);
    if (misplaced !== undefined) warnings.push(misplaced);
    else warnOfUnknown(inner, known, warnings);
    return undefined;
  };
  const { options, lowerCaseKeys } = section;
  const outcome = readMapInto(entry.value, { options, target: draft, warnings, other, lowerCaseKeys });
  return outcome.kind === "wrong" ? outcome.error : undefined;
}

/** Keys of the maps inside a section. */
function subsectionKeys(section: OptionSection): readonly string[] {
  if (section === limitsSection) return CHANNELS_KEYS;
  return section === deliverySection ? [DELIVERY_CHANNELS_KEY] : [];
}

const sectionByKey: ReadonlyMap<string, OptionSection> = new Map(
  streamingSections.flatMap((section) => section.keys.map((key): [string, OptionSection] => [key, section])),
);

/** Every key that means something at the top of a streaming configuration, lower case. */
const streamingTopLevelKeys: ReadonlySet<string> = new Set([...keysOf(generalSection.options), ...sectionByKey.keys()]);

const clusteringKeys: ReadonlySet<string> = new Set(keysOf(clusterSection.options));

/**
 * In a file that NATS reads as well, a `cluster` map may hold its routes: only a key of streaming clustering makes it
 * ours.
 * @see partitioning.md 3, PART-D12
 */
function asksForClustering(cluster: ConfigMap): boolean {
  return [...cluster.entries.keys()].some((key) => clusteringKeys.has(key.toLowerCase()));
}

/** Beside a `streaming` map, the top of the file belongs to NATS alone. */
function warnOfStrayKeys(root: ConfigMap, warnings: OptionWarning[]): void {
  for (const entry of root.entries.values()) {
    const key = entry.key.toLowerCase();
    if (key === STREAMING_KEY || natsTopLevelKeys.has(key) || entry.usedAsVariable) continue;
    if (streamingTopLevelKeys.has(key)) {
      const message = `"${entry.key}" is ignored here: the file has a ${STREAMING_KEY} { } section, and streaming options are read from it alone`;
      warnings.push({ code: "misplaced_key", message, position: entry.position });
    } else {
      warnOfUnknown(entry, [STREAMING_KEY, ...natsTopLevelKeys], warnings);
    }
  }
}
