// `pnpm bench [name …]`: runs the benches of packages and of the whole server; a name picks those whose path contains it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build, install, root, run } from "./prepare.mjs";

for (const step of [install, () => build()]) {
  const status = step();
  if (status !== 0) process.exit(status);
}

const folders = ["packages", "apps"].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => join(parent, name, "bench")),
);
const benches = [...folders, join("test-e2e", "bench")].flatMap((folder) => {
  try {
    return readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".bench.ts"))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
});
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("-"));
const chosen = benches.filter((path) => wanted.length === 0 || wanted.some((name) => path.includes(name)));
if (chosen.length === 0) {
  process.stderr.write(`No bench matches ${wanted.join(", ")}. There are:\n  ${benches.join("\n  ")}\n`);
  process.exit(1);
}
let worst = 0;
for (const path of chosen) {
  process.stderr.write(`\n=== ${path}\n`);
  worst = Math.max(worst, run("tsx", [path, ...options]));
}
process.exit(worst);
