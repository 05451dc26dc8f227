import { type ConfigEntry, nearestName } from "@nats-streaming/config";
import type { OptionWarning } from "./option-warning.ts";
import { keysOf } from "./read-map.ts";
import {
  CHANNELS_KEYS,
  generalSection,
  limitsSection,
  type OptionSection,
  streamingSections,
} from "./streaming-table.ts";

/**
 * What is said of an option that stands where nothing reads it, although it is one elsewhere: an operator who forgot a pair of
 * braces should not have to guess.
 * @param here the section that was read; the general one for the top
 * @returns undefined for a key that is an option nowhere, or in several places
 */
export function misplacedKey(entry: ConfigEntry, here: OptionSection): OptionWarning | undefined {
  const key = entry.key.toLowerCase();
  const owners = streamingSections.filter((section) => section !== here && sectionKeys(section).includes(key));
  const [owner] = owners;
  if (owner === undefined || owners.length > 1 || entry.usedAsVariable) return undefined;
  const message = `"${entry.key}" is ignored here: it belongs ${placeOf(owner, here)}`;
  return { code: "misplaced_key", message, position: entry.position };
}

/** An option of another section whose name is near: `max_channels" inside store_limits { }`, for the end of a suggestion. */
export function nearestElsewhere(entry: ConfigEntry): string | undefined {
  for (const section of streamingSections) {
    if (section === generalSection) continue;
    const nearest = nearestName(entry.key, sectionKeys(section));
    if (nearest !== undefined) return `"${nearest}" ${placeOf(section, generalSection)}`;
  }
  return undefined;
}

function sectionKeys(section: OptionSection): readonly string[] {
  return section === limitsSection ? [...keysOf(section.options), ...CHANNELS_KEYS] : keysOf(section.options);
}

function placeOf(section: OptionSection, here: OptionSection): string {
  if (section === generalSection) return `outside of ${here.id} { }`;
  return `inside ${section.id} { }`;
}
