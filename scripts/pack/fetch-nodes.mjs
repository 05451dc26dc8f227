// `node scripts/pack/fetch-nodes.mjs`: fetches the oldest supported and a recent Node into node_modules/.cache/nodes, where the
// packaging tests find them. They come as packages, through npm; nothing is installed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../prepare.mjs";

/** The bounds of "engines" in every manifest: its lower end, and the newest that was tried. */
const VERSIONS = ["20.19.0", "26.10.0"];

const cache = join(root, "node_modules", ".cache", "nodes");

function run(command, args, cwd) {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
}

for (const version of VERSIONS) {
  const target = join(cache, version);
  if (existsSync(target)) continue;
  const partial = `${target}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  run("npm", ["pack", "--silent", `node-${process.platform}-${process.arch}@${version}`], partial);
  const tarball = readdirSync(partial).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error(`npm has packed nothing for Node ${version}`);
  run("tar", ["xzf", tarball, "--strip-components=1", "package/bin"], partial);
  rmSync(join(partial, tarball));
  renameSync(partial, target);
  process.stderr.write(`Node ${version} is in ${target}\n`);
}
