import { describe, expect, it } from "vitest";
import { isLiteralRange } from "./literal-range.ts";
import { bytesOfKey } from "./subject-key.ts";

describe("isLiteralRange()", () => {
  it("tells literal subjects from patterns and from what is neither", () => {
    const check = (subject: string): boolean => isLiteralRange(bytesOfKey(`>.${subject}.>`), 2, 2 + subject.length);
    expect(["a", "a.b", "a*", "*a.b>", "foo.a*b"].map(check)).toEqual([true, true, true, true, true]);
    expect(["*", ">", "a.*", "a.>", "*.a", "a..b", ".a", "a.", ""].map(check)).toEqual(new Array(9).fill(false));
  });
});
