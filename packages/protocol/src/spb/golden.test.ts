import { describe, expect, it } from "vitest";
import { ascii, fromHex, toHex } from "../../test-support/hex.ts";
import { clientSubjects, decodeConnectRequest, encodeConnectRequest } from "../stan/index.ts";
import type { Decoded } from "../wire/fault.ts";
import {
  CtrlMsgType,
  decodeActivationTime,
  decodeChannelList,
  decodeClientDelete,
  decodeClientInfo,
  decodeCtrlMsg,
  decodeRaftJoinRequest,
  decodeServerInfo,
  decodeSubState,
  decodeSubStateDelete,
  decodeSubStateUpdate,
  encodeActivationTime,
  encodeChannelList,
  encodeClientDelete,
  encodeClientInfo,
  encodeCtrlMsg,
  encodeRaftJoinRequest,
  encodeServerInfo,
  encodeSubState,
  encodeSubStateDelete,
  encodeSubStateUpdate,
} from "./index.ts";

/** A message both ways: `bytes` decode to `fields` (the rest at its default), and `fields` encode to `bytes`. */
function check<T extends object>(
  encode: (value: Partial<T>) => Uint8Array,
  decode: (bytes: Uint8Array) => Decoded<T>,
  fields: Partial<T>,
  bytes: string,
): void {
  const empty = decode(new Uint8Array(0));
  if (empty.kind !== "ok") throw new Error("empty bytes are a valid message");
  expect(decode(fromHex(bytes))).toEqual({ kind: "ok", value: { ...empty.value, ...fields } });
  expect(toHex(encode(fields))).toBe(bytes.replaceAll(/\s/g, ""));
}

const { partitioning, ftHeartbeat } = CtrlMsgType;

describe("19.7 Storage and inter-server messages", () => {
  it("19.7 ServerInfo with the default subjects", () => {
    const { pings: _, ...subjects } = clientSubjects({ clusterId: "test-cluster" });
    check(
      encodeServerInfo,
      decodeServerInfo,
      { clusterId: "test-cluster", ...subjects },
      `0a0c746573742d636c7573746572121b5f5354414e2e646973636f7665722e746573742d636c75737465721a16
       5f5354414e2e7075622e746573742d636c757374657222165f5354414e2e7375622e746573742d636c7573746572
       2a185f5354414e2e756e7375622e746573742d636c757374657232185f5354414e2e636c6f73652e746573742d63
       6c75737465723a1b5f5354414e2e737562636c6f73652e746573742d636c757374657242165f5354414e2e61636b
       2e746573742d636c7573746572`,
    );
  });

  it("19.7 ClientInfo", () => {
    check(
      encodeClientInfo,
      decodeClientInfo,
      {
        id: "me",
        hbInbox: "_INBOX.HEARTBEAT00000000001",
        connId: ascii("CONNID0000000000000001"),
        protocol: 1,
        pingInterval: 5,
        pingMaxOut: 88,
      },
      `0a026d65121b5f494e424f582e48454152544245415430303030303030303030311a16434f4e4e4944303030303030
       30303030303030303031200128053058`,
    );
  });

  it("19.7 ClientDelete", () => {
    check(encodeClientDelete, decodeClientDelete, { id: "me" }, "0a026d65");
  });

  it("19.7 SubState of a durable queue group", () => {
    check(
      encodeSubState,
      decodeSubState,
      {
        id: 1,
        clientId: "me",
        qGroup: "dur:grp",
        inbox: "in",
        ackInbox: "ack",
        maxInFlight: 16,
        ackWaitInSecs: 30,
        lastSent: 7,
        isDurable: true,
      },
      "080112026d651a076475723a6772702202696e2a0361636b3010381e48075001",
    );
  });

  it("19.7 SubState of a closed durable", () => {
    check(
      encodeSubState,
      decodeSubState,
      {
        id: 3,
        clientId: "me",
        inbox: "in",
        ackInbox: "ack",
        maxInFlight: 1,
        ackWaitInSecs: 30,
        durableName: "dur",
        lastSent: 10,
        isDurable: true,
        isClosed: true,
      },
      "080312026d652202696e2a0361636b3001381e4203647572480a50015801",
    );
  });

  it("19.7 SubStateUpdate", () => {
    check(encodeSubStateUpdate, decodeSubStateUpdate, { id: 1, seqno: 300 }, "080110ac02");
  });

  it("19.7 SubStateDelete", () => {
    check(encodeSubStateDelete, decodeSubStateDelete, { id: 1 }, "0801");
  });

  it.each([
    ["19.7 partition list", "SRV", ["foo", "bar"], "080412035352561a0a0300666f6f0300626172"],
    [
      "19.7 partition list of a server with foo and bar.*",
      "1YCY84xvAueLkaGLx4qpPb",
      ["foo", "bar.*"],
      "0804121631594359383478764175654c6b61474c7834717050621a0c0300666f6f05006261722e2a",
    ],
  ])("%s", (_name, serverId, channels, bytes) => {
    const data = encodeChannelList(channels);
    check(encodeCtrlMsg, decodeCtrlMsg, { msgType: partitioning, serverId, data }, bytes);
    expect(decodeChannelList(data)).toEqual({ kind: "ok", channels });
  });

  it("19.7 conflict answer naming bar.x", () => {
    check(
      encodeCtrlMsg,
      decodeCtrlMsg,
      { msgType: partitioning, serverId: "1YCY84xvAueLkaGLx4qpPb", data: ascii("bar.x") },
      "0804121631594359383478764175654c6b61474c7834717050621a056261722e78",
    );
  });

  it("19.7 no-conflict answer", () => {
    check(
      encodeCtrlMsg,
      decodeCtrlMsg,
      { msgType: partitioning, serverId: "14ZEWMlKU3eyXLgrmlpah3" },
      "0804121631345a45574d6c4b55336579584c67726d6c70616833",
    );
  });

  it("19.7 FT heartbeat", () => {
    const data = encodeActivationTime({ millis: Date.UTC(2023, 10, 14, 22, 13, 20, 123), nanos: 456_789 });
    check(
      encodeCtrlMsg,
      decodeCtrlMsg,
      { msgType: ftHeartbeat, serverId: "SRV", data },
      "080312035352561a0f010000000edce5e800075bcd15ffff",
    );
    expect(decodeActivationTime(data)).toEqual({ kind: "ok", nanos: 1_700_000_000_123_456_789n });
  });

  it("19.7 start-up probe", () => {
    check(
      encodeConnectRequest,
      decodeConnectRequest,
      { clientId: "my.cluster", heartbeatInbox: "_INBOX.9VOyBhutlMTBHZcIjMmw9W" },
      "0a0a6d792e636c7573746572121d5f494e424f582e39564f79426875746c4d5442485a63496a4d6d773957",
    );
  });

  it("19.7 RaftJoinRequest", () => {
    check(
      encodeRaftJoinRequest,
      decodeRaftJoinRequest,
      { nodeId: "a", nodeAddr: "test-cluster.a.test-cluster" },
      "0a0161121b746573742d636c75737465722e612e746573742d636c7573746572",
    );
  });
});
