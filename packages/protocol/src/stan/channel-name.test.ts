import { describe, expect, it } from "vitest";
import { ascii, fromHex, surrounded } from "../../test-support/hex.ts";
import { isChannelNameRange } from "./channel-name.ts";

function isChannelName(name: Uint8Array): boolean {
  const { bytes, start, end } = surrounded(name);
  return isChannelNameRange(bytes, start, end);
}

describe("PROTO 9.2 channel names", () => {
  it("PROTO 9.2 refuses the empty name", () => {
    expect(isChannelName(ascii(""))).toBe(false);
  });

  it.each([".foo", "foo.", ".", "..", ".foo.", "foo.bar."])("PROTO 9.2 refuses a dot at either end: %s", (name) => {
    expect(isChannelName(ascii(name))).toBe(false);
  });

  it.each(["foo..bar", "a...b", "a.b..c"])("PROTO 9.2 refuses two dots in a row: %s", (name) => {
    expect(isChannelName(ascii(name))).toBe(false);
  });

  it.each(["foo/bar", "/", "foo/", "a.b/c"])("PROTO 9.2 refuses a slash: %s", (name) => {
    expect(isChannelName(ascii(name))).toBe(false);
  });

  it.each(["foo.*", "foo*bar", ">", "*", "foo.>", "fo>o", "*.foo"])(
    "PROTO 9.2 refuses wildcard characters anywhere: %s",
    (name) => {
      expect(isChannelName(ascii(name))).toBe(false);
    },
  );

  it.each([
    "foo",
    "foo.bar",
    "f",
    "a.b.c.d",
    "with space",
    "\t",
    "a\u0000b",
    "a\u0001\u001f\u007fb",
    "a,b:c\\d",
    "foo\n",
    " ",
    "FOO",
  ])("PROTO 9.2 allows everything else: %j", (name) => {
    expect(isChannelName(ascii(name))).toBe(true);
  });

  it("PROTO 9.2 allows bytes that are not ASCII and not UTF-8", () => {
    expect(isChannelName(fromHex("c3a9 2e e282ac"))).toBe(true);
    expect(isChannelName(fromHex("ff fe 80"))).toBe(true);
  });

  it("PROTO 9.2 has no limit of length", () => {
    expect(isChannelName(new Uint8Array(3_000).fill(0x61))).toBe(true);
  });

  it("PROTO 9.2 refuses three bytes anywhere, and the dot only where it parts nothing", () => {
    const refused = Array.from({ length: 256 }, (_, byte) => byte).filter(
      (byte) => !isChannelName(Uint8Array.of(0x61, byte, 0x61)),
    );
    expect(refused).toEqual([0x2a, 0x2f, 0x3e]);
    expect(isChannelName(Uint8Array.of(0x61, 0x2e, 0x61))).toBe(true);
    expect(isChannelName(Uint8Array.of(0x2e))).toBe(false);
  });
});
