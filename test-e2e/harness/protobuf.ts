/**
 * Just enough Protocol Buffers for a test client, written apart from the server's codecs on purpose: an error in one of
 * the two shows as a disagreement.
 */

export type FieldValue = string | Uint8Array | number | bigint | boolean;

/** Encodes fields in the given order; each as its type demands: text and bytes with a length, numbers as varints. */
export function encodeFields(fields: readonly (readonly [number: number, value: FieldValue])[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (typeof value === "string" || value instanceof Uint8Array) {
      const bytes = typeof value === "string" ? Buffer.from(value, "utf8") : value;
      parts.push(varint((BigInt(number) << 3n) | 2n), varint(BigInt(bytes.length)), bytes);
    } else {
      parts.push(varint(BigInt(number) << 3n), varint(BigInt(value)));
    }
  }
  return Buffer.concat(parts);
}

/** An unsigned number as it is, a negative one as its 64-bit complement (ten bytes). */
export function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/** The fields of one message by number; a field that came twice keeps the last value. */
export interface DecodedFields {
  bytes(number: number): Buffer;
  text(number: number): string;
  /** As sent, unsigned. */
  unsigned(number: number): bigint;
  /** A small number, for tests that compare with literals. */
  number(number: number): number;
  /** The numbers of the fields that are present, ascending. */
  readonly present: readonly number[];
}

/** @throws Error when `message` is not a sequence of whole fields. */
export function decodeFields(message: Uint8Array): DecodedFields {
  const lengths = new Map<number, Buffer>();
  const numbers = new Map<number, bigint>();
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  let position = 0;
  const readVarint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = buffer[position++];
      if (byte === undefined) throw new Error(`protobuf: cut short in a varint at ${position}`);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error(`protobuf: varint too long at ${position}`);
  };
  while (position < buffer.length) {
    const key = readVarint();
    const field = Number(key >> 3n);
    const wireType = Number(key & 7n);
    if (wireType === 0) {
      numbers.set(field, readVarint());
    } else if (wireType === 2) {
      const length = Number(readVarint());
      if (position + length > buffer.length) throw new Error(`protobuf: field ${field} is cut short`);
      lengths.set(field, Buffer.from(buffer.subarray(position, position + length)));
      position += length;
    } else {
      throw new Error(`protobuf: field ${field} has wire type ${wireType}, which no message here uses`);
    }
  }
  return {
    bytes: (field) => lengths.get(field) ?? Buffer.alloc(0),
    text: (field) => (lengths.get(field) ?? Buffer.alloc(0)).toString("utf8"),
    unsigned: (field) => numbers.get(field) ?? 0n,
    number: (field) => Number(numbers.get(field) ?? 0n),
    present: [...lengths.keys(), ...numbers.keys()].sort((a, b) => a - b),
  };
}
