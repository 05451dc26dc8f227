// `node scripts/pack/pack.mjs <folder>`: packs every package that is published, as a release does, into a folder, and prints
// the name and tarball of each as JSON. What is packed is what was built last.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../prepare.mjs";
import { publishable } from "./publishable.mjs";

/** @returns {{ name: string, tarball: string }[]} */
export function packAll(folder) {
  const packages = publishable(root);
  for (const { folder: path, name } of packages) {
    if (!existsSync(join(root, path, "dist", "index.js")))
      throw new Error(`${name} is not built; run "pnpm build" first`);
  }
  mkdirSync(folder, { recursive: true });
  const filters = packages.flatMap(({ name }) => ["--filter", name]);
  const pnpm = join(root, "node_modules", ".bin", "pnpm");
  const packed = spawnSync(pnpm, ["-r", ...filters, "pack", "--pack-destination", resolve(folder), "--json"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (packed.error) throw packed.error;
  if (packed.status !== 0) throw new Error(`pnpm pack ended with ${packed.status}: ${packed.stdout}${packed.stderr}`);
  const results = JSON.parse(packed.stdout).map(({ name, filename }) => ({ name, tarball: filename }));
  if (results.length !== packages.length)
    throw new Error(`${results.length} of ${packages.length} packages were packed`);
  return results.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) {
    process.stderr.write("usage: node scripts/pack/pack.mjs <folder>\n");
    process.exit(2);
  }
  process.stdout.write(`${JSON.stringify(packAll(folder), null, 2)}\n`);
}
