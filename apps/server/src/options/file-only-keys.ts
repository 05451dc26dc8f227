import { flagTable } from "../flags/flag-table.ts";
import { natsTopLevelKeys } from "./nats-table.ts";
import { keysOf } from "./read-map.ts";
import { streamingSections } from "./streaming-table.ts";

const flagNames: ReadonlySet<string> = new Set(
  flagTable.flatMap((flag) => flag.names.map((name) => name.toLowerCase())),
);

/** Keys of the configuration file that are no flags, lower case: for the hint when one is used as a flag. */
export const fileOnlyKeys: ReadonlySet<string> = new Set(
  [...streamingSections.flatMap((section) => keysOf(section.options)), ...natsTopLevelKeys].filter(
    (key) => !flagNames.has(key),
  ),
);
