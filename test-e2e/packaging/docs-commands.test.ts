import { existsSync, readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { PAGES } from "../../apps/server/src/documentation/repository.ts";
import { tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { launchServer, serverCommand, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { type Finished, runToEnd } from "./consumers.ts";
import { ROOT } from "./packed.ts";

/**
 * Blocks of these kinds are for a shell. With the word `elsewhere` behind it a block needs another machine, or changes this
 * one, and nobody runs it.
 */
const SHELL_BLOCK = /^ *```(sh|bash|shell|console)\n(.*?)^ *```$/gms;

/** Commands that change nothing but the folder they run in, and end by themselves. */
const ENDS_BY_ITSELF = /(^| )-(t|v|help|recover_only)( |$)/;

/** Commands that ask a running server, by its monitoring or over NATS. */
const ASKS = /^(channels|clients|subscriptions|messages|top|partitions)\b/;

function pageAt(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** What the shell blocks of a page hold, and the column "Run" of a table. */
function commandsOf(page: string): string[] {
  const text = pageAt(page);
  const blocks = [...text.matchAll(SHELL_BLOCK)].flatMap(([, kind = "", block = ""]) => {
    const lines = block.split("\n").map((line) => line.replace(/(^| +)#.*$/, "").trim());
    // In a dialogue a prompt stands before what is typed.
    return kind === "console" ? lines.flatMap((line) => (line.startsWith("$ ") ? [line.slice(2)] : [])) : lines;
  });
  const cells = text.includes("| To | Run |") ? [...text.matchAll(/^\| [^|]+ \| (.*) \|$/gm)] : [];
  const inCells = cells.flatMap(([, cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, command = ""]) => command));
  return [...blocks, ...inCells].flatMap((line) => line.split(" && ")).filter((line) => line !== "");
}

/** Configuration files that a page shows: blocks whose first line is their name. */
function filesOf(page: string): ReadonlyMap<string, string> {
  const blocks = pageAt(page).matchAll(/^```\n(# ([\w-]+\.conf)\n.*?)^```$/gms);
  return new Map([...blocks].map(([, text = "", name = ""]) => [name, text]));
}

interface Place {
  readonly folder: string;
  /** A server that serves, for commands that ask one. */
  readonly asked: () => Promise<Asked>;
}

interface Asked {
  readonly monitor: string;
  readonly nats: string;
  readonly pidFile: string;
}

async function placeOf(page: string): Promise<Place> {
  const stage = testStage();
  const folder = await tempDir(stage);
  for (const name of ["stan.conf", "orders.conf", "foo.conf", "bar.conf", "new.conf"]) {
    const entry = name.replace(".conf", "");
    await writeFile(join(folder, name), `partitioning: true\nstore_limits { channels { "${entry}.>": {} } }\n`);
  }
  for (const [name, text] of filesOf(page)) await writeFile(join(folder, name), text);
  await cp(join(ROOT, "examples"), join(folder, "examples"), { recursive: true });
  await cp(join(ROOT, "test-e2e/fixtures/file-store/basic-channels"), join(folder, "stan-data"), { recursive: true });
  let running: Promise<Asked> | undefined;
  const start = async (): Promise<Asked> => {
    const [port, monitor] = [await freePort(), await freePort()];
    const config = join(folder, "asked.conf");
    await writeFile(config, 'partitioning: true\nstore_limits { channels { "orders.eu": {} } }\n');
    const pidFile = join(folder, "asked.pid");
    const ports = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitor), "-P", pidFile];
    await untilReady(await launchServer(stage, "asked", ["-sc", config, ...ports]));
    const client = await connectStan(stage, "writer", { port });
    await client.publish("orders.eu", "hello");
    return { monitor: `http://127.0.0.1:${monitor}`, nats: `nats://127.0.0.1:${port}`, pidFile };
  };
  return {
    folder,
    asked: () => {
      running ??= start();
      return running;
    },
  };
}

/** Runs what follows the name of the server; what would serve is checked instead, every flag and every file. */
async function runServerCommand(environment: string, line: string, { folder, asked }: Place): Promise<Finished> {
  let words = line;
  if (ASKS.test(line)) {
    const { monitor, nats } = await asked();
    words = line.replace(/ \[[^\]]*\]/g, "").replace(/ -ns \S+/, ` -ns ${nats}`);
    // The server that is asked has no other one beside it to be replaced, and this list has nothing to do with its own.
    words = words.replace(/ --replaces \S+/, "");
    if (!/^partitions/.test(line)) words += ` --server ${monitor}`;
    if (/^top/.test(line)) words += " --once";
  } else if (/--signal/.test(line)) {
    const { pidFile } = await asked();
    words = line.replace(/=\S+\.pid/, `=${pidFile}`);
  } else if (!ENDS_BY_ITSELF.test(line)) {
    words = `${line}${/ -s?c /.test(` ${line}`) ? "" : " -sc stan.conf"} -t`;
  }
  return runToEnd("sh", ["-c", `${environment}${serverCommand().join(" ")} ${words}`], folder);
}

/** What a script of a package.json is called that pnpm is told to run, and the files and folders that it is given. */
function checkScript(given: readonly string[]): void {
  const filtered = given[0] === "--filter";
  const filter = filtered ? (given[1] ?? "") : "";
  // `pnpm run docs` and `pnpm build` both name a script; the former where pnpm has a command of that name.
  const words = given.slice(filtered ? 2 : 0).filter((word, at) => at > 0 || word !== "run");
  const name = words[0] ?? "";
  const folder = filter === "" ? ROOT : join(ROOT, "apps", filter.replace(/^.*\//, ""));
  const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const scripts = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "scripts") : {};
  expect(Object.keys(scripts)).toContain(name);
  for (const path of words.filter((word) => /^[\w-]+\//.test(word) && !word.startsWith("@"))) {
    expect([path, existsSync(join(ROOT, path))]).toEqual([path, true]);
  }
}

describe("the commands in the documentation", () => {
  // Of every page: whoever adds one need not think of this test. Translations have the blocks of the originals.
  it.each(PAGES)("%s: are such that they run", async (page) => {
    const place = await placeOf(page);
    for (const command of commandsOf(page)) {
      const environment = /^([A-Z_]+=\S+ )*/.exec(command)?.[0] ?? "";
      const bare = command.slice(environment.length);
      const [program = "", ...words] = bare.split(" ");
      const served = /^(?:(?:npx )?nats-streaming-server|npm start(?: --)?)(?: (.*))?$/.exec(bare);
      let end: Finished | undefined;
      if (served !== null) {
        end = await runServerCommand(environment, served[1] ?? "", place);
      } else if (program === "node" || program === "bash") {
        // Run by the tests of examples, of packing, and by continuous integration.
        expect([command, existsSync(join(ROOT, words[0] ?? ""))]).toEqual([command, true]);
      } else if (program === "npm" || program === "pnpm") {
        checkScript(words);
      } else if (program === "npx" && words[0] === "pnpm") {
        checkScript(words.slice(1));
      } else if (program === "npx") {
        expect([command, existsSync(join(ROOT, "node_modules/.bin", words[0] ?? ""))]).toEqual([command, true]);
      } else throw new Error(`${page}: nobody runs "${command}"; mark its block as "sh elsewhere"`);
      if (end !== undefined) expect([command, end]).toEqual([command, { code: 0, output: end.output }]);
    }
  });

  it("are found where they are", () => {
    expect(commandsOf("docs/partitioning.md").filter((command) => command.includes(" partitions "))).toHaveLength(4);
    expect(commandsOf("CONTRIBUTING.md")).toContain("npm test");
    expect(filesOf("docs/getting-started.md").get("stan.conf")).toContain("http_port: 8222");
  });
});
