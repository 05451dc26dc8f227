import { encodeChannelList, encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { describe, expect, it } from "vitest";
import { encodeChannelListReply, readChannelListReply, readChannelListRequest } from "./answering.ts";

const SERVER_ID = "GgoICesjj9xGmQK5JEayWA";
const REPLY_OK = `08041216${Buffer.from(SERVER_ID).toString("hex")}`;
const REPLY_CONFLICT = "0804121647676f494365736a6a3978476d514b354a45617957411a03626172";
const REQUEST = `${REPLY_OK}1a0a03006261720300666f6f`;

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const withData = (data: Uint8Array, msgType = 4): Uint8Array => encodeCtrlMsg({ msgType, serverId: SERVER_ID, data });

describe("readChannelListRequest()", () => {
  it("reads the recorded request", () => {
    expect(readChannelListRequest(bytes(REQUEST), "_INBOX.x", "me")).toEqual({
      kind: "list",
      serverId: SERVER_ID,
      channels: ["bar", "foo"],
      isProbe: false,
    });
  });

  it("knows a question that claims nothing by its reference", () => {
    const probe = encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList(["foo"]), refId: "probe" });
    expect(readChannelListRequest(probe, "_INBOX.x", "me")).toMatchObject({ kind: "list", isProbe: true });
  });

  it("PART-03 ignores an empty payload, a request without reply subject, and its own list", () => {
    expect(readChannelListRequest(new Uint8Array(0), "_INBOX.x", "me").kind).toBe("ignored");
    expect(readChannelListRequest(bytes(REQUEST), "", "me").kind).toBe("ignored");
    expect(readChannelListRequest(bytes(REQUEST), "_INBOX.x", SERVER_ID).kind).toBe("ignored");
  });

  it("PART-03 finds undecodable what is no CtrlMsg", () => {
    expect(readChannelListRequest(Buffer.from("hello"), "_INBOX.x", "me")).toMatchObject({ kind: "unreadable" });
  });

  it("PART-03 says where a truncated list breaks off, to the letter", () => {
    const whole = encodeChannelList(["bar", "foo"]);
    const reason = (data: Uint8Array): unknown => readChannelListRequest(withData(data), "_INBOX.x", "me");
    expect(reason(whole.subarray(0, 6))).toEqual({ kind: "unreadable", reason: "unable to decode size, pos=5 len=6" });
    expect(reason(whole.subarray(0, 8))).toEqual({
      kind: "unreadable",
      reason: "unable to decode channel, pos=7 len=3 max=8 (string=f)",
    });
  });

  it("does not look at the type, and takes an empty list", () => {
    expect(readChannelListRequest(withData(new Uint8Array(0), 3), "_INBOX.x", "me")).toMatchObject({
      kind: "list",
      channels: [],
    });
  });

  it("PART-03 never throws, wherever a request is cut or bent", () => {
    const request = bytes(REQUEST);
    for (let at = 0; at <= request.length; at++) {
      readChannelListRequest(request.subarray(0, at), "_INBOX.x", "me");
      for (const flip of [0x01, 0x80, 0xff]) {
        const bent = request.slice();
        if (at < bent.length) bent[at]! ^= flip;
        const { kind } = readChannelListRequest(bent, "_INBOX.x", "me");
        expect(["ignored", "unreadable", "list"]).toContain(kind);
      }
    }
  });
});

describe("replies", () => {
  it("are encoded as recorded", () => {
    expect(hex(encodeChannelListReply(SERVER_ID, ""))).toBe(REPLY_OK);
    expect(hex(encodeChannelListReply(SERVER_ID, "bar"))).toBe(REPLY_CONFLICT);
  });

  it("are read as recorded", () => {
    expect(readChannelListReply(bytes(REPLY_OK))).toEqual({ kind: "accepted", serverId: SERVER_ID });
    expect(readChannelListReply(bytes(REPLY_CONFLICT))).toEqual({ kind: "conflict", serverId: SERVER_ID, name: "bar" });
    expect(readChannelListReply(Buffer.from("hello"))).toMatchObject({ kind: "undecodable" });
  });

  it("carry a name that is not UTF-8 unchanged", () => {
    const reply = encodeChannelListReply(SERVER_ID, "\u00ff\u00e9");
    expect(readChannelListReply(reply)).toEqual({ kind: "conflict", serverId: SERVER_ID, name: "\u00ff\u00e9" });
  });
});
