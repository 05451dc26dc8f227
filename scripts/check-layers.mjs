// Fails when an import, a dependency or a project reference breaks the layer drawing.
import { violations } from "./layers.mjs";
import { root } from "./prepare.mjs";

const found = violations(root);
for (const line of found) process.stderr.write(`${line}\n`);
if (found.length > 0) {
  process.stderr.write("The drawing is in docs/architecture.md; the composition root is where neighbours meet.\n");
}
process.exit(found.length === 0 ? 0 : 1);
