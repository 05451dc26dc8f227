import { fileURLToPath } from "node:url";

/** The example files that users find, used as they stand. */
export const THREE_CHANNELS: { readonly path: string } = example("partitioning.conf");
export const WILDCARDS: { readonly path: string } = example("wildcards.conf");

/** How long a client waits for an answer that must not come. The library's own 2 s and 30 s would only take longer. */
export const IGNORED_MILLIS = 600;

function example(name: string): { readonly path: string } {
  return { path: fileURLToPath(new URL(`../../examples/${name}`, import.meta.url)) };
}

/** A configuration file with a list of its own. */
export function partitionConfig(channels: readonly string[], more = ""): string {
  const entries = channels.map((channel) => `    "${channel}": {}`).join("\n");
  return `partitioning: true\nstore_limits: {\n  ${more}\n  channels: {\n${entries}\n  }\n}\n`;
}
