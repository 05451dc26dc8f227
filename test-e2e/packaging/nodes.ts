import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./packed.ts";

/**
 * The Node programs that packages are tried on: the one that runs the tests, and those in node_modules/.cache/nodes, which
 * scripts/pack/fetch-nodes.mjs fetches: the oldest supported one and a recent one. Continuous integration always has all.
 */
export function nodes(): readonly { readonly version: string; readonly program: string }[] {
  if (process.env["CI"] === "true") {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/pack/fetch-nodes.mjs")], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
  }
  const cache = join(ROOT, "node_modules", ".cache", "nodes");
  const fetched = existsSync(cache) ? readdirSync(cache) : [];
  return [
    { version: process.versions.node, program: process.execPath },
    ...fetched
      .filter((version) => /^\d+\.\d+\.\d+$/.test(version))
      .map((version) => ({ version, program: join(cache, version, "bin", "node") })),
  ];
}
