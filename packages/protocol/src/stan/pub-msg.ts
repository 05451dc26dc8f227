import { writeByteString } from "../wire/byte-string.ts";
import { copyBytes } from "../wire/copy.ts";
import type { Decoded } from "../wire/fault.ts";
import { messageCodec } from "../wire/message.ts";
import { varintSize, writeVarint } from "../wire/write.ts";

/** A message on its way from a publisher to the server, as a publisher makes it. @see protocol.md 5.4 */
export interface PubMsg {
  /** Looked at only when `connId` is empty. */
  readonly clientId: string;
  /** Echoed in the answer; must not be empty. */
  readonly guid: string;
  /** Channel. */
  readonly subject: string;
  /** Stored and delivered unchanged. */
  readonly reply: string;
  readonly data: Uint8Array;
  /** Takes precedence over `clientId`. */
  readonly connId: Uint8Array;
  /** Ignored by the server and not stored. */
  readonly sha256: Uint8Array;
}

const codec = messageCodec<PubMsg>("PubMsg", {
  clientId: [1, "text"],
  guid: [2, "text"],
  subject: [3, "text"],
  reply: [4, "text"],
  data: [5, "bytes"],
  connId: [6, "bytes"],
  sha256: [10, "bytes"],
});

/** What publishers send. Fields left out have their default. The result belongs to the caller. */
export function encodePubMsg(value: Partial<PubMsg>): Uint8Array {
  const { clientId = "", guid = "", subject = "", reply = "", data, connId, sha256 } = value;
  const size =
    fieldSize(clientId.length) +
    fieldSize(guid.length) +
    fieldSize(subject.length) +
    fieldSize(reply.length) +
    fieldSize(data?.length ?? 0) +
    fieldSize(connId?.length ?? 0) +
    fieldSize(sha256?.length ?? 0);
  const target = new Uint8Array(size);
  let at = writeText(target, 0, 1, clientId);
  at = writeText(target, at, 2, guid);
  at = writeText(target, at, 3, subject);
  at = writeText(target, at, 4, reply);
  at = writeBytes(target, at, 5, data);
  at = writeBytes(target, at, 6, connId);
  writeBytes(target, at, 10, sha256);
  return target;
}

/** The whole value, for tools and tests; the server reads in place with `readPubMsg`. @see protocol.md 4.2 */
export function decodePubMsg(bytes: Uint8Array, start = 0, end: number = bytes.length): Decoded<PubMsg> {
  return codec.decode(bytes, start, end);
}

/** Tag, length and content; all field numbers here fit a one-byte tag. */
function fieldSize(length: number): number {
  return length === 0 ? 0 : 1 + varintSize(length) + length;
}

function writeText(target: Uint8Array, at: number, field: number, text: string): number {
  if (text === "") return at;
  target[at] = (field << 3) | 2;
  return writeByteString(target, writeVarint(target, at + 1, text.length), text);
}

function writeBytes(target: Uint8Array, at: number, field: number, bytes: Uint8Array | undefined): number {
  if (bytes === undefined || bytes.length === 0) return at;
  target[at] = (field << 3) | 2;
  return copyBytes(bytes, 0, bytes.length, target, writeVarint(target, at + 1, bytes.length));
}
