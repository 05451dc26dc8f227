import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSystemFile } from "./system-files.ts";

describe("readSystemFile()", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "config-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads a file as UTF-8", () => {
    writeFileSync(join(folder, "a.conf"), "é: 1\n");
    expect(readSystemFile(join(folder, "a.conf"))).toEqual({ kind: "text", text: "é: 1\n" });
  });

  it("says why a file cannot be read", () => {
    const missing = join(folder, "nope.conf");
    expect(readSystemFile(missing)).toEqual({ kind: "failed", reason: `open ${missing}: no such file or directory` });
    expect(readSystemFile(folder)).toEqual({ kind: "failed", reason: `read ${folder}: is a directory` });
    writeFileSync(join(folder, "file"), "");
    const below = join(folder, "file", "x");
    expect(readSystemFile(below)).toEqual({ kind: "failed", reason: `open ${below}: not a directory` });
    expect(readSystemFile("a\0b")).toMatchObject({ kind: "failed" });
  });
});
