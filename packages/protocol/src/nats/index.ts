export { CONNECT_DEFAULTS, type ConnectDecode, type ConnectOptions, decodeConnect } from "./connect-options.ts";
export { decimalLength, readSize, writeDecimal } from "./decimal.ts";
export {
  describeFault,
  ERROR_TEXT,
  type ErrorText,
  errorText,
  faultReply,
  type ParseFault,
} from "./faults.ts";
export type { InterestFrame, MessageFrame, SubscribeFrame, UnsubscribeFrame } from "./frame.ts";
export type { CommonLineHandler, LineHandler, RouteLineHandler } from "./line-handler.ts";
export {
  createLineParser,
  type LineParser,
  type LineParserLimits,
  type LineParserOptions,
  MAX_CONTROL_LINE_DEFAULT,
  MAX_PAYLOAD_DEFAULT,
} from "./line-parser.ts";
export { decodeRouteConnect, encodeRouteConnect, type RouteConnect, type RouteConnectDecode } from "./route-connect.ts";
export { decodeRouteInfo, encodeRouteInfo, type RouteInfo, type RouteInfoDecode } from "./route-info.ts";
export {
  encodeInterestGained,
  encodeInterestLost,
  GLOBAL_ACCOUNT,
} from "./route-writers.ts";
export { decodeInfo, encodeInfo, type ServerInfo } from "./server-info.ts";
export type { Side } from "./verbs.ts";
export {
  encodeConnect,
  encodeDelivery,
  encodeError,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  NO_RESPONDERS_HEADERS,
  OK_LINE,
  type OutgoingMessage,
  PING_LINE,
  PONG_LINE,
} from "./writers.ts";
