// Sums the totals that vitest has written.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @returns {{ passed: number, failed: number }} over all result files of a folder */
export function total(folder) {
  let passed = 0;
  let failed = 0;
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  for (const file of files) {
    const report = JSON.parse(readFileSync(join(folder, file), "utf8"));
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    // A file that could not even be loaded has no tests of its own to count.
    for (const suite of report.testResults) {
      if (suite.status === "failed" && suite.assertionResults.length === 0) failed++;
    }
  }
  return { passed, failed };
}
