import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../test-support/hex.ts";
import { arbitraryBytes, arbitraryMessage, mutilated, safeInteger } from "../../test-support/messages.ts";
import { expectViewAsReference } from "../../test-support/view.ts";
import { WireFault } from "../wire/fault.ts";
import { encodeSubStateUpdate, readSubStateUpdate, subStateUpdateSize, writeSubStateUpdate } from "./sub-state.ts";

const view = { id: 0, seqno: 0 };

describe("writeSubStateUpdate", () => {
  it("writes what the general encoder writes, in exactly subStateUpdateSize bytes", () => {
    fc.assert(
      fc.property(safeInteger, safeInteger, (id, seqno) => {
        const target = new Uint8Array(24);
        const end = writeSubStateUpdate(target, 2, id, seqno);
        expect(toHex(target, 2, end)).toBe(toHex(encodeSubStateUpdate({ id, seqno })));
        expect(end - 2).toBe(subStateUpdateSize(id, seqno));
        expect(readSubStateUpdate(view, target, 2, end)).toBe(WireFault.none);
        expect(view).toEqual({ id, seqno });
      }),
    );
  });
});

describe("readSubStateUpdate", () => {
  it("refuses numbers above 2^53 - 1", () => {
    const bytes = fromHex("10 8080808080808010");
    expect(readSubStateUpdate(view, bytes, 0, bytes.length)).toBe(WireFault.numberTooLarge);
  });

  it("says of mutilated and of arbitrary bytes what the rules say, and never throws", () => {
    const encoded = arbitraryMessage("spb.SubStateUpdate").map(encodeSubStateUpdate);
    fc.assert(
      fc.property(fc.oneof(mutilated(encoded), arbitraryBytes()), (message) => {
        fc.pre(readSubStateUpdate(view, message, 0, message.length) !== WireFault.numberTooLarge);
        expectViewAsReference("spb.SubStateUpdate", message, (bytes, start, end) => ({
          fault: readSubStateUpdate(view, bytes, start, end),
          fields: { ...view },
        }));
      }),
      { numRuns: 1_000 },
    );
  });
});
