import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPackageFromTarballData } from "@arethetypeswrong/core";

export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** A package as the registry would get it. */
export interface PackedPackage {
  readonly name: string;
  /** The name without the scope. */
  readonly short: string;
  readonly tarball: string;
  readonly tarballBytes: Uint8Array<ArrayBuffer>;
  /** Paths inside the package, sorted. */
  readonly files: readonly string[];
  readonly unpackedBytes: number;
  readonly manifest: Readonly<Record<string, unknown>>;
  /** What can be imported: the name, and the name with each sub-path. */
  readonly entries: readonly string[];
  /** The README's first block of code in JavaScript or TypeScript. */
  readonly example: Example;
}

export interface Example {
  readonly language: "js" | "ts";
  readonly code: string;
  /** Names of the packages it imports. */
  readonly imports: readonly string[];
}

/** Packs every published package into a folder. */
export function packAll(folder: string): readonly PackedPackage[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/pack/pack.mjs"), folder], {
    encoding: "utf8",
    maxBuffer: 16 * 1024 * 1024,
  });
  if (status !== 0) throw new Error(stderr);
  const packed: unknown = JSON.parse(stdout);
  if (!Array.isArray(packed)) throw new Error(`not a list of packages: ${stdout}`);
  return packed.map((entry: unknown) => readPacked(text(entry, "name"), text(entry, "tarball")));
}

function readPacked(name: string, tarball: string): PackedPackage {
  const tarballBytes = Uint8Array.from(readFileSync(tarball));
  const contents = createPackageFromTarballData(tarballBytes);
  const prefix = `/node_modules/${name}/`;
  const paths = contents.listFiles();
  const manifest: unknown = JSON.parse(contents.readFile(`${prefix}package.json`));
  if (typeof manifest !== "object" || manifest === null) throw new Error(`${name}: no manifest`);
  const { exports: exported } = Object.fromEntries(Object.entries(manifest));
  return {
    name,
    short: name.slice(name.indexOf("/") + 1),
    tarball,
    tarballBytes,
    files: paths.map((path) => path.slice(prefix.length)).toSorted(),
    unpackedBytes: paths.reduce((sum, path) => sum + Buffer.byteLength(contents.readFile(path)), 0),
    manifest: Object.fromEntries(Object.entries(manifest)),
    entries: Object.keys(typeof exported === "object" && exported !== null ? exported : {}).map((path) =>
      path.replace(/^\./, name),
    ),
    example: firstExample(name, contents.readFile(`${prefix}README.md`)),
  };
}

function firstExample(name: string, readme: string): Example {
  const [, language, code] = /^```(js|ts)\n(.*?)^```$/ms.exec(readme) ?? [];
  if (language === undefined || code === undefined) throw new Error(`the README of ${name} has no example`);
  const imports = [...code.matchAll(/from "([^"]+)"/g)].map(([, specifier = ""]) => packageOf(specifier));
  return { language: language === "ts" ? "ts" : "js", code, imports: [...new Set(imports)] };
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function text(value: unknown, key: string): string {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
  if (typeof found !== "string") throw new Error(`no ${key} in ${JSON.stringify(value)}`);
  return found;
}
