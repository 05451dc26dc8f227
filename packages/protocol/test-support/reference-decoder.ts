import { propertyName, protoType } from "./proto-types.ts";

/*
 * The decoding rules of protocol.md 4.2 once more: slowly, with bigints, from the .proto files, sharing no line with the
 * codecs. What it says about any bytes is what they have to say.
 */

export type ReferenceValue = bigint | boolean | string;

export interface Reference {
  readonly valid: boolean;
  /** Fields that stood before the fault, if any: numbers as bigints, text and bytes as byte strings. */
  readonly fields: ReadonlyMap<string, ReferenceValue>;
  /** A number above 2^53 - 1 stood somewhere, even if a later one took its place. */
  readonly hasTooLarge: boolean;
}

class Fault extends Error {}

export function referenceDecode(typeName: string, bytes: Uint8Array): Reference {
  const type = protoType(typeName);
  const fields = new Map<string, ReferenceValue>();
  let hasTooLarge = false;
  let at = 0;

  const varint = (): bigint => {
    let value = 0n;
    for (let i = 0n; i < 10n; i++) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Fault("truncated");
      value |= BigInt(byte & 0x7f) << (7n * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Fault("varint too long");
  };

  const take = (count: bigint): Uint8Array => {
    if (count > BigInt(bytes.length - at)) throw new Fault("truncated");
    const taken = bytes.subarray(at, at + Number(count));
    at += taken.length;
    return taken;
  };

  const skip = (wireType: bigint): void => {
    if (wireType === 0n) varint();
    else if (wireType === 1n) take(8n);
    else if (wireType === 2n) take(varint());
    else if (wireType === 5n) take(4n);
    else if (wireType === 3n) {
      for (let inner = varint() & 7n; inner !== 4n; inner = varint() & 7n) skip(inner);
    } else throw new Fault("illegal wire type");
  };

  try {
    while (at < bytes.length) {
      const tag = varint();
      const wireType = tag & 7n;
      const number = BigInt.asIntN(32, tag >> 3n);
      if (wireType === 4n) throw new Fault("stray end group");
      if (number <= 0n) throw new Fault("illegal field number");
      const field = type.fieldsById[Number(number)];
      if (field === undefined) {
        skip(wireType);
        continue;
      }
      if (wireType !== (field.type === "bytes" ? 2n : 0n)) throw new Fault("wrong wire type");
      const raw = varint();
      hasTooLarge ||= raw > BigInt(Number.MAX_SAFE_INTEGER);
      fields.set(propertyName(field.name), field.type === "bytes" ? latin1(take(raw)) : scalar(field.type, raw));
    }
    return { valid: true, fields, hasTooLarge };
  } catch (error) {
    if (error instanceof Fault) return { valid: false, fields, hasTooLarge };
    throw error;
  }
}

function scalar(type: string, raw: bigint): ReferenceValue {
  switch (type) {
    case "bool":
      return raw !== 0n;
    case "uint64":
      return raw;
    case "int64":
      return BigInt.asIntN(64, raw);
    case "uint32":
      return BigInt.asUintN(32, raw);
    default:
      // int32, and enums.
      return BigInt.asIntN(32, raw);
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
