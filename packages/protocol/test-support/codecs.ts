import * as spb from "../src/spb/index.ts";
import * as stan from "../src/stan/index.ts";
import type { Decoded } from "../src/wire/fault.ts";

/** A message's own codec with its name in the `.proto` files. */
export interface CodecUnderTest {
  readonly type: string;
  encode(value: Record<string, unknown>): Uint8Array;
  decode(bytes: Uint8Array, start?: number, end?: number): Decoded<Record<string, unknown>>;
}

function codec<T>(
  type: string,
  encode: (value: Partial<T>) => Uint8Array,
  decode: (bytes: Uint8Array, start?: number, end?: number) => Decoded<T>,
): CodecUnderTest {
  return {
    type,
    encode: (value) => encode(value as Partial<T>),
    decode: (bytes, start, end) => decode(bytes, start, end) as Decoded<Record<string, unknown>>,
  };
}

/** Every message that is decoded into a value. */
export const codecs: readonly CodecUnderTest[] = [
  codec("pb.ConnectRequest", stan.encodeConnectRequest, stan.decodeConnectRequest),
  codec("pb.ConnectResponse", stan.encodeConnectResponse, stan.decodeConnectResponse),
  codec("pb.Ping", stan.encodePing, stan.decodePing),
  codec("pb.PingResponse", stan.encodePingResponse, stan.decodePingResponse),
  codec("pb.PubMsg", stan.encodePubMsg, stan.decodePubMsg),
  codec("pb.PubAck", stan.encodePubAck, stan.decodePubAck),
  codec("pb.MsgProto", stan.encodeMsgProto, stan.decodeMsgProto),
  codec("pb.Ack", stan.encodeAck, stan.decodeAck),
  codec("pb.SubscriptionRequest", stan.encodeSubscriptionRequest, stan.decodeSubscriptionRequest),
  codec("pb.SubscriptionResponse", stan.encodeSubscriptionResponse, stan.decodeSubscriptionResponse),
  codec("pb.UnsubscribeRequest", stan.encodeUnsubscribeRequest, stan.decodeUnsubscribeRequest),
  codec("pb.CloseRequest", stan.encodeCloseRequest, stan.decodeCloseRequest),
  codec("pb.CloseResponse", stan.encodeCloseResponse, stan.decodeCloseResponse),
  codec("spb.SubState", spb.encodeSubState, spb.decodeSubState),
  codec("spb.SubStateDelete", spb.encodeSubStateDelete, spb.decodeSubStateDelete),
  codec("spb.SubStateUpdate", spb.encodeSubStateUpdate, spb.decodeSubStateUpdate),
  codec("spb.ServerInfo", spb.encodeServerInfo, spb.decodeServerInfo),
  codec("spb.ClientInfo", spb.encodeClientInfo, spb.decodeClientInfo),
  codec("spb.ClientDelete", spb.encodeClientDelete, spb.decodeClientDelete),
  codec("spb.CtrlMsg", spb.encodeCtrlMsg, spb.decodeCtrlMsg),
  codec("spb.RaftJoinRequest", spb.encodeRaftJoinRequest, spb.decodeRaftJoinRequest),
  codec("spb.RaftJoinResponse", spb.encodeRaftJoinResponse, spb.decodeRaftJoinResponse),
];
