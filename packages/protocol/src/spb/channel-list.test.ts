import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, fromHex, toHex } from "../../test-support/hex.ts";
import { byteString } from "../wire/byte-string.ts";
import { channelListEntrySize, decodeChannelList, encodeChannelList } from "./channel-list.ts";

describe("the channel list of a partitioned server", () => {
  it("has two bytes of length, little endian, before each name", () => {
    expect(toHex(encodeChannelList(["bar", "foo"]))).toBe("0300626172 0300666f6f".replace(" ", ""));
    expect(toHex(encodeChannelList(["x".repeat(258)])).slice(0, 6)).toBe("020178");
  });

  it("gives back the names in their order, empty ones and bytes that are not UTF-8 included", () => {
    const name = fc.uint8Array({ maxLength: 300 }).map((bytes) => byteString(bytes));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (channels) => {
        const bytes = encodeChannelList(channels);
        expect(bytes).toHaveLength(channels.reduce((size, channel) => size + channelListEntrySize(channel), 0));
        expect(decodeChannelList(bytes)).toEqual({ kind: "ok", channels });
      }),
    );
  });

  it("may be empty", () => {
    expect(encodeChannelList([])).toHaveLength(0);
    expect(decodeChannelList(new Uint8Array(0))).toEqual({ kind: "ok", channels: [] });
  });

  it("is refused when less than a length is left, with the place", () => {
    expect(decodeChannelList(fromHex("0300666f6f 03"))).toEqual({
      kind: "invalid",
      message: "unable to decode size, pos=5 len=6",
    });
    expect(decodeChannelList(ascii("h"))).toEqual({ kind: "invalid", message: "unable to decode size, pos=0 len=1" });
  });

  it("is refused when a name is longer than what is left, with the place and the rest", () => {
    expect(decodeChannelList(fromHex("0300666f6f 0a00 626172"))).toEqual({
      kind: "invalid",
      message: "unable to decode channel, pos=7 len=10 max=10 (string=bar)",
    });
    expect(decodeChannelList(fromHex("0100"))).toEqual({
      kind: "invalid",
      message: "unable to decode channel, pos=2 len=1 max=2 (string=)",
    });
  });

  it("is read or refused at whatever offset it is cut, and never throws", () => {
    const whole = encodeChannelList(["foo", "bar.*", ">"]);
    const complete = new Set([0, 5, 12, 15]);
    for (let end = 0; end <= whole.length; end++) {
      expect([end, decodeChannelList(whole.subarray(0, end)).kind]).toEqual([
        end,
        complete.has(end) ? "ok" : "invalid",
      ]);
    }
  });

  it("refuses to encode a name whose length does not fit two bytes", () => {
    expect(() => encodeChannelList(["x".repeat(65_536)])).toThrow("channel name of 65536 bytes");
  });
});
