import { timestampNanos } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { ascii, fromHex, toHex } from "../../test-support/hex.ts";
import type { Decoded } from "../wire/fault.ts";
import {
  type Ack,
  type CloseRequest,
  type CloseResponse,
  type ConnectRequest,
  type ConnectResponse,
  decodeAck,
  decodeCloseRequest,
  decodeCloseResponse,
  decodeConnectRequest,
  decodeConnectResponse,
  decodeMsgProto,
  decodePing,
  decodePingResponse,
  decodePubAck,
  decodePubMsg,
  decodeSubscriptionRequest,
  decodeSubscriptionResponse,
  decodeUnsubscribeRequest,
  encodeAck,
  encodeCloseRequest,
  encodeCloseResponse,
  encodeConnectRequest,
  encodeConnectResponse,
  encodeMsgProto,
  encodePing,
  encodePingResponse,
  encodePubAck,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeSubscriptionResponse,
  encodeUnsubscribeRequest,
  type MsgProto,
  type Ping,
  type PingResponse,
  type PubAck,
  type PubMsg,
  StartPosition,
  type SubscriptionRequest,
  type SubscriptionResponse,
  stanErrors,
  type UnsubscribeRequest,
} from "./index.ts";

/** A message both ways: `bytes` decode to `fields` (the rest at its default), and `fields` encode to `bytes`. */
function vector<T extends object>(
  name: string,
  encode: (value: Partial<T>) => Uint8Array,
  decode: (bytes: Uint8Array) => Decoded<T>,
  fields: Partial<T>,
  bytes: string,
): void {
  it(name, () => {
    const empty = decode(new Uint8Array(0));
    if (empty.kind !== "ok") throw new Error("empty bytes are a valid message");
    expect(decode(fromHex(bytes))).toEqual({ kind: "ok", value: { ...empty.value, ...fields } });
    expect(toHex(encode(fields))).toBe(bytes.replaceAll(/\s/g, ""));
  });
}

const connect = (name: string, fields: Partial<ConnectRequest>, bytes: string) =>
  vector(name, encodeConnectRequest, decodeConnectRequest, fields, bytes);
const connected = (name: string, fields: Partial<ConnectResponse>, bytes: string) =>
  vector(name, encodeConnectResponse, decodeConnectResponse, fields, bytes);
const publish = (name: string, fields: Partial<PubMsg>, bytes: string) =>
  vector(name, encodePubMsg, decodePubMsg, fields, bytes);
const published = (name: string, fields: Partial<PubAck>, bytes: string) =>
  vector(name, encodePubAck, decodePubAck, fields, bytes);
const subscribe = (name: string, fields: Partial<SubscriptionRequest>, bytes: string) =>
  vector(name, encodeSubscriptionRequest, decodeSubscriptionRequest, fields, bytes);
const subscribed = (name: string, fields: Partial<SubscriptionResponse>, bytes: string) =>
  vector(name, encodeSubscriptionResponse, decodeSubscriptionResponse, fields, bytes);
const message = (name: string, fields: Partial<MsgProto>, bytes: string) =>
  vector(name, encodeMsgProto, decodeMsgProto, fields, bytes);
const ack = (name: string, fields: Partial<Ack>, bytes: string) => vector(name, encodeAck, decodeAck, fields, bytes);
const unsubscribe = (name: string, fields: Partial<UnsubscribeRequest>, bytes: string) =>
  vector(name, encodeUnsubscribeRequest, decodeUnsubscribeRequest, fields, bytes);
const close = (name: string, fields: Partial<CloseRequest>, bytes: string) =>
  vector(name, encodeCloseRequest, decodeCloseRequest, fields, bytes);
const closed = (name: string, fields: Partial<CloseResponse>, bytes: string) =>
  vector(name, encodeCloseResponse, decodeCloseResponse, fields, bytes);
const ping = (name: string, fields: Partial<Ping>, bytes: string) =>
  vector(name, encodePing, decodePing, fields, bytes);
const pinged = (name: string, fields: Partial<PingResponse>, bytes: string) =>
  vector(name, encodePingResponse, decodePingResponse, fields, bytes);

const heartbeatInbox = "_INBOX.HEARTBEAT00000000001";
const inbox = "_INBOX.SUBSCRIPTION0000000001";
const ackInbox = "_INBOX.xzcIpCOWzqDXXltP1gQ1ZX";
const connId = ascii("CONNID0000000000000001");
const guid = (n: number) => `GUID00000000000000000${n}`;
const oldSubjects = {
  pubPrefix: "_STAN.pub.test-cluster",
  subRequests: "_STAN.sub.test-cluster",
  unsubRequests: "_STAN.unsub.test-cluster",
  closeRequests: "_STAN.close.test-cluster",
  subCloseRequests: "_STAN.subclose.test-cluster",
  protocol: 1,
};
const subjects = {
  ...oldSubjects,
  pingRequests: "_STAN.discover.test-cluster.pings",
  pingInterval: 5,
  pingMaxOut: 88,
};

const CONNECT_RESPONSE = `
  0a165f5354414e2e7075622e746573742d636c757374657212165f5354414e2e7375622e746573742d636c757374
  65721a185f5354414e2e756e7375622e746573742d636c757374657222185f5354414e2e636c6f73652e74657374
  2d636c7573746572321b5f5354414e2e737562636c6f73652e746573742d636c75737465723a215f5354414e2e64
  6973636f7665722e746573742d636c75737465722e70696e6773400548585001`;

describe("19.1 Connect", () => {
  connect(
    "19.1 ConnectRequest of protocol 1",
    { clientId: "me", heartbeatInbox, protocol: 1, connId, pingInterval: 5, pingMaxOut: 88 },
    `0a026d65121b5f494e424f582e484541525442454154303030303030303030303118012216434f4e4e4944303030
     3030303030303030303030303128053058`,
  );
  connected("19.1 ConnectResponse to protocol 1", subjects, CONNECT_RESPONSE);
  connect(
    "19.1 ConnectRequest of protocol 0",
    { clientId: "me0", heartbeatInbox },
    "0a036d6530121b5f494e424f582e4845415254424541543030303030303030303031",
  );
  connected(
    "19.1 ConnectResponse to protocol 0",
    oldSubjects,
    `0a165f5354414e2e7075622e746573742d636c757374657212165f5354414e2e7375622e746573742d636c757374
     65721a185f5354414e2e756e7375622e746573742d636c757374657222185f5354414e2e636c6f73652e74657374
     2d636c7573746572321b5f5354414e2e737562636c6f73652e746573742d636c75737465725001`,
  );
  connected(
    "19.1 ConnectResponse that refuses a client ID already registered",
    { error: stanErrors.duplicateClient.text },
    "2a217374616e3a20636c69656e74494420616c72656164792072656769737465726564",
  );
  connected("19.1 ConnectResponse with only a public key", { publicKey: "pk" }, "a20602706b");
});

describe("19.2 Publish", () => {
  const hello = ascii("hello");
  publish(
    "19.2 PubMsg",
    { clientId: "me", guid: guid(1), subject: "foo", data: hello, connId },
    `0a026d651216475549443030303030303030303030303030303030311a03666f6f2a0568656c6c6f3216434f4e4e
     494430303030303030303030303030303031`,
  );
  published("19.2 PubAck", { guid: guid(1) }, "0a1647554944303030303030303030303030303030303031");
  publish(
    "19.2 PubMsg with reply and sha256",
    {
      clientId: "me",
      guid: guid(2),
      subject: "foo",
      reply: "rep",
      data: ascii("world"),
      connId,
      sha256: fromHex("01020304"),
    },
    `0a026d651216475549443030303030303030303030303030303030321a03666f6f22037265702a05776f726c6432
     16434f4e4e494430303030303030303030303030303031520401020304`,
  );
  publish(
    "19.2 PubMsg of an unknown client",
    { clientId: "nobody", guid: guid(3), subject: "foo", data: hello },
    "0a066e6f626f64791216475549443030303030303030303030303030303030331a03666f6f2a0568656c6c6f",
  );
  published(
    "19.2 PubAck that refuses an unknown client",
    { guid: guid(3), error: stanErrors.invalidPublish.text },
    `0a1647554944303030303030303030303030303030303033121d7374616e3a20696e76616c6964207075626c6973
     682072657175657374`,
  );
  publish(
    "19.2 PubMsg with 300 zero bytes of data",
    { clientId: "me", guid: "g", subject: "foo", data: new Uint8Array(300) },
    `0a026d651201671a03666f6f2aac02${"00".repeat(300)}`,
  );
});

describe("19.3 Subscribe", () => {
  const common = { clientId: "me", subject: "foo", inbox, maxInFlight: 1024, ackWaitInSecs: 1 };
  const commonHex = "0a026d651203666f6f221d5f494e424f582e535542534352495054494f4e303030303030303030312880083001";
  subscribe(
    "19.3 SubscriptionRequest from the first message",
    { ...common, startPosition: StartPosition.first },
    `${commonHex}5004`,
  );
  subscribe(
    "19.3 SubscriptionRequest of a durable queue group from a sequence",
    {
      clientId: "me",
      subject: "foo",
      qGroup: "grp",
      inbox,
      maxInFlight: 16,
      ackWaitInSecs: 30,
      durableName: "dur",
      startPosition: StartPosition.sequenceStart,
      startSequence: 300n,
    },
    `0a026d651203666f6f1a03677270221d5f494e424f582e535542534352495054494f4e3030303030303030303128
     10301e3a03647572500358ac02`,
  );
  subscribe(
    "19.3 SubscriptionRequest with a time delta of 1.5 s",
    { ...common, startPosition: StartPosition.timeDeltaStart, startTimeDelta: 1_500_000_000n },
    `${commonHex}50026080dea0cb05`,
  );
  subscribe(
    "19.3 SubscriptionRequest with a time delta of -1 s",
    { ...common, startPosition: StartPosition.timeDeltaStart, startTimeDelta: -1_000_000_000n },
    `${commonHex}50026080ec94a3fcffffffff01`,
  );
  subscribe(
    "19.3 SubscriptionRequest with negative int32",
    { clientId: "me", maxInFlight: -1, ackWaitInSecs: -1 },
    "0a026d6528ffffffffffffffffff0130ffffffffffffffffff01",
  );
  subscribed(
    "19.3 SubscriptionResponse",
    { ackInbox },
    "121d5f494e424f582e787a634970434f577a714458586c7450316751315a58",
  );
  subscribed(
    "19.3 SubscriptionResponse: invalid subscription",
    { error: stanErrors.invalidSubscription.text },
    "1a1a7374616e3a20696e76616c696420737562736372697074696f6e",
  );
  subscribed(
    "19.3 SubscriptionResponse: unknown channel",
    { error: stanErrors.unknownChannel.text },
    "1a157374616e3a20756e6b6e6f776e206368616e6e656c",
  );
});

describe("19.4 MsgProto", () => {
  const foo = { sequence: 1n, subject: "foo" };
  const captured = { ...foo, data: ascii("hello"), timestamp: timestampNanos(1_795_354_993_841_807_296n) };
  const early = timestampNanos(1_700_000_000_123_456_789n);
  message("19.4 first message", captured, "08011203666f6f220568656c6c6f28c0bfa8edacbb98f518");
  message(
    "19.4 first redelivery",
    { ...captured, redelivered: true, redeliveryCount: 1 },
    "08011203666f6f220568656c6c6f28c0bfa8edacbb98f51830013801",
  );
  message(
    "19.4 with a reply",
    {
      sequence: 2n,
      subject: "foo",
      reply: "rep",
      data: ascii("world"),
      timestamp: timestampNanos(1_795_354_993_842_105_128n),
    },
    "08021203666f6f1a037265702205776f726c6428a8d6baedacbb98f518",
  );
  message(
    "19.4 time of 2023",
    { ...foo, data: ascii("hello"), timestamp: early },
    "08011203666f6f220568656c6c6f28959a97ece39fe7cb17",
  );
  message(
    "19.4 third redelivery of sequence 300",
    {
      sequence: 300n,
      subject: "foo",
      reply: "rep",
      data: ascii("hello"),
      timestamp: early,
      redelivered: true,
      redeliveryCount: 3,
    },
    "08ac021203666f6f1a03726570220568656c6c6f28959a97ece39fe7cb1730013803",
  );
  message("19.4 with a CRC32", { ...foo, crc32: 0xdeadbeef }, "08011203666f6f50effdb6f50d");
  message(
    "19.4 sequence 2^63+1, timestamp -1",
    { sequence: 2n ** 63n + 1n, subject: "foo", timestamp: timestampNanos(-1n) },
    "08818080808080808080011203666f6f28ffffffffffffffffff01",
  );
  message(
    "19.4 all numbers at their largest",
    {
      sequence: 2n ** 64n - 1n,
      subject: "foo",
      timestamp: timestampNanos(2n ** 63n - 1n),
      redelivered: true,
      redeliveryCount: 2 ** 32 - 1,
      crc32: 2 ** 32 - 1,
    },
    "08ffffffffffffffffff011203666f6f28ffffffffffffffff7f300138ffffffff0f50ffffffff0f",
  );
  message(
    "19.4 timestamp -2^63",
    { ...foo, timestamp: timestampNanos(-(2n ** 63n)) },
    "08011203666f6f2880808080808080808001",
  );
  message("19.4 all defaults", {}, "");
});

describe("19.5 Ack, unsubscribe, close, ping", () => {
  ack("19.5 Ack foo 1", { subject: "foo", sequence: 1n }, "0a03666f6f1001");
  ack("19.5 Ack foo 2", { subject: "foo", sequence: 2n }, "0a03666f6f1002");
  unsubscribe(
    "19.5 UnsubscribeRequest",
    { clientId: "me", subject: "foo", inbox: ackInbox },
    "0a026d651203666f6f1a1d5f494e424f582e787a634970434f577a714458586c7450316751315a58",
  );
  subscribed("19.5 success response to UnsubscribeRequest", {}, "");
  close("19.5 CloseRequest", { clientId: "me" }, "0a026d65");
  closed("19.5 CloseResponse of success", {}, "");
  closed(
    "19.5 CloseResponse: unknown client ID",
    { error: stanErrors.unknownClient.text },
    "0a167374616e3a20756e6b6e6f776e20636c69656e744944",
  );
  ping("19.5 Ping", { connId }, "0a16434f4e4e494430303030303030303030303030303031");
  pinged("19.5 PingResponse of success", {}, "");
  ping("19.5 Ping of nobody", { connId: ascii("NOPE") }, "0a044e4f5045");
  pinged(
    "19.5 PingResponse: client replaced",
    { error: stanErrors.clientReplaced.text },
    `0a33636c69656e7420686173206265656e207265706c61636564206f72206973206e6f206c6f6e67657220726567
     69737465726564`,
  );
});

describe("19.6 A complete exchange", () => {
  const connId1 = ascii("cdOIcfR5HZ4UAxYO4wl61G");
  connect(
    "19.6 the publisher connects",
    {
      clientId: "pub1",
      heartbeatInbox: "_INBOX.cdOIcfR5HZ4UAxYO4wl65O",
      protocol: 1,
      connId: connId1,
      pingInterval: 5,
      pingMaxOut: 88,
    },
    `0a0470756231121d5f494e424f582e63644f4963665235485a34554178594f34776c36354f18012216
     63644f4963665235485a34554178594f34776c36314728053058`,
  );
  connected("19.6 the server answers", subjects, CONNECT_RESPONSE);
  publish(
    "19.6 the publisher publishes",
    { clientId: "pub1", guid: "hESnM9Ve8QRvnWAK0dbZMF", subject: "foo", data: ascii("hello"), connId: connId1 },
    `0a047075623112166845536e4d395665385152766e57414b3064625a4d461a03666f6f2a0568656c6c6f3216
     63644f4963665235485a34554178594f34776c363147`,
  );
  published(
    "19.6 the message is stored",
    { guid: "hESnM9Ve8QRvnWAK0dbZMF" },
    "0a166845536e4d395665385152766e57414b3064625a4d46",
  );
  close("19.6 the publisher closes", { clientId: "pub1" }, "0a0470756231");
  closed("19.6 the publisher is closed", {}, "");
  subscribe(
    "19.6 the subscriber subscribes",
    {
      clientId: "sub1",
      subject: "foo",
      qGroup: "grp",
      inbox: "_INBOX.2TwXIbAJaCRFSEjrWOVqNT",
      maxInFlight: 1024,
      ackWaitInSecs: 30,
      durableName: "dur",
      startPosition: StartPosition.first,
    },
    `0a04737562311203666f6f1a03677270221d5f494e424f582e325477584962414a6143524653456a72574f56714e54
     288008301e3a036475725004`,
  );
  subscribed(
    "19.6 the subscription is made",
    { ackInbox: "_INBOX.uadbv3nMp0ndrravlK363Z" },
    "121d5f494e424f582e7561646276336e4d70306e64727261766c4b3336335a",
  );
  message(
    "19.6 the message is delivered",
    { sequence: 1n, subject: "foo", data: ascii("hello"), timestamp: timestampNanos(1_795_356_009_159_552_315n) },
    "08011203666f6f220568656c6c6f28bbdac59af3d898f518",
  );
  ack("19.6 the subscriber acknowledges", { subject: "foo", sequence: 1n }, "0a03666f6f1001");
  close("19.6 the subscriber closes", { clientId: "sub1" }, "0a0473756231");
});
