import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { channelDirectory, directoryChannel, isSliceName, sliceNumber } from "./names.ts";

describe("channel directories", () => {
  it("have the text that the channel's bytes spell", () => {
    expect(channelDirectory("foo.bar")).toBe("foo.bar");
    expect(channelDirectory(Buffer.from("grün").toString("latin1"))).toBe("grün");
    expect(directoryChannel("grün")).toBe(Buffer.from("grün").toString("latin1"));
  });

  it("have a lone surrogate for each byte that is no UTF-8", () => {
    expect(channelDirectory("a\xff\xc3")).toBe("a\udcff\udcc3");
  });

  it("give back the channel, whatever its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        const channel = Buffer.from(bytes).toString("latin1");
        expect(directoryChannel(channelDirectory(channel))).toBe(channel);
      }),
    );
  });
});

describe("slice names", () => {
  it("have a decimal number from 1", () => {
    expect(["msgs.1.dat", "msgs.10.dat", "msgs.007.dat"].map(sliceNumber)).toEqual([1, 10, 7]);
    for (const name of ["msgs.0.dat", "msgs.-1.dat", "msgs.a.dat", "msgs.dat", "msgs.1e3.dat", "msgs..dat"]) {
      expect([name, isSliceName(name), sliceNumber(name)]).toEqual([name, true, undefined]);
    }
    for (const name of ["msgs.1.idx", "msgs.1.dat.bak", "subs.dat", "xmsgs.1.dat"])
      expect(isSliceName(name)).toBe(false);
  });
});
