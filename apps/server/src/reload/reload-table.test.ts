import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { reloadTable } from "./reload-table.ts";

describe("docs/operations.md", () => {
  it("says of every option what a reload does about it", () => {
    const page = readFileSync(new URL("../../../../docs/operations.md", import.meta.url), "utf8");
    expect(page).toContain(reloadTable());
  });
});
