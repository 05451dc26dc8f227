import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tempDir } from "../harness/stage.ts";
import { testStage } from "../harness/test-stage.ts";
import { runToEnd } from "./consumers.ts";
import { ROOT } from "./packed.ts";

/** Every package is a program of its own to it. */
const REFERENCE_MILLIS = 180_000;

it(
  "the API reference is made of every package without a warning: no broken link, nothing that is used and not exported",
  async () => {
    const out = await tempDir(testStage());
    const typedoc = join(ROOT, "node_modules/.bin/typedoc");
    const made = await runToEnd(typedoc, ["--treatWarningsAsErrors", "--logLevel", "Warn", "--out", out], ROOT);
    expect(made).toEqual({ code: 0, output: "" });
    const pages = await readdir(join(out, "modules"));
    for (const folder of [
      "apps/server",
      ...(await readdir(join(ROOT, "packages"))).map((name) => `packages/${name}`),
    ]) {
      const { name }: { readonly name: string } = JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8"));
      expect(pages).toContain(`${name.replace("@", "_").replace("/", "_")}.html`);
    }
  },
  REFERENCE_MILLIS,
);
