// `pnpm docs`: writes the parts of documentation pages that are made from definitions in the code.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, root, run } from "./prepare.mjs";

const status = build();
if (status !== 0) process.exit(status);
const { optionTables } = await import("../apps/server/dist/documentation/option-tables.js");
const { withGenerated } = await import("../apps/server/dist/documentation/page.js");
const path = join(root, "docs", "configuration.md");
writeFileSync(path, withGenerated(readFileSync(path, "utf8"), optionTables()));

const { configInterface } = await import("../apps/server/dist/documentation/config-interface.js");
const types = join(root, "apps", "server", "src", "server-config.ts");
writeFileSync(types, configInterface());
process.exit(run("biome", ["check", "--write", types]));
