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
export type { MessageFrame, SubscribeFrame, UnsubscribeFrame } from "./frame.ts";
export type { LineHandler } from "./line-handler.ts";
export {
  createLineParser,
  type LineParser,
  type LineParserOptions,
  MAX_CONTROL_LINE_DEFAULT,
  MAX_PAYLOAD_DEFAULT,
} from "./line-parser.ts";
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
