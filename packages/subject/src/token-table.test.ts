import { describe, expect, it } from "vitest";
import { FULL_TOKEN, STAR_TOKEN, TokenTable, UNKNOWN_TOKEN } from "./token-table.ts";

describe("the token table", () => {
  it("gives equal tokens equal numbers and forgets them with their last use", () => {
    const table = new TokenTable();
    const foo = table.intern("foo");
    table.retain(foo);
    table.retain(table.intern("foo"));
    expect(table.name(foo)).toBe("foo");
    table.release(foo);
    expect(table.size).toBe(1);
    table.release(foo);
    expect(table.size).toBe(0);
    expect(table.readSubject("foo")).toBe(1);
    expect(table.path[0]).toBe(UNKNOWN_TOKEN);
    expect(table.intern("bar")).toBe(foo);
  });

  it("reads wildcards of a pattern as such and those of a subject as text", () => {
    const table = new TokenTable();
    const foo = table.intern("foo");
    expect(table.readPattern("foo.*.>")).toBe(3);
    expect([...table.path.subarray(0, 3)]).toEqual([foo, STAR_TOKEN, FULL_TOKEN]);
    expect(table.readSubject("foo.*.>")).toBe(3);
    expect([...table.path.subarray(0, 3)]).toEqual([foo, UNKNOWN_TOKEN, UNKNOWN_TOKEN]);
  });

  it.each(["", ".", "a.", ".a", "a..b"])("reads no token of %j", (text) => {
    const table = new TokenTable();
    expect(table.readSubject(text)).toBe(0);
    expect(table.readPattern(text)).toBe(0);
  });

  it.each([31, 32, 33, 64, 65, 200])("reads a subject of %i tokens whole", (count) => {
    const table = new TokenTable();
    const names = Array.from({ length: count }, (_, i) => `t${i}`);
    expect(table.internPattern(names.join("."))).toBe(count);
    expect(Array.from(table.path.subarray(0, count), (token) => table.name(token))).toEqual(names);
    const other = new TokenTable();
    expect(other.readSubject(names.join("."))).toBe(count);
  });

  it("names long tokens right", () => {
    const table = new TokenTable();
    const long = "a-token-that-is-longer-than-a-view-may-be";
    table.internPattern(`x.${long}.y`);
    expect(table.name(table.path[1]!)).toBe(long);
  });
});
