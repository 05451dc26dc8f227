import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { ServerPorts } from "./ports-file.ts";
import { ProcessFiles } from "./process-files.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "ports-file-"));
  folders.push(path);
  return path;
}

const LOCAL: ServerPorts = {
  nats: { host: "127.0.0.1", port: 1 },
  monitoring: { host: "::1", port: 2 },
  cluster: { host: "example.org", port: 3 },
  isEncrypted: false,
};

const NOWHERE: ServerPorts = { nats: undefined, monitoring: undefined, cluster: undefined, isEncrypted: false };

describe("ProcessFiles", () => {
  it("writes the ports in the form of nats-server, moves the file, and removes it", () => {
    const [one, two] = [folder(), folder()];
    const files = new ProcessFiles(77);
    files.writePorts(one, LOCAL);
    const text = readFileSync(join(one, "nats-streaming-server_77.ports"), "utf8");
    expect(text).toBe(
      '{"nats":["nats://127.0.0.1:1"],"monitoring":["http://[::1]:2"],"cluster":["nats://example.org:3"]}',
    );
    files.writePorts(two, { ...LOCAL, isEncrypted: true });
    expect(readdirSync(one)).toEqual([]);
    expect(readFileSync(join(two, "nats-streaming-server_77.ports"), "utf8")).toContain('["tls://127.0.0.1:1"]');
    files.writePorts(two, NOWHERE);
    expect(readFileSync(join(two, "nats-streaming-server_77.ports"), "utf8")).toBe("{}");
    files.remove();
    expect(readdirSync(two)).toEqual([]);
    files.remove();
  });

  it("names every address of the machine where a server listens on all", () => {
    const path = folder();
    const files = new ProcessFiles(1);
    files.writePorts(path, { ...NOWHERE, nats: { host: "0.0.0.0", port: 5 } });
    const ports = JSON.parse(readFileSync(join(path, "nats-streaming-server_1.ports"), "utf8"));
    expect(ports.nats).toContain("nats://127.0.0.1:5");
    for (const url of ports.nats) expect(url).toMatch(/^nats:\/\/[\d.]+:5$/);
  });

  it("writes the process ID without a line break, and leaves the file there", () => {
    const path = join(folder(), "a.pid");
    const files = new ProcessFiles(4711);
    files.writePid(path);
    files.remove();
    expect(readFileSync(path, "utf8")).toBe("4711");
    files.writePid("");
  });

  it("says what it could not write", () => {
    const missing = join(folder(), "missing");
    const files = new ProcessFiles(1);
    expect(() => files.writePid(join(missing, "a.pid"))).toThrow("Could not write pidfile: ENOENT");
    expect(() => files.writePorts(missing, LOCAL)).toThrow(/^Error writing ports file to .*missing.*: ENOENT/);
    expect(existsSync(missing)).toBe(false);
  });
});
