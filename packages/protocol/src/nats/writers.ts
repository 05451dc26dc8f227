import { bytesOf } from "./ascii.ts";
import type { ConnectOptions } from "./connect-options.ts";

/** Operations without arguments, ready to be sent. Shared: not to be written to. */
export const PING_LINE: Uint8Array = bytesOf("PING\r\n");
/** `PONG`. Not to be written into. */
export const PONG_LINE: Uint8Array = bytesOf("PONG\r\n");
/** `+OK`, the answer to each line of a verbose client. Not to be written into. */
export const OK_LINE: Uint8Array = bytesOf("+OK\r\n");

/** The headers of the answer to a request that nobody listens to. */
export const NO_RESPONDERS_HEADERS: Uint8Array = bytesOf("NATS/1.0 503\r\n\r\n");

/** `-ERR 'text'`. @param text one of `ERROR_TEXT`, or another on one line. */
export function encodeError(text: string): Uint8Array {
  return bytesOf(`-ERR '${text}'\r\n`);
}

/** `CONNECT` with the given fields only; the server takes its defaults for the others. */
export function encodeConnect(options: Partial<ConnectOptions>): Uint8Array {
  return bytesOf(`CONNECT ${JSON.stringify(options)}\r\n`);
}

/** `SUB subject [queue] sid`. */
export function encodeSubscribe(subject: string, sid: string, queue = ""): Uint8Array {
  return bytesOf(queue === "" ? `SUB ${subject} ${sid}\r\n` : `SUB ${subject} ${queue} ${sid}\r\n`);
}

/** `UNSUB sid [max]`; `max` 0 is left out. */
export function encodeUnsubscribe(sid: string, max = 0): Uint8Array {
  return bytesOf(max > 0 ? `UNSUB ${sid} ${max}\r\n` : `UNSUB ${sid}\r\n`);
}

/** A message to be written as a line with its payload. */
export interface OutgoingMessage {
  readonly subject: string;
  readonly reply?: string;
  /** With headers (`NATS/1.0\r\n…\r\n\r\n`) the operation is `HPUB` or `HMSG`. */
  readonly headers?: Uint8Array;
  readonly payload: Uint8Array;
}

/** `PUB` or `HPUB` in one piece. For what is not sent by the million: it allocates. */
export function encodePublish(message: OutgoingMessage): Uint8Array {
  return encodeMessage(message.headers === undefined ? "PUB" : "HPUB", message, "");
}

/** `MSG` or `HMSG` in one piece, as a server sends it to the subscription `sid`. */
export function encodeDelivery(message: OutgoingMessage, sid: string): Uint8Array {
  return encodeMessage(message.headers === undefined ? "MSG" : "HMSG", message, ` ${sid}`);
}

function encodeMessage(verb: string, message: OutgoingMessage, sid: string): Uint8Array {
  const reply = message.reply === undefined || message.reply === "" ? "" : ` ${message.reply}`;
  const headerSize = message.headers?.length ?? 0;
  const sizes = message.headers === undefined ? "" : ` ${headerSize}`;
  const line = bytesOf(`${verb} ${message.subject}${sid}${reply}${sizes} ${headerSize + message.payload.length}\r\n`);
  const bytes = new Uint8Array(line.length + headerSize + message.payload.length + 2);
  bytes.set(line);
  if (message.headers !== undefined) bytes.set(message.headers, line.length);
  bytes.set(message.payload, line.length + headerSize);
  bytes.set(CR_LF, bytes.length - 2);
  return bytes;
}

const CR_LF = bytesOf("\r\n");
