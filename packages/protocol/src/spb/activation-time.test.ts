import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../test-support/hex.ts";
import { decodeActivationTime, encodeActivationTime } from "./activation-time.ts";

describe("the activation time in a heartbeat", () => {
  it("is written as version 1 in UTC", () => {
    const time = { millis: Date.UTC(2023, 10, 14, 22, 13, 20, 123), nanos: 456_789 };
    expect(toHex(encodeActivationTime(time))).toBe("010000000edce5e800075bcd15ffff");
  });

  it("is read back to the nanosecond, from before 1970 too", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 45), max: 2 ** 45 }), fc.nat(999_999), (millis, nanos) => {
        expect(decodeActivationTime(encodeActivationTime({ millis, nanos }))).toEqual({
          kind: "ok",
          nanos: BigInt(millis) * 1_000_000n + BigInt(nanos),
        });
      }),
    );
  });

  it("is the same instant whatever zone the sender lives in", () => {
    // 0000: a zone at the prime meridian; 003c: an hour east; fe20: eight hours west.
    const utc = decodeActivationTime(fromHex("010000000ee294eaa9003789dbffff"));
    expect(utc).toEqual({ kind: "ok", nanos: 1_795_355_561_003_639_771n });
    for (const zone of ["0000", "003c", "fe20"]) {
      expect(decodeActivationTime(fromHex(`010000000ee294eaa9003789db${zone}`))).toEqual(utc);
    }
    expect(decodeActivationTime(fromHex("020000000ee294eaa9003789db003c1e"))).toEqual(utc);
  });

  it.each([
    ["no bytes", "", "activation time is empty"],
    ["another version", "03", "activation time has the unknown version 3"],
    ["too few bytes", "010000000edce5e800075bcd15ff", "activation time has 14 bytes instead of 15"],
    ["too many bytes", "010000000edce5e800075bcd15ffff00", "activation time has 16 bytes instead of 15"],
    ["too few bytes of version 2", "020000000edce5e800075bcd15ffff", "activation time has 15 bytes instead of 16"],
  ])("is refused with %s", (_what, hex, reason) => {
    expect(decodeActivationTime(fromHex(hex))).toEqual({ kind: "invalid", reason });
  });

  it("is read from the middle of a buffer", () => {
    const bytes = fromHex("ffffff 010000000edce5e800075bcd15ffff ff").subarray(3, 18);
    expect(decodeActivationTime(bytes)).toEqual({ kind: "ok", nanos: 1_700_000_000_123_456_789n });
  });
});
