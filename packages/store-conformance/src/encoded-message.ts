/** A stored message as a test means it. */
export interface ExpectedMessage {
  readonly sequence: number;
  /** Byte string: one character per byte. */
  readonly channel: string;
  readonly reply: string;
  readonly data: Uint8Array;
  /** Nanoseconds since 1970. */
  readonly timestamp: bigint;
}

/** What encryption adds to a payload that is not empty: cipher code, nonce, tag. @see encryption.md 4 */
const ENCRYPTION_BYTES = 29;

/**
 * The `MsgProto` that a store must hold and subscribers receive. Written apart from the codec that stores use, slowly and
 * with bigints, so that the two check each other.
 */
export function encodedMessage(message: ExpectedMessage): Uint8Array {
  const { sequence, channel, reply, data, timestamp } = message;
  return Buffer.concat([
    varintField(0x08, BigInt(sequence)),
    bytesField(0x12, Buffer.from(channel, "latin1")),
    bytesField(0x1a, Buffer.from(reply, "latin1")),
    bytesField(0x22, data),
    varintField(0x28, BigInt.asUintN(64, timestamp)),
  ]);
}

/** The size that a store counts for a message, without its declared overhead. */
export function countedSize(message: ExpectedMessage, encrypted: boolean): number {
  const grows = encrypted && message.data.length > 0;
  return encodedMessage(grows ? { ...message, data: new Uint8Array(message.data.length + ENCRYPTION_BYTES) } : message)
    .length;
}

function varintField(tag: number, value: bigint): Uint8Array {
  return value === 0n ? new Uint8Array(0) : Uint8Array.of(tag, ...varint(value));
}

function bytesField(tag: number, value: Uint8Array): Uint8Array {
  if (value.length === 0) return new Uint8Array(0);
  return Buffer.concat([Uint8Array.of(tag, ...varint(BigInt(value.length))), value]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}
