import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, toHex } from "../../test-support/hex.ts";
import { arbitraryMessage } from "../../test-support/messages.ts";
import { encodePubAck, type PubAck, pubAckSize, writePubAck } from "./pub-ack.ts";

describe("writePubAck", () => {
  it("writes what the general encoder writes, in exactly pubAckSize bytes", () => {
    fc.assert(
      fc.property(arbitraryMessage<PubAck>("pb.PubAck"), (value) => {
        const guid = ascii(value.guid);
        const error = ascii(value.error);
        const source = Uint8Array.from([9, ...guid, 9]);
        const size = pubAckSize(guid.length, error.length);
        const target = new Uint8Array(size + 6).fill(0xee);

        const end = writePubAck(target, 4, source, 1, 1 + guid.length, error);

        expect(end).toBe(4 + size);
        expect(toHex(target, 4, end)).toBe(toHex(encodePubAck(value)));
        expect([...target.subarray(0, 4), ...target.subarray(end)].every((byte) => byte === 0xee)).toBe(true);
      }),
    );
  });

  it("writes a success without an error", () => {
    const target = new Uint8Array(pubAckSize(2));
    expect(writePubAck(target, 0, ascii("g1"), 0, 2)).toBe(4);
    expect(toHex(target)).toBe("0a026731");
  });
});
