import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { monitorAt } from "../harness/monitor.ts";
import { tempDir, tempFile } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { launchServer, runServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { runToEnd } from "./consumers.ts";
import { asTypedSource, validateObject } from "./kubernetes.ts";
import { ROOT } from "./packed.ts";

const bin = (name: string): string => join(ROOT, "test-e2e/node_modules/.bin", name);
const isOnPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new Error(`not an object: ${String(value)}`);
  return Object.fromEntries(Object.entries(value));
}

/** Follows keys into a parsed document. */
function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((inner, key) => record(inner)[key], value);
}

describe("the container image", () => {
  it("has a Dockerfile without a fault, by dockerfilelint", async () => {
    // Its command has another name than its package.
    const linter = join(ROOT, "test-e2e/node_modules/dockerfilelint/bin/dockerfilelint");
    const linted = await runToEnd(process.execPath, [linter, "--output", "json", join(ROOT, "Dockerfile")], ROOT);
    expect([linted.code, at(JSON.parse(linted.output), "totalIssues")]).toEqual([0, 0]);
  });

  it("has a health check that tells a server that serves from one that does not", async () => {
    const stage = testStage();
    const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");
    const command = /HEALTHCHECK[^\n]*\\\n\s*CMD ([^\n]+)\n/.exec(dockerfile)?.[1] ?? "";
    expect(command).toContain("/healthz");
    const port = await freePort();
    const check = ["-c", `MONITOR_PORT=${port}; ${command}`];
    expect((await runToEnd("sh", check, ROOT)).code).toBe(1);
    const child = await launchServer(stage, "server", ["-a", "127.0.0.1", "-p", "-1", "-m", String(port)]);
    await untilReady(child);
    expect(await runToEnd("sh", check, ROOT)).toEqual({ code: 0, output: "" });
  });

  it("starts the server as its own process, by a file that the package has", async () => {
    const dockerfile = await readFile(join(ROOT, "Dockerfile"), "utf8");
    const [program, file] = parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? "");
    const inPackage = String(file).replace("/opt/nats-streaming/node_modules/@nats-streaming/server/", "apps/server/");
    expect([program, existsSync(join(ROOT, inPackage))]).toEqual(["node", true]);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGINT$/m);
  });
});

describe("compose.yaml", () => {
  it("is without a fault, by dclint, and mounts files that exist", async () => {
    const linted = await runToEnd(bin("dclint"), ["--max-warnings", "0", join(ROOT, "compose.yaml")], ROOT);
    expect([linted.code, linted.output]).toEqual([0, expect.not.stringContaining("warning")]);
    const services = record(at(parse(await readFile(join(ROOT, "compose.yaml"), "utf8")), "services"));
    for (const service of Object.values(services)) {
      for (const volume of Object.values(record(at(service, "volumes")))) {
        if (at(volume, "type") === "bind") expect(existsSync(join(ROOT, String(at(volume, "source"))))).toBe(true);
      }
    }
  });

  it("has two partitions that find each other by its flags", async () => {
    const stage = testStage();
    const services = record(at(parse(await readFile(join(ROOT, "compose.yaml"), "utf8")), "services"));
    const names = Object.keys(services).toSorted();
    expect(names).toEqual(["billing", "orders"]);
    const routePorts = new Map<string, number>();
    for (const name of names) routePorts.set(name, await freePort());
    const ports: number[] = [];
    for (const name of names) {
      // Names and ports of containers become ports of this machine; everything else is what compose.yaml says.
      const command = Object.values(record(at(services[name], "command"))).map((word) =>
        String(word)
          .replace("/etc/stan/", join(ROOT, "deploy/docker/"))
          .replace(/^nats:\/\/(\w+):6222$/, (_, other: string) => `nats://127.0.0.1:${routePorts.get(other)}`),
      );
      const [port, monitorPort] = [await freePort(), await freePort()];
      const here = ["-a", "127.0.0.1", "-p", String(port), "-m", String(monitorPort), "-dir", await tempDir(stage)];
      const route = ["-cluster_listen", `nats://127.0.0.1:${routePorts.get(name)}`];
      const child = await launchServer(stage, name, [...command, ...here, ...route]);
      await untilReady(child);
      expect(await monitorAt(monitorPort).get("serverz")).toMatchObject({ state: "STANDALONE" });
      ports.push(port);
    }
    // The second one has opened its route before it was ready; the first one knows of it then, too.
    const client = await connectStan(stage, "shop", { port: ports[0] ?? 0 });
    for (const channel of ["billing.invoices", "orders.new"]) {
      await client.publish(channel, `to ${channel}`);
      const subscription = await client.subscribe(channel);
      expect((await subscription.messages.take()).text).toBe(`to ${channel}`);
    }
    await client.close();
  });
});

describe("deploy/kubernetes", () => {
  const folder = join(ROOT, "deploy/kubernetes");
  const objects = async (): Promise<Readonly<Record<string, unknown>>[]> => {
    const listed = at(parse(await readFile(join(folder, "kustomization.yaml"), "utf8")), "resources");
    const files = Object.values(record(listed)).map(String);
    const there = (await readdir(folder)).filter((name) => name !== "kustomization.yaml");
    expect(files.toSorted()).toEqual(there.toSorted());
    const documents = await Promise.all(
      files.map(async (file) => parseAllDocuments(await readFile(join(folder, file), "utf8"))),
    );
    return documents.flat().map((document) => record(document.toJS()));
  };

  it("follows the schemas of Kubernetes, without a key that is none", async () => {
    const all = await objects();
    expect(all.length).toBeGreaterThan(10);
    for (const object of all) validateObject(object);
    // Where the models can be found from.
    const cache = join(ROOT, "test-e2e/node_modules/.cache/kubernetes");
    await mkdir(cache, { recursive: true });
    await writeFile(join(cache, "objects.ts"), asTypedSource(all));
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, module: "nodenext", types: [] };
    await writeFile(join(cache, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["objects.ts"] }));
    const checked = await runToEnd(join(ROOT, "node_modules/.bin/tsc"), ["-p", cache], cache);
    expect(checked).toEqual({ code: 0, output: "" });
    await rm(cache, { recursive: true });
  });

  it("selects pods that exist, and mounts what exists", async () => {
    const all = await objects();
    const named = new Set(all.map((object) => `${String(object["kind"])}/${String(at(object, "metadata", "name"))}`));
    const pods = all.flatMap((object) =>
      object["kind"] === "Deployment" || object["kind"] === "StatefulSet" ? [at(object, "spec", "template")] : [],
    );
    const isSelected = (selector: unknown): boolean =>
      pods.some((pod) =>
        Object.entries(record(selector)).every(([label, value]) => at(pod, "metadata", "labels", label) === value),
      );
    for (const object of all) {
      if (object["kind"] === "Service") expect(isSelected(at(object, "spec", "selector"))).toBe(true);
      if (object["kind"] === "Namespace" || object["kind"] === "ConfigMap" || object["kind"] === "Service") continue;
      if (object["kind"] === "PersistentVolumeClaim") continue;
      expect(isSelected(at(object, "spec", "selector", "matchLabels"))).toBe(true);
    }
    for (const pod of pods) {
      for (const volume of Object.values(record(at(pod, "spec", "volumes")))) {
        const { configMap, persistentVolumeClaim: claim } = record(volume);
        const wanted =
          configMap === undefined
            ? `PersistentVolumeClaim/${String(at(claim, "claimName"))}`
            : `ConfigMap/${String(at(configMap, "name"))}`;
        expect(named).toContain(wanted);
      }
    }
  });

  it("gives each partition a configuration that the server accepts, and a list that is nobody else's", async () => {
    const stage = testStage();
    const entries: string[] = [];
    for (const object of await objects()) {
      const text = object["kind"] === "ConfigMap" ? record(object["data"])["stan.conf"] : undefined;
      if (typeof text !== "string") continue;
      const checked = await runServer(stage, ["-t", "-sc", await tempFile(stage, "stan.conf", text)]);
      expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining("is valid")]);
      entries.push(...(/channels: \{\s*"([^"]+)"/.exec(text)?.slice(1) ?? []));
    }
    expect(entries.toSorted()).toEqual(["billing.>", "orders.>"]);
  });

  it.runIf(isOnPath("kubectl"))("is built by kustomize", async () => {
    const built = await runToEnd("kubectl", ["kustomize", folder], ROOT);
    expect(built.code).toBe(0);
    expect(built.output.match(/^kind: Deployment$/gm)).toHaveLength(2);
  });
});

describe("deploy/systemd", () => {
  const unit = fileURLToPath(new URL("../../deploy/systemd/nats-streaming-server@.service", import.meta.url));

  it.runIf(isOnPath("systemd-analyze"))("has a unit that systemd accepts", async () => {
    expect(await runToEnd("systemd-analyze", ["verify", unit], ROOT)).toEqual({ code: 0, output: "" });
  });

  it("starts the server with flags that it has", async () => {
    const stage = testStage();
    const text = await readFile(unit, "utf8");
    const config = await tempFile(
      stage,
      "orders.conf",
      'store_limits { channels { "orders.>": {} } }\npartitioning: true\n',
    );
    for (const [, flags = ""] of text.matchAll(/^ExecStart(?:Pre)?=\/usr\/bin\/env nats-streaming-server (.*)$/gm)) {
      const words = flags
        .replace("/etc/nats-streaming/%i.conf", config)
        .replace("/var/lib/nats-streaming/%i", await tempDir(stage))
        .split(" ");
      const checked = await runServer(stage, ["-t", ...words]);
      expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining("is valid")]);
    }
  });
});
