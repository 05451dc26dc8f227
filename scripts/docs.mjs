// `pnpm run docs`: writes the parts of documentation pages that are made from definitions in the code.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorTables, TEXT_MODULES } from "./errors-page.mjs";
import { build, root, run } from "./prepare.mjs";

const status = build();
if (status !== 0) process.exit(status);
const { optionTables } = await import("../apps/server/dist/documentation/option-tables.js");
const { withGenerated } = await import("../apps/server/dist/documentation/page.js");
fill("configuration.md", optionTables());

const built = Object.entries(TEXT_MODULES).map(async ([name, source]) => {
  const file = source.replace("/src/", "/dist/").replace(/\.ts$/, ".js");
  return [name, await import(`../${file}`)];
});
fill("errors.md", errorTables(Object.fromEntries(await Promise.all(built))));

const { configInterface } = await import("../apps/server/dist/documentation/config-interface.js");
const types = join(root, "apps", "server", "src", "server-config.ts");
writeFileSync(types, configInterface());
process.exit(run("biome", ["check", "--write", types]));

function fill(page, generated) {
  const path = join(root, "docs", page);
  writeFileSync(path, withGenerated(readFileSync(path, "utf8"), generated));
}
