import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "./packed.ts";

const textOf = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const yamlFiles = (folder: string): string[] => readdirSync(join(ROOT, folder)).map((name) => join(folder, name));

describe("what a release and a contributor rely on", () => {
  it("has workflows and issue templates that can be read", () => {
    for (const path of [...yamlFiles(".github/workflows"), ...yamlFiles(".github/ISSUE_TEMPLATE")]) {
      const document: unknown = parse(textOf(path));
      expect([path, typeof document]).toEqual([path, "object"]);
    }
    const release = textOf(".github/workflows/release.yml");
    expect(release).toMatch(/id-token: write/);
    expect(release).toMatch(/NPM_CONFIG_PROVENANCE: "true"/);
    for (const [, script = ""] of release.matchAll(/node (scripts\/\S+)/g)) {
      expect([script, existsSync(join(ROOT, script))]).toEqual([script, true]);
    }
  });

  it("has a changelog for each published package that begins with its version", () => {
    const folders = ["packages", "apps"].flatMap((parent) =>
      readdirSync(join(ROOT, parent)).map((name) => join(parent, name)),
    );
    let published = 0;
    for (const folder of folders) {
      if (!existsSync(join(ROOT, folder, "package.json"))) continue;
      const manifest: unknown = JSON.parse(textOf(join(folder, "package.json")));
      if (typeof manifest !== "object" || manifest === null || Reflect.get(manifest, "private") === true) continue;
      const [name, version] = [String(Reflect.get(manifest, "name")), String(Reflect.get(manifest, "version"))];
      expect(textOf(join(folder, "CHANGELOG.md")).startsWith(`# ${name}\n\n## ${version}\n`)).toBe(true);
      published++;
    }
    expect(published).toBeGreaterThan(15);
  });

  it("names commands in CONTRIBUTING.md that exist", () => {
    const manifest: unknown = JSON.parse(textOf("package.json"));
    const scripts: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "scripts") : {};
    const text = textOf("CONTRIBUTING.md");
    for (const [, name = ""] of text.matchAll(/npx pnpm (?:run )?(\w+)/g))
      expect(Object.keys(Object(scripts))).toContain(name);
    for (const [, path = ""] of text.matchAll(/ ((?:packages|test-e2e|scripts)\/[\w./-]+)/g)) {
      expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
    }
  });
});
