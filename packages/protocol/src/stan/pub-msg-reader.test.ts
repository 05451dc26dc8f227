import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ascii, fromHex } from "../../test-support/hex.ts";
import { arbitraryBytes, arbitraryMessage, mutilated } from "../../test-support/messages.ts";
import { expectViewAsReference, type FieldsOfView } from "../../test-support/view.ts";
import { byteString } from "../wire/byte-string.ts";
import { WireFault } from "../wire/fault.ts";
import { encodePubMsg, type PubMsg } from "./pub-msg.ts";
import { pubMsgView, readPubMsg } from "./pub-msg-reader.ts";

const view = pubMsgView();

function read(bytes: Uint8Array, start = 0, end = bytes.length): { fault: WireFault; fields: FieldsOfView } {
  const fault = readPubMsg(view, bytes, start, end);
  return {
    fault,
    fields: {
      clientId: byteString(view.bytes, view.clientIdStart, view.clientIdEnd),
      guid: byteString(view.bytes, view.guidStart, view.guidEnd),
      subject: byteString(view.bytes, view.subjectStart, view.subjectEnd),
      reply: byteString(view.bytes, view.replyStart, view.replyEnd),
      data: byteString(view.bytes, view.dataStart, view.dataEnd),
      connId: byteString(view.bytes, view.connIdStart, view.connIdEnd),
    },
  };
}

describe("readPubMsg", () => {
  it("shows every field as a range of the buffer, between other bytes", () => {
    const message = encodePubMsg({
      clientId: "me",
      guid: "g1",
      subject: "foo",
      reply: "rep",
      data: ascii("hello"),
      connId: ascii("c1"),
      sha256: ascii("ignored"),
    });
    const bytes = new Uint8Array([0xff, 0xff, ...message, 0xff]);

    expect(read(bytes, 2, 2 + message.length)).toEqual({
      fault: WireFault.none,
      fields: { clientId: "me", guid: "g1", subject: "foo", reply: "rep", data: "hello", connId: "c1" },
    });
    expect(view.bytes).toBe(bytes);
  });

  it("forgets the message that was read before", () => {
    read(encodePubMsg({ clientId: "me", guid: "g", subject: "foo", reply: "r", data: ascii("d"), connId: ascii("c") }));
    expect(read(new Uint8Array(0))).toEqual({
      fault: WireFault.none,
      fields: { clientId: "", guid: "", subject: "", reply: "", data: "", connId: "" },
    });
  });

  it("keeps the guid of a message that is cut off after it", () => {
    const whole = encodePubMsg({ clientId: "me", guid: "g1", subject: "foo", data: ascii("hello") });
    expect(read(whole, 0, whole.length - 1)).toMatchObject({
      fault: WireFault.truncated,
      fields: { clientId: "me", guid: "g1", subject: "foo", data: "" },
    });
  });

  it("accepts tags and lengths that are longer than they need be", () => {
    expect(read(fromHex("928000 8200 6731 9a80808000 83808000 666f6f"))).toMatchObject({
      fault: WireFault.none,
      fields: { guid: "g1", subject: "foo" },
    });
  });

  it("refuses a length of 2^32 and more, which is beyond every message", () => {
    expect(read(fromHex("12 8180808010 67")).fault).toBe(WireFault.truncated);
  });

  it("says of random messages what the rules say", () => {
    fc.assert(
      fc.property(arbitraryMessage<PubMsg>("pb.PubMsg"), (value) => {
        const { sha256: _, data, connId, ...texts } = value;
        expect(read(encodePubMsg(value))).toEqual({
          fault: WireFault.none,
          fields: { ...texts, data: byteString(data), connId: byteString(connId) },
        });
      }),
    );
  });

  it("says of messages cut at any offset what the rules say", () => {
    fc.assert(
      fc.property(arbitraryMessage("pb.PubMsg", { short: true }).map(encodePubMsg), (whole) => {
        for (let end = 0; end < whole.length; end++) {
          expectViewAsReference("pb.PubMsg", whole.subarray(0, end), read);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("says of mutilated and of arbitrary bytes what the rules say, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(mutilated(arbitraryMessage("pb.PubMsg").map(encodePubMsg)), arbitraryBytes()), (bytes) =>
        expectViewAsReference("pb.PubMsg", bytes, read),
      ),
      { numRuns: 1_000 },
    );
  });
});
