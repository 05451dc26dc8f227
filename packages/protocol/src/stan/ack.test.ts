import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../test-support/hex.ts";
import { arbitraryBytes, arbitraryMessage, mutilated } from "../../test-support/messages.ts";
import { expectViewAsReference, type FieldsOfView } from "../../test-support/view.ts";
import { byteString } from "../wire/byte-string.ts";
import { WireFault } from "../wire/fault.ts";
import { ackView, encodeAck, readAck } from "./ack.ts";

const view = ackView();

function read(bytes: Uint8Array, start = 0, end = bytes.length): { fault: WireFault; fields: FieldsOfView } {
  const fault = readAck(view, bytes, start, end);
  const subject = byteString(bytes, view.subjectStart, view.subjectEnd);
  return { fault, fields: { subject, sequence: view.sequence } };
}

describe("readAck", () => {
  it("shows channel and sequence", () => {
    expect(read(encodeAck({ subject: "foo", sequence: 300n }))).toEqual({
      fault: WireFault.none,
      fields: { subject: "foo", sequence: 300 },
    });
  });

  it("takes a sequence above 2^53 - 1 for one that no message has", () => {
    expect(read(encodeAck({ sequence: 2n ** 53n }))).toMatchObject({ fields: { sequence: 2 ** 53 } });
    expect(read(encodeAck({ sequence: 2n ** 64n - 1n }))).toMatchObject({ fields: { sequence: 2 ** 64 } });
  });

  it("refuses a sequence with the wire type of text", () => {
    expect(read(fromHex("0a03666f6f 120101")).fault).toBe(WireFault.wrongWireType);
  });

  it("says of messages cut at any offset what the rules say", () => {
    fc.assert(
      fc.property(arbitraryMessage("pb.Ack", { short: true }).map(encodeAck), (whole) => {
        for (let end = 0; end <= whole.length; end++) expectViewAsReference("pb.Ack", whole.subarray(0, end), read);
      }),
    );
  });

  it("says of mutilated and of arbitrary bytes what the rules say, and never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(mutilated(arbitraryMessage("pb.Ack", { short: true }).map(encodeAck)), arbitraryBytes()),
        (bytes) => expectViewAsReference("pb.Ack", bytes, read),
      ),
      { numRuns: 1_000 },
    );
  });
});
