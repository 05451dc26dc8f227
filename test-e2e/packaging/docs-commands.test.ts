import { existsSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir } from "../harness/stage.ts";
import { serverCommand } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { type Finished, runToEnd } from "./consumers.ts";
import { ROOT } from "./packed.ts";

/** Pages whose commands are held to this. A block marked `sh elsewhere` needs another machine, or changes this one. */
const PAGES = ["getting-started", "choosing", "migration", "sizing", "operations-handbook"];

/** Commands that change nothing but the folder they run in, and end by themselves. */
const ENDS_BY_ITSELF = /(^| )-(t|v|help|recover_only)( |$)/;

function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, "docs", `${page}.md`), "utf8");
  return [...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)].flatMap(([, block = ""]) =>
    block
      .split("\n")
      .map((line) => line.replace(/ +#.*$/, "").trim())
      .filter((line) => line !== ""),
  );
}

describe("the commands in the documentation", () => {
  it.each(PAGES)("%s: are such that they run", async (page) => {
    const stage = testStage();
    const folder = await tempDir(stage);
    for (const name of ["stan.conf", "orders.conf"]) {
      await writeFile(join(folder, name), 'partitioning: true\nstore_limits { channels { "orders.>": {} } }\n');
    }
    await cp(join(ROOT, "test-e2e/fixtures/file-store/basic-channels"), join(folder, "stan-data"), { recursive: true });
    const [node, ...main] = serverCommand();
    for (const command of commandsOf(page)) {
      const [program, ...words] = command.split(" ");
      let end: Finished | undefined;
      if (program === "nats-streaming-server") {
        // What would serve is checked instead: every flag and every file.
        const file = / -s?c /.test(command) ? "" : " -sc stan.conf";
        const check = ENDS_BY_ITSELF.test(command) ? "" : `${file} -t`;
        const shell = `${[node, ...main].join(" ")} ${command.slice(program.length + 1)}${check}`;
        end = await runToEnd("sh", ["-c", `cd "$0" && ${shell}`, folder], ROOT);
      } else if (program === "node") {
        // Run by the tests of examples.
        expect([command, existsSync(join(ROOT, words[0] ?? ""))]).toEqual([command, true]);
      } else if (program === "npx" && words[0] === "pnpm") {
        const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
        const scripts = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "scripts") : {};
        expect(Object.keys(scripts)).toContain(words[1]);
      } else throw new Error(`docs/${page}.md: nobody runs "${command}"; mark its block as "sh elsewhere"`);
      if (end !== undefined) expect([command, end]).toEqual([command, { code: 0, output: end.output }]);
    }
  });

  it("link to pages and files that exist", () => {
    const broken: string[] = [];
    for (const page of PAGES) {
      const text = readFileSync(join(ROOT, "docs", `${page}.md`), "utf8");
      for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
        if (!existsSync(join(ROOT, "docs", target))) broken.push(`${page}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
