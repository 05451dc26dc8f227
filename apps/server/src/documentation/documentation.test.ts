import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configInterface } from "./config-interface.ts";
import { optionTables } from "./option-tables.ts";
import { withGenerated } from "./page.ts";

const PAGE = new URL("../../../../docs/configuration.md", import.meta.url);

describe("server-config.ts", () => {
  it("has a member for every option of the tables; pnpm run docs writes it", () => {
    const source = readFileSync(new URL("../server-config.ts", import.meta.url), "utf8");
    const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
    expect(words(source)).toEqual(words(configInterface()));
  });
});

describe("docs/configuration.md", () => {
  it("has the tables of the definitions; pnpm run docs writes them", () => {
    const page = readFileSync(PAGE, "utf8");
    expect(page).toBe(withGenerated(page, optionTables()));
  });

  it("is only written between its marks", () => {
    expect(() => withGenerated("no marks", "")).toThrow('the page has no "<!-- made from the definitions: begin');
  });
});
