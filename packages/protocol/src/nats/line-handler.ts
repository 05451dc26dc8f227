import type { InterestFrame, MessageFrame, SubscribeFrame, UnsubscribeFrame } from "./frame.ts";

/**
 * Who hears of parsed operations, in the order of arrival and before the parser goes on. Ranges and frames belong to the
 * parser and are valid until the call returns. Operations that the parsed side cannot send are never reported.
 */
export interface CommonLineHandler {
  /** `CONNECT`: `bytes[start, end)` should be JSON. */
  onConnect(bytes: Uint8Array, start: number, end: number): void;
  /** `PUB` and `HPUB` of a client, `MSG` and `HMSG` of a server, `RMSG` and `HMSG` of a route, complete with payload. */
  onMessage(frame: MessageFrame): void;
  onPing(): void;
  onPong(): void;
  onOk(): void;
  /** `-ERR`: `bytes[start, end)` is the text with its quotes. */
  onError(bytes: Uint8Array, start: number, end: number): void;
  /** `INFO`: `bytes[start, end)` should be JSON. */
  onInfo(bytes: Uint8Array, start: number, end: number): void;
}

/** Hears of what a client or a server sends. */
export interface LineHandler extends CommonLineHandler {
  onSubscribe(frame: SubscribeFrame): void;
  onUnsubscribe(frame: UnsubscribeFrame): void;
}

/** Hears of what the other server of a route sends. */
export interface RouteLineHandler extends CommonLineHandler {
  /** `RS+` and `RS-`. */
  onInterest(frame: InterestFrame): void;
}
