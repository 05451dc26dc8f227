export { type Ack, type AckView, ackView, decodeAck, encodeAck, readAck } from "./ack.ts";
export { isChannelNameRange } from "./channel-name.ts";
export {
  type CloseRequest,
  type CloseResponse,
  decodeCloseRequest,
  decodeCloseResponse,
  encodeCloseRequest,
  encodeCloseResponse,
} from "./close.ts";
export {
  type ConnectRequest,
  type ConnectResponse,
  decodeConnectRequest,
  decodeConnectResponse,
  encodeConnectRequest,
  encodeConnectResponse,
} from "./connect.ts";
export { channelCaseConflict, type StanError, stanErrors, startErrors, storeFailure } from "./errors.ts";
export { decodeMsgProto, encodeMsgProto, type MsgProto } from "./msg-proto.ts";
export {
  type MsgProtoView,
  msgProtoView,
  readMsgProto,
  readMsgProtoSequence,
  readMsgProtoTime,
  readMsgProtoTimestamp,
} from "./msg-proto-reader.ts";
export {
  appendRedelivery,
  encodeSubjectField,
  msgProtoSize,
  REDELIVERY_SIZE_MAX,
  subjectFieldSize,
  writeMsgProto,
  writeMsgProtoHead,
  writeMsgProtoTail,
} from "./msg-proto-writer.ts";
export {
  decodePing,
  decodePingResponse,
  encodePing,
  encodePingResponse,
  type Ping,
  type PingResponse,
} from "./ping.ts";
export { decodePubAck, encodePubAck, type PubAck, pubAckSize, writePubAck } from "./pub-ack.ts";
export { decodePubMsg, encodePubMsg, type PubMsg } from "./pub-msg.ts";
export { type PubMsgView, pubMsgView, readPubMsg } from "./pub-msg-reader.ts";
export { quoteByteString } from "./quote.ts";
export {
  type ClientSubjects,
  clientSubjects,
  DEFAULT_DISCOVER_PREFIX,
  pingSubject,
} from "./subjects.ts";
export {
  decodeSubscriptionRequest,
  decodeSubscriptionResponse,
  decodeUnsubscribeRequest,
  encodeSubscriptionRequest,
  encodeSubscriptionResponse,
  encodeUnsubscribeRequest,
  StartPosition,
  type SubscriptionRequest,
  type SubscriptionResponse,
  type UnsubscribeRequest,
} from "./subscription.ts";
