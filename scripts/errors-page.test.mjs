import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { withGenerated } from "../apps/server/src/documentation/page.ts";
import { codesOf, functionOf, membersOf } from "./comments.mjs";
import { errorTables, TEXT_MODULES } from "./errors-page.mjs";
import { root } from "./prepare.mjs";

const modules = Object.fromEntries(
  await Promise.all(Object.entries(TEXT_MODULES).map(async ([name, path]) => [name, await import(join(root, path))])),
);

describe("docs/errors.md", () => {
  const page = readFileSync(join(root, "docs/errors.md"), "utf8");

  it("has every text and code of the sources; pnpm run docs writes them", () => {
    expect(page).toBe(withGenerated(page, errorTables(modules)));
  });

  it("has a row for each text that the server sends", () => {
    const { stan, nats } = modules;
    const texts = [...Object.values(stan.stanErrors).map(({ text }) => text), ...Object.values(nats.ERROR_TEXT)];
    for (const text of texts) expect(page).toContain(text);
  });

  it("shows lines of failed starts that have the remedy beside them", () => {
    const { startRemedies, remedyOf } = modules.remedies;
    for (const { line, pattern, remedy } of startRemedies) {
      expect(line).toMatch(pattern);
      if (typeof remedy === "string") expect(remedyOf(line)).toBe(remedy);
    }
  });
});

describe("what comments say of errors", () => {
  it("is read from unions of codes, on one line or on more", () => {
    const source =
      'export type XErrorCode =\n  /** Gone. Remedy: Look. */\n  | "gone"\n  /**\n   * Full\n   * up.\n   */\n  | "full";\n';
    expect(codesOf(source, "XErrorCode")).toEqual([
      { name: "gone", parameters: [], meaning: "Gone.", remedy: "Look." },
      { name: "full", parameters: [], meaning: "Full up.", remedy: "" },
    ]);
  });

  it("is read from tables of texts and of functions that make them", () => {
    const source =
      'export const T = {\n  /** A. Remedy: B. @remarks C. */\n  a: "x",\n  b: (one: string, two: number): string => "y",\n} as const;\n';
    expect(membersOf(source, "T")).toEqual([
      { name: "a", parameters: [], meaning: "A.", remedy: "B." },
      { name: "b", parameters: ["one", "two"], meaning: "", remedy: "" },
    ]);
  });

  it("is read from a function, without its parameters", () => {
    const source =
      "/**\n * Late.\n * Remedy: Hurry\n * up.\n * @param a what\n */\nexport function late(a: string): string {\n";
    expect(functionOf(source, "late")).toMatchObject({ meaning: "Late.", remedy: "Hurry up." });
  });

  it("is missed where it is not written", () => {
    expect(() => membersOf("export const U = {} as const;\n", "T")).toThrow('there is no "T" of this form');
  });
});
