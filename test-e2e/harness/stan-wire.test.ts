import { describe, expect, it } from "vitest";
import {
  decodeConnectResponse,
  decodeCtrlMsg,
  decodeErrorOnly,
  decodeMsgProto,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeAck,
  encodeChannelNames,
  encodeCloseRequest,
  encodeConnectRequest,
  encodeCtrlMsg,
  encodePing,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  PARTITIONING,
  START_POSITION,
} from "./stan-wire.ts";

// The test client's own messages against bytes captured from the Go server and its clients: protocol.md 19.
const CONNECTION_ID = "CONNID0000000000000001";

describe("the test client's messages", () => {
  it("PROTO 19.1 encodes a connect request as captured", () => {
    const bytes = encodeConnectRequest({
      clientId: "me",
      heartbeatInbox: "_INBOX.HEARTBEAT00000000001",
      protocol: 1,
      connectionId: CONNECTION_ID,
      pingIntervalSeconds: 5,
      pingMaxOut: 88,
    });
    expect(bytes.toString("hex")).toBe(
      "0a026d65121b5f494e424f582e48454152544245415430303030303030303030311801" +
        "2216434f4e4e49443030303030303030303030303030303128053058",
    );
  });

  it("PROTO 19.1 decodes the captured connect response", () => {
    const bytes = Buffer.from(
      "0a165f5354414e2e7075622e746573742d636c757374657212165f5354414e2e7375622e746573742d636c75737465721a185f5354414e" +
        "2e756e7375622e746573742d636c757374657222185f5354414e2e636c6f73652e746573742d636c7573746572321b5f5354414e2e7375" +
        "62636c6f73652e746573742d636c75737465723a215f5354414e2e646973636f7665722e746573742d636c75737465722e70696e677340" +
        "0548585001",
      "hex",
    );
    expect(decodeConnectResponse(bytes)).toEqual({
      pubPrefix: "_STAN.pub.test-cluster",
      subRequests: "_STAN.sub.test-cluster",
      unsubRequests: "_STAN.unsub.test-cluster",
      closeRequests: "_STAN.close.test-cluster",
      subCloseRequests: "_STAN.subclose.test-cluster",
      pingRequests: "_STAN.discover.test-cluster.pings",
      pingIntervalSeconds: 5,
      pingMaxOut: 88,
      protocol: 1,
      error: "",
    });
  });

  it("PROTO 19.2 encodes a publish as captured and decodes its refusal", () => {
    const guid = "GUID000000000000000001";
    const bytes = encodePubMsg({ clientId: "me", guid, channel: "foo", data: "hello", connectionId: CONNECTION_ID });
    expect(bytes.toString("hex")).toBe(
      "0a026d651216475549443030303030303030303030303030303030311a03666f6f2a0568656c6c6f3216434f4e4e" +
        "494430303030303030303030303030303031",
    );
    const refusal = Buffer.from(
      "0a1647554944303030303030303030303030303030303033121d7374616e3a20696e76616c6964207075626c6973682072657175657374",
      "hex",
    );
    expect(decodePubAck(refusal)).toEqual({ guid: "GUID000000000000000003", error: "stan: invalid publish request" });
  });

  it("PROTO 19.3 encodes a subscription request as encoded there and decodes a response as captured", () => {
    const bytes = encodeSubscriptionRequest({
      clientId: "me",
      channel: "foo",
      queueGroup: "grp",
      inbox: "_INBOX.SUBSCRIPTION0000000001",
      maxInFlight: 16,
      ackWaitSeconds: 30,
      durableName: "dur",
      startPosition: START_POSITION.sequence,
      startSequence: 300,
    });
    expect(bytes.toString("hex")).toBe(
      "0a026d651203666f6f1a03677270221d5f494e424f582e535542534352495054494f4e3030303030303030303128" +
        "10301e3a03647572500358ac02",
    );
    const response = Buffer.from("121d5f494e424f582e787a634970434f577a714458586c7450316751315a58", "hex");
    expect(decodeSubscriptionResponse(response)).toEqual({ ackInbox: "_INBOX.xzcIpCOWzqDXXltP1gQ1ZX", error: "" });
  });

  it("PROTO 19.4 decodes a redelivered message as encoded there", () => {
    const bytes = Buffer.from("08ac021203666f6f1a03726570220568656c6c6f28959a97ece39fe7cb1730013803", "hex");
    expect(decodeMsgProto(bytes)).toEqual({
      sequence: 300,
      channel: "foo",
      reply: "rep",
      data: Buffer.from("hello"),
      timestamp: 1700000000123456789n,
      redelivered: true,
      redeliveryCount: 3,
    });
  });

  it("PROTO 19.5 encodes ack, unsubscribe, close and ping as captured", () => {
    expect(encodeAck("foo", 1).toString("hex")).toBe("0a03666f6f1001");
    expect(encodeUnsubscribeRequest("me", "foo", "_INBOX.xzcIpCOWzqDXXltP1gQ1ZX").toString("hex")).toBe(
      "0a026d651203666f6f1a1d5f494e424f582e787a634970434f577a714458586c7450316751315a58",
    );
    expect(encodeCloseRequest("me").toString("hex")).toBe("0a026d65");
    expect(encodePing(CONNECTION_ID).toString("hex")).toBe("0a16434f4e4e494430303030303030303030303030303031");
    expect(decodeErrorOnly(Buffer.from("0a167374616e3a20756e6b6e6f776e20636c69656e744944", "hex"))).toBe(
      "stan: unknown clientID",
    );
  });

  it("PROTO 19.7 encodes a channel list and decodes an objection as captured", () => {
    expect(encodeCtrlMsg(PARTITIONING, "SRV", encodeChannelNames(["foo", "bar"])).toString("hex")).toBe(
      "080412035352561a0a0300666f6f0300626172",
    );
    const objection = Buffer.from("0804121631594359383478764175654c6b61474c7834717050621a056261722e78", "hex");
    expect(decodeCtrlMsg(objection)).toEqual({
      type: PARTITIONING,
      serverId: "1YCY84xvAueLkaGLx4qpPb",
      data: Buffer.from("bar.x"),
    });
  });
});
