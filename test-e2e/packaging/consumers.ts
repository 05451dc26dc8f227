import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PackedPackage, ROOT } from "./packed.ts";

/** A project outside the workspace for each package. It has that package, what its README's example imports, nothing else. */
export interface Consumers {
  readonly folder: string;
  folderOf(packed: PackedPackage): string;
}

/** Packages with install scripts that a user of the server lets run. */
const BUILT = ["better-sqlite3", "unix-dgram"];

export async function installConsumers(folder: string, packages: readonly PackedPackage[]): Promise<Consumers> {
  const folderOf = ({ short }: PackedPackage): string => join(folder, "consumers", short);
  for (const packed of packages) {
    const imported = [packed.name, ...packed.example.imports];
    await writeJson(join(folderOf(packed), "package.json"), {
      name: `consumer-of-${packed.short}`,
      private: true,
      dependencies: Object.fromEntries(imported.map((name) => [name, sourceOf(name, packages)])),
      // Whoever runs the store suite has vitest; it is a peer dependency.
      ...("peerDependencies" in packed.manifest && packed.short === "store-conformance"
        ? { devDependencies: { vitest: await catalogVersion("vitest") } }
        : {}),
    });
  }
  await writeJson(join(folder, "package.json"), {
    name: "consumers",
    private: true,
    devDependencies: { "@types/node": await catalogVersion("@types/node") },
  });
  const workspace = { packages: ["consumers/*"], overrides: overrides(packages), onlyBuiltDependencies: BUILT };
  // JSON is YAML.
  await writeFile(join(folder, "pnpm-workspace.yaml"), JSON.stringify(workspace));
  await install(folder, []);
  return { folder, folderOf };
}

/** Installs the server and nothing else, in the flat layout that npm makes, into an empty folder. */
export async function installServerFlat(folder: string, packages: readonly PackedPackage[]): Promise<void> {
  const name = "@nats-streaming/server";
  await writeJson(join(folder, "package.json"), {
    name: "server-alone",
    private: true,
    dependencies: { [name]: sourceOf(name, packages) },
  });
  const workspace = { overrides: overrides(packages), onlyBuiltDependencies: BUILT };
  await writeFile(join(folder, "pnpm-workspace.yaml"), JSON.stringify(workspace));
  await install(folder, ["--config.node-linker=hoisted", "--prod"]);
}

/** Size of all files below a folder, in bytes. */
export async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a program to its end. */
export async function runToEnd(command: string, args: readonly string[], cwd: string): Promise<Finished> {
  const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const [code]: (number | null)[] = await once(child, "close");
  return { code: code ?? null, output };
}

function overrides(packages: readonly PackedPackage[]): Record<string, string> {
  return Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
}

/** Where a consumer takes a dependency from: our tarball, or the registry. */
function sourceOf(name: string, packages: readonly PackedPackage[]): string {
  const own = packages.find((packed) => packed.name === name);
  return own === undefined ? "latest" : `file:${own.tarball}`;
}

async function install(folder: string, flags: readonly string[]): Promise<void> {
  const pnpm = join(ROOT, "node_modules", ".bin", "pnpm");
  const args = ["install", "--prefer-offline", "--no-frozen-lockfile", "--reporter=append-only", ...flags];
  const { code, output } = await runToEnd(pnpm, args, folder);
  if (code !== 0) throw new Error(`pnpm install ended with ${code}:\n${output}`);
}

/** The version that this workspace uses. */
async function catalogVersion(name: string): Promise<string> {
  const workspace = await readFile(join(ROOT, "pnpm-workspace.yaml"), "utf8");
  const line = workspace.split("\n").find((text) => text.replaceAll('"', "").trim().startsWith(`${name}: `));
  const version = line?.split(": ").at(-1);
  if (version === undefined) throw new Error(`${name} is not in the catalog`);
  return version;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
