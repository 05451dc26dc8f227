// `npm test`: everything that must hold before a change lands. Arguments are passed to vitest.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { leaveOutWhatIsMissing } from "./needed-programs.mjs";
import { build, install, root, run } from "./prepare.mjs";
import { total } from "./total.mjs";

leaveOutWhatIsMissing();

const results = join(root, "test-results");
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const vitest = (project) =>
  run("vitest", [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${join(results, `${project}.json`)}`,
    ...process.argv.slice(2),
  ]);

const steps = [
  ["install", install],
  ["build", () => build()],
  ["lint", () => run("biome", ["check", "."])],
  ["layers", () => run("node", ["scripts/check-layers.mjs"])],
  ["types of tests", () => run("tsc", ["-p", "tsconfig.test.json"])],
  ["unit tests", () => vitest("unit")],
  ["end-to-end tests", () => vitest("e2e")],
];

let failed = 0;
for (const [name, step] of steps) {
  process.stderr.write(`\n=== ${name}\n`);
  const status = step();
  if (status === 0) continue;
  process.stderr.write(`=== ${name} failed\n`);
  failed = status;
  // Without an installation or a build nothing that follows can say anything.
  if (name === "install" || name === "build") break;
}
const { passed, failed: failedTests } = total(results);
process.stdout.write(`${passed} passed, ${failedTests} failed\n`);
process.exit(failed === 0 && failedTests > 0 ? 1 : failed);
