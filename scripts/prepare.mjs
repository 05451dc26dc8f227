// Installs and builds, each only when something has changed since the last time.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const bin = join(root, "node_modules", ".bin");
const stampFile = join(root, "node_modules", ".install-stamp");

/** Runs a program of the workspace; its output goes to stderr, so that stdout stays the caller's. */
export function run(command, args, { quiet = false } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2],
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) throw result.error;
  if (quiet && result.status !== 0) {
    process.stderr.write(result.stdout);
    process.stderr.write(result.stderr);
  }
  return result.status ?? 1;
}

/** Installs what the lock file names, with the pnpm that package.json names. */
export function install() {
  const manifest = readFileSync(join(root, "package.json"), "utf8");
  const lock = readFileSync(join(root, "pnpm-lock.yaml"), "utf8");
  const stamp = createHash("sha256").update(manifest).update(lock).update(process.version).digest("hex");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return 0;
  const { packageManager } = JSON.parse(manifest);
  process.stderr.write(`Installing dependencies with ${packageManager} …\n`);
  const status = run("npx", ["--yes", packageManager, "install", "--frozen-lockfile", "--reporter=append-only"]);
  if (status === 0) writeFileSync(stampFile, stamp);
  return status;
}

/** Builds a package and what it needs, or everything. */
export function build(filter) {
  const args = ["run", "build", "--output-logs=errors-only"];
  if (filter !== undefined) args.push(`--filter=${filter}...`);
  const isFirst = !existsSync(join(root, "apps", "server", "dist", "main.js"));
  if (isFirst) process.stderr.write("Building, which takes a minute or two the first time …\n");
  return run("turbo", args, { quiet: true });
}
