import protobuf from "protobufjs/minimal.js";
import { byteString, byteStringBytes } from "./byte-string.ts";
import { copyOf } from "./copy.ts";
import { type Decoded, WireFault, wireFaultText } from "./fault.ts";
import {
  type Bits64,
  bits64,
  bitsToBigInt,
  bitsToBigUint,
  bitsToNumber,
  readVarint,
  skipField,
  tagField,
} from "./read.ts";

/*
 * The codec of every message that is not on the hot path: a table of fields is all that a message adds. Decoding is ours,
 * since no library reads exactly what the original reads (protocol.md 4.2); encoding is protobufjs's writer.
 */

/** How a field looks on the wire. `count` is a uint64 that has to be a safe integer, or the message is invalid. */
type FieldType = "text" | "bytes" | "bool" | "int32" | "uint32" | "count" | "uint64" | "int64";

type FieldTypeOf<V> = V extends string
  ? "text"
  : V extends Uint8Array
    ? "bytes"
    : V extends boolean
      ? "bool"
      : V extends bigint
        ? "uint64" | "int64"
        : V extends number
          ? "int32" | "uint32" | "count"
          : never;

/** Field number and type of each property of `T`, in ascending order of the numbers: they are encoded in this order. */
export type FieldTable<T> = { readonly [K in keyof T]-?: readonly [number: number, type: FieldTypeOf<T[K]>] };

export interface MessageCodec<T> {
  /** Properties that are left out, or hold their default, are not written. The result belongs to the caller. */
  encode(value: Partial<T>): Uint8Array;
  /** Reads `bytes[start, end)`; the value keeps no reference to `bytes`. */
  decode(bytes: Uint8Array, start: number, end: number): Decoded<T>;
}

interface Field {
  readonly key: string;
  readonly number: number;
  readonly type: FieldType;
}

type FieldValue = string | Uint8Array | boolean | number | bigint;
type Fields = Record<string, FieldValue>;

const EMPTY = new Uint8Array(0);

const DEFAULTS: { readonly [T in FieldType]: FieldValue } = {
  text: "",
  bytes: EMPTY,
  bool: false,
  int32: 0,
  uint32: 0,
  count: 0,
  uint64: 0n,
  int64: 0n,
};

/** Makes the codec of a message. @param name for the reasons in what cannot be decoded */
export function messageCodec<T>(name: string, table: FieldTable<T>): MessageCodec<T> {
  const fields: Field[] = [];
  const byNumber: (Field | undefined)[] = [];
  const defaults: Fields = {};
  for (const [key, [number, type]] of Object.entries<readonly [number, FieldType]>(table)) {
    const field: Field = { key, number, type };
    fields.push(field);
    byNumber[number] = field;
    defaults[key] = DEFAULTS[type];
  }

  return {
    encode(value: Partial<T>): Uint8Array {
      const writer = protobuf.Writer.create();
      for (const field of fields) encodeField(writer, field, (value as Fields)[field.key]);
      return writer.finish();
    },

    decode(bytes: Uint8Array, start: number, end: number): Decoded<T> {
      const value = { ...defaults };
      const fault = decodeFields(value, byNumber, bytes, start, end);
      const decoded = value as T;
      if (fault === WireFault.none) return { kind: "ok", value: decoded };
      return { kind: "invalid", reason: `${name}: ${wireFaultText(fault)}`, partial: decoded };
    },
  };
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

function encodeField(writer: protobuf.Writer, field: Field, value: FieldValue | undefined): void {
  switch (typeof value) {
    case "string":
      if (value !== "") writer.uint32(tag(field, LENGTH_DELIMITED)).bytes(byteStringBytes(value));
      return;
    case "object":
      if (value.length > 0) writer.uint32(tag(field, LENGTH_DELIMITED)).bytes(value);
      return;
    case "boolean":
      if (value) writer.uint32(tag(field, VARINT)).bool(true);
      return;
    case "bigint":
      // As a signed number the decimal text is in range for both types; the 64 bits are the same.
      if (value !== 0n) writer.uint32(tag(field, VARINT)).int64(BigInt.asIntN(64, value).toString());
      return;
    case "number":
      if (value === 0) return;
      writer.uint32(tag(field, VARINT));
      if (field.type === "int32") writer.int32(value);
      else writer.uint64(value);
      return;
    default:
      return;
  }
}

function tag(field: Field, wireType: number): number {
  return (field.number << 3) | wireType;
}

const bits: Bits64 = bits64();

function decodeFields(
  value: Fields,
  byNumber: readonly (Field | undefined)[],
  bytes: Uint8Array,
  start: number,
  end: number,
): WireFault {
  let at = start;
  while (at < end) {
    at = readVarint(bytes, at, end, bits);
    if (at < 0) return -at as WireFault;
    const wireType = bits.low & 7;
    const number = tagField(bits);
    if (wireType === 4) return WireFault.strayEndGroup;
    if (number <= 0) return WireFault.illegalFieldNumber;

    const field = byNumber[number];
    if (field === undefined) {
      at = skipField(bytes, at, end, wireType);
      if (at < 0) return -at as WireFault;
      continue;
    }
    const delimited = field.type === "text" || field.type === "bytes";
    if (wireType !== (delimited ? LENGTH_DELIMITED : VARINT)) return WireFault.wrongWireType;
    at = readVarint(bytes, at, end, bits);
    if (at < 0) return -at as WireFault;
    if (delimited) {
      const fieldEnd = at + bitsToNumber(bits);
      if (fieldEnd > end) return WireFault.truncated;
      value[field.key] = field.type === "text" ? byteString(bytes, at, fieldEnd) : copyOf(bytes, at, fieldEnd);
      at = fieldEnd;
    } else {
      const scalar = scalarValue(field.type, bits);
      if (scalar === undefined) return WireFault.numberTooLarge;
      value[field.key] = scalar;
    }
  }
  return WireFault.none;
}

function scalarValue(type: FieldType, from: Bits64): FieldValue | undefined {
  switch (type) {
    case "bool":
      return (from.low | from.high) !== 0;
    case "int32":
      return from.low | 0;
    case "uint32":
      return from.low;
    case "uint64":
      return bitsToBigUint(from);
    case "int64":
      return bitsToBigInt(from);
    default: {
      const count = bitsToNumber(from);
      return Number.isSafeInteger(count) ? count : undefined;
    }
  }
}
