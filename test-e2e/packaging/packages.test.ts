import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { freePort } from "@nats-streaming/kernel/testing";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, it } from "vitest";
import { type Child, startChild } from "../harness/child.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { type Consumers, installConsumers, installServerFlat, runToEnd, sizeOf } from "./consumers.ts";
import { nodes } from "./nodes.ts";
import { type PackedPackage, packAll, ROOT } from "./packed.ts";

const KIB = 1024;

/** What a tarball, and the server with everything it needs, may take. */
const LARGEST_TARBALL = 512 * KIB;
const FULL_INSTALL = 80 * KIB * KIB;

/** All that a package may have inside; the dashboard is the server's alone. */
const SHIPPED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/(?!.*(\.test\.|\/fixtures\/|\/documentation\/))[\w./-]+\.(js|d\.ts)$/,
];
const SHIPPED_BY: Readonly<Record<string, RegExp>> = {
  server: /^(bin\/nats-streaming-server\.js|dist\/dashboard\/[\w./-]+\.(html|js|css|svg|json|woff2|png|ico))$/,
  "store-sql": /^schema\/\d{4}-[\w-]+\.(sqlite|postgres|mysql)\.sql$/,
};

/** What each README's first example prints. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  broker: /^\{\n? *kind: 'reply',\n? *payload: /,
  config: /^hb_interval 1 1 \{ kind: 'value', value: 90000000000n \}\n$/,
  engine: /^$/,
  "fault-tolerance": /^ft: only FILE or SQL stores supported in FT mode\nundefined\n$/,
  kernel: /^1h30m0s\n[0-9A-Za-z]{22}\n$/,
  monitoring: /^\[ 'foo\.bar' \]\n$/,
  "nats-bus": /^\{\n? *kind: 'reply',\n? *payload: /,
  partition: /^0 false\n$/,
  protocol: /^0 hello\n$/,
  server: /nats:\/\/127\.0\.0\.1:\d+/,
  store: /\n500\n$/,
  "store-conformance": /Tests +\d+ passed/,
  "store-encryption": /^MEMORY x{12}\n$/,
  "store-file": /^a new directory\n$/,
  "store-memory": /^1 27\n$/,
  "store-sql": /^a new database\n$/,
  subject: /^true\ntrue\norders\.> orders\.\*\.created orders\.eu\.created\n$/,
};

/** The port that examples name. It may be taken on the machine that runs the tests, so they get a free one. */
const PORT_OF_EXAMPLES = /\b4222\b/g;

describe("the packages as they are published", () => {
  const suite = suiteStage();
  const packed = suite.once(async () => packAll(await tempDir(suite)));
  const installed = suite.once(async () => installConsumers(await tempDir(suite), await packed()));

  it("ship what a user needs, and nothing else", async () => {
    for (const { short, files, manifest } of await packed()) {
      const more = SHIPPED_BY[short];
      const allowed = more === undefined ? SHIPPED : [...SHIPPED, more];
      expect([short, files.filter((file) => !allowed.some((pattern) => pattern.test(file)))]).toEqual([short, []]);
      expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts"]));
      expect(JSON.stringify(manifest)).not.toMatch(/"(workspace|catalog):/);
    }
  });

  it("are small", async () => {
    const rows = (await packed()).map(({ short, tarballBytes, unpackedBytes }) => ({
      package: short,
      "tarball, KiB": Math.ceil(tarballBytes.length / KIB),
      "unpacked, KiB": Math.ceil(unpackedBytes / KIB),
    }));
    console.table(rows);
    for (const { short, tarballBytes } of await packed()) {
      expect([short, tarballBytes.length < LARGEST_TARBALL]).toEqual([short, true]);
    }
  });

  it("have manifests without a fault, by publint", async () => {
    for (const { short, tarballBytes } of await packed()) {
      const { messages, pkg } = await publint({ pack: { tarball: tarballBytes.buffer }, strict: true });
      expect([short, messages.map((message) => formatMessage(message, pkg))]).toEqual([short, []]);
    }
  });

  it("have types that resolve wherever ES modules do, by arethetypeswrong", async () => {
    for (const { short, tarballBytes } of await packed()) {
      const checked = await checkPackage(createPackageFromTarballData(tarballBytes));
      if (!checked.types) throw new Error(`${short} has no types`);
      // The packages are ES modules: what knows nothing of "exports" cannot see them, and require() in TypeScript needs
      // module: nodenext, which the next test shows.
      const faults = checked.problems.filter(
        (problem) =>
          !(problem.kind === "NoResolution" && problem.resolutionKind === "node10") &&
          problem.kind !== "CJSResolvesToESM",
      );
      expect([short, faults]).toEqual([short, []]);
    }
  });

  it("type-check in an empty project, libraries included: imported, required and bundled", async () => {
    const consumers = await installed();
    for (const one of await packed()) {
      const folder = consumers.folderOf(one);
      const esm = one.entries.map((entry, index) => `export * as entry${index} from "${entry}";`);
      const cjs = one.entries.map((entry, index) => `export import entry${index} = require("${entry}");`);
      await writeFile(join(folder, "imported.mts"), `${esm.join("\n")}\n`);
      await writeFile(join(folder, "required.cts"), `${cjs.join("\n")}\n`);
      if (one.example.language === "ts") await writeFile(join(folder, "example.mts"), one.example.code);
    }
    const common = { target: "es2023", strict: true, noEmit: true, skipLibCheck: false, types: ["node"] };
    for (const [module, moduleResolution, include] of [
      ["nodenext", "nodenext", ["consumers/*/*.mts", "consumers/*/*.cts"]],
      ["esnext", "bundler", ["consumers/*/*.mts"]],
    ]) {
      const config = { compilerOptions: { ...common, module, moduleResolution }, include };
      const path = join(consumers.folder, `tsconfig.${String(moduleResolution)}.json`);
      await writeFile(path, JSON.stringify(config));
      const checked = await runToEnd(join(ROOT, "node_modules/.bin/tsc"), ["-p", path], consumers.folder);
      expect(checked).toEqual({ code: 0, output: "" });
    }
  }, 180_000);

  it.each(nodes())(
    "can be imported and required on Node $version",
    async ({ program }) => {
      const consumers = await installed();
      for (const one of await packed()) {
        const path = join(consumers.folderOf(one), "load.mjs");
        await writeFile(
          path,
          `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
for (const entry of ${JSON.stringify(one.entries)}) {
  const [imported, required] = [Object.keys(await import(entry)), Object.keys(require(entry))];
  if (imported.length === 0) throw new Error(entry + " exports nothing");
  const missing = imported.filter((name) => !required.includes(name));
  if (missing.length > 0) throw new Error(entry + ": require() lacks " + missing.join(", "));
}
console.log("loaded");
`,
        );
        const loaded = await runToEnd(program, ["--no-warnings", path], consumers.folderOf(one));
        expect([one.short, loaded]).toEqual([one.short, { code: 0, output: "loaded\n" }]);
      }
    },
    180_000,
  );

  it("run the first example of their README as it is printed", async () => {
    const stage = testStage();
    const consumers = await installed();
    for (const one of await packed()) {
      const prints = PRINTS[one.short];
      if (prints === undefined) throw new Error(`what the example of ${one.short} prints is not known to this test`);
      expect([one.short, await outputOfExample(stage, consumers, one)]).toEqual([
        one.short,
        expect.stringMatching(prints),
      ]);
    }
  }, 180_000);

  it.each(nodes())("bring an executable that serves on Node $version", async ({ program }) => {
    const stage = testStage();
    const consumers = await installed();
    const server = (await packed()).find(({ short }) => short === "server");
    if (server === undefined) throw new Error("no server among the packages");
    const bin = packedServerOf(consumers);
    const version = await runToEnd(program, [bin, "-v"], consumers.folderOf(server));
    expect(version).toEqual({
      code: 0,
      output: expect.stringContaining(`nats-streaming-server version ${String(server.manifest["version"])},`),
    });
    const child = await startPackedServer(stage, program, bin);
    const client = await connectStan(stage, "client", { port: child.port });
    const subscription = await client.subscribe("foo");
    await client.publish("foo", "from a packed server");
    expect((await subscription.messages.take()).text).toBe("from a packed server");
    await client.close();
    expect((await child.child.stop()).code).toBe(0);
  });

  it("install flat, as npm does, with a command on the path and within the bound", async () => {
    const folder = await tempDir(suite);
    await installServerFlat(folder, await packed());
    const bytes = await sizeOf(join(folder, "node_modules"));
    console.log(`the server and all it needs: ${(bytes / KIB / KIB).toFixed(1)} MiB`);
    expect(bytes).toBeLessThan(FULL_INSTALL);
    const command = join(folder, "node_modules", ".bin", "nats-streaming-server");
    expect(await runToEnd(command, ["-v"], folder)).toEqual({
      code: 0,
      output: expect.stringMatching(/^nats-streaming-server version \d+\.\d+\.\d+, /),
    });
    // The clients of PostgreSQL and MySQL are the user's to install; without one, the server names the command.
    const source = ["-store", "sql", "-sql_driver", "postgres", "-sql_source", "host=127.0.0.1 dbname=stan"];
    const refused = await runToEnd(command, [...source, "-p", String(await freePort())], folder);
    expect(refused).toEqual({ code: 1, output: expect.stringContaining("npm install pg") });
  }, 180_000);
});

/** Runs an example in its consumer: to its end, or, if it goes on serving, until it has printed. */
async function outputOfExample(stage: Stage, consumers: Consumers, one: PackedPackage): Promise<string> {
  const folder = consumers.folderOf(one);
  if (one.short === "store-conformance") {
    await writeFile(join(folder, "example.test.ts"), one.example.code);
    const { output } = await runToEnd(join(folder, "node_modules/.bin/vitest"), ["run", "--no-color"], folder);
    return output;
  }
  let { code } = one.example;
  let port = 0;
  if (code.match(PORT_OF_EXAMPLES) !== null) {
    port = await freePort();
    // The client's example needs somebody to talk to.
    if (one.short === "nats-bus") {
      port = (await startPackedServer(stage, process.execPath, packedServerOf(consumers))).port;
    }
    code = code.replaceAll(PORT_OF_EXAMPLES, String(port));
  }
  await writeFile(join(folder, "example.mjs"), code);
  const child = await startChild(stage, {
    name: `the example of ${one.short}`,
    command: process.execPath,
    args: ["example.mjs"],
    // Examples name files relative to where they run.
    cwd: folder,
    missing: `${process.execPath} does not run`,
  });
  if (one.short !== "broker") {
    const end = await child.exit();
    if (end.code !== 0) throw new Error(`the example of ${one.short} ended with ${end.code}: ${end.stderr}`);
    return end.stdout;
  }
  await child.outputLine("payload");
  return (await child.stop()).stdout;
}

/** The server's executable as its consumer has it. */
function packedServerOf(consumers: Consumers): string {
  return join(consumers.folder, "consumers/server/node_modules/@nats-streaming/server/bin/nats-streaming-server.js");
}

async function startPackedServer(
  stage: Stage,
  program: string,
  bin: string,
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort();
  const directory = join(await tempDir(stage), "data");
  await mkdir(directory);
  const child = await startChild(stage, {
    name: "packed server",
    command: program,
    args: [bin, "-a", "127.0.0.1", "-p", String(port), "-store", "file", "-dir", directory],
    missing: `${program} does not run`,
  });
  await child.line("STREAM: Streaming Server is ready");
  return { child, port };
}
