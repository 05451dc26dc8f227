// The packages of this workspace that go to the registry.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Packages, then programs, each by name; without those marked as private.
 * @returns {{ folder: string, name: string, manifest: Record<string, unknown> }[]}
 */
export function publishable(root) {
  return ["packages", "apps"]
    .flatMap((parent) =>
      readdirSync(join(root, parent))
        .toSorted()
        .map((name) => join(parent, name)),
    )
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
      return { folder, name: manifest.name, manifest };
    })
    .filter(({ manifest }) => manifest.private !== true);
}
