// The layer drawing of docs/architecture.md as data, and what it takes to hold the tree against it.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** Floors from the ground up. Neighbours on a floor never import each other. */
export const layers = [
  ["kernel", "subject"],
  ["protocol", "store", "config"],
  ["broker", "nats-bus", "store-memory", "store-file", "store-sql", "store-encryption", "store-conformance"],
  ["engine", "partition", "fault-tolerance", "monitoring"],
  // The dashboard is built to files; nothing imports it.
  ["server", "dashboard"],
];

/** What a floor may import: floors 2 and 3 meet only at the composition root. */
const reach = [[], [0], [0, 1], [0, 1], [0, 1, 2, 3]];

const scope = "@nats-streaming/";

export function mayImport(importer, imported) {
  const from = layers.findIndex((floor) => floor.includes(importer));
  const to = layers.findIndex((floor) => floor.includes(imported));
  return from >= 0 && to >= 0 && reach[from].includes(to);
}

/** Names of the workspace's packages that a source text imports, without the scope and the sub-path. */
export function importsOf(source) {
  const found = new Set();
  for (const [, name] of source.matchAll(/(?:from|import)\s*\(?\s*"@nats-streaming\/([^"/]+)[^"]*"/g)) found.add(name);
  return [...found];
}

/** Everything in the tree that breaks the drawing, one sentence each. */
export function violations(root) {
  const found = [];
  for (const folder of packageFolders(root)) {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const name = manifest.name.slice(scope.length);
    if (!layers.some((floor) => floor.includes(name))) found.push(`${folder}: ${name} stands on no floor`);
    const declared = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => dependency.startsWith(scope))
      .map((dependency) => dependency.slice(scope.length));
    for (const dependency of declared) {
      if (!mayImport(name, dependency)) found.push(`${folder}/package.json: ${name} must not depend on ${dependency}`);
    }
    const { references = [] } = parseWithComments(readFileSync(join(root, folder, "tsconfig.json"), "utf8"));
    const referenced = references.map(({ path }) => path.split("/").at(-1));
    for (const dependency of declared) {
      if (!referenced.includes(dependency)) found.push(`${folder}/tsconfig.json: no reference to ${dependency}`);
    }
    for (const reference of referenced) {
      if (!declared.includes(reference)) found.push(`${folder}/tsconfig.json: ${reference} is not a dependency`);
    }
    for (const file of sources(join(root, folder, "src"))) {
      for (const imported of importsOf(readFileSync(file, "utf8"))) {
        const isOwn = imported === name;
        if (!isOwn && !mayImport(name, imported) && !file.endsWith(".test.ts")) {
          found.push(`${relative(root, file)}: ${name} must not import ${imported}`);
        }
      }
    }
  }
  return found;
}

/** The compiler's configuration files may have comments on lines of their own. */
function parseWithComments(text) {
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, ""));
}

function packageFolders(root) {
  return ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((name) => join(parent, name))
      .filter((folder) => statSync(join(root, folder)).isDirectory()),
  );
}

function sources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return path.endsWith(".ts") ? [path] : [];
  });
}
