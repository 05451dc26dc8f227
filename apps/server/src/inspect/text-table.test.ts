import { describe, expect, it } from "vitest";
import { type TextColumn, textTable } from "./text-table.ts";

const COLUMNS: readonly TextColumn[] = [
  { title: "NAME", isWide: true },
  { title: "COUNT", isNumber: true },
  { title: "MORE", isExtra: true },
];
const LONG = "a.very.long.name.of.a.channel";

describe("textTable()", () => {
  it("puts words to the left, numbers to the right and no blanks at the end", () => {
    expect(
      textTable(
        COLUMNS,
        [
          ["foo", "12", ""],
          ["barbaz", "3", "x"],
        ],
        undefined,
      ),
    ).toBe("NAME    COUNT  MORE\nfoo        12\nbarbaz      3  x\n");
  });

  it("cuts the widest column off where the terminal is too narrow", () => {
    const text = textTable(COLUMNS, [[LONG, "12", "yes"]], 30);
    for (const line of text.trimEnd().split("\n")) expect(line.length).toBeLessThanOrEqual(30);
    expect(text).toContain("a.very.long.name…");
    expect(text).toContain("yes");
  });

  it("leaves out what can be spared where that does not help, and keeps the rest", () => {
    const text = textTable(COLUMNS, [[LONG, "12", "yes"]], 19);
    expect(text).toBe("NAME          COUNT\na.very.long…     12\n");
    expect(textTable(COLUMNS, [[LONG, "12", "yes"]], 5)).toBe(text);
  });
});
