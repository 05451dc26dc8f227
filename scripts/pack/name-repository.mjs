// `node scripts/pack/name-repository.mjs`: writes the repository that a release comes from into each manifest, right before
// publishing. Provenance is only accepted when the manifest names the repository that built the package; a fork that releases
// under another scope has another one, so it is taken from the workflow's environment and not kept in the sources.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../prepare.mjs";
import { publishable } from "./publishable.mjs";

/** A manifest with the repository's address and the package's folder in it. */
export function withRepository(manifest, url, folder) {
  const { repository: _, homepage: __, bugs: ___, ...rest } = manifest;
  return {
    ...rest,
    homepage: `${url}/tree/main/${folder}#readme`,
    bugs: `${url}/issues`,
    repository: { type: "git", url: `git+${url}.git`, directory: folder },
  };
}

/** The address in a workflow's environment. */
export function repositoryUrl(env) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = env;
  if (!server || !repository) {
    throw new Error("GITHUB_SERVER_URL and GITHUB_REPOSITORY must name the repository that this release comes from");
  }
  return `${server}/${repository}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const url = repositoryUrl(process.env);
  for (const { folder } of publishable(root)) {
    const path = join(root, folder, "package.json");
    const manifest = withRepository(JSON.parse(readFileSync(path, "utf8")), url, folder);
    writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}
