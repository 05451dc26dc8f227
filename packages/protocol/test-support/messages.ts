import fc from "fast-check";
import { codecs } from "./codecs.ts";
import { propertyName, protoType } from "./proto-types.ts";

/** Lengths around the places where a varint grows: most are short, some need a two- or three-byte length. */
const length = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  { weight: 1, arbitrary: fc.integer({ min: 120, max: 140 }) },
  { weight: 1, arbitrary: fc.constantFrom(191, 192, 193, 16_383, 16_384) },
);

function bytesOf(size: fc.Arbitrary<number>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(size, fc.nat())
    .map(([count, seed]) => Uint8Array.from({ length: count }, (_, i) => (seed + i * 37) & 0xff));
}

function textOf(size: fc.Arbitrary<number>): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: "grapheme-ascii", maxLength: 20 }),
    bytesOf(size).map((content) => Buffer.from(content).toString("latin1")),
  );
}

const int32 = fc.oneof(fc.nat(300), fc.integer(), fc.constantFrom(-1, -(2 ** 31), 2 ** 31 - 1));
const uint32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constant(2 ** 32 - 1));
const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 300n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n),
);
const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(-1n, -(2n ** 63n)));

/** Safe integers of every length as a varint. */
export const safeInteger = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 53 }).map((bit) => Math.min(2 ** bit, Number.MAX_SAFE_INTEGER)),
  fc.integer({ min: 1, max: 53 }).map((bit) => 2 ** bit - 1),
);

/**
 * Whole values of a message, as our codec decodes them, each field at its default now and then.
 * @param options.short no field of more than 20 bytes, for tests that look at every offset
 */
export function arbitraryMessage<T = Record<string, unknown>>(
  type: string,
  options: { readonly short?: boolean } = {},
): fc.Arbitrary<T> {
  const size = options.short === true ? fc.nat(20) : length;
  const sample = codecs.find((codec) => codec.type === type)?.decode(new Uint8Array(0));
  if (sample?.kind !== "ok") throw new Error(`no codec for ${type}`);
  const shape: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of protoType(type).fieldsArray) {
    const key = propertyName(field.name);
    const empty = sample.value[key];
    shape[key] = fc.oneof(
      { weight: 1, arbitrary: fc.constant(empty) },
      { weight: 4, arbitrary: arbitraryField(field.type, empty, size) },
    );
  }
  return fc.record(shape) as fc.Arbitrary<T>;
}

function arbitraryField(protoFieldType: string, empty: unknown, size: fc.Arbitrary<number>): fc.Arbitrary<unknown> {
  switch (typeof empty) {
    case "string":
      return textOf(size);
    case "object":
      return bytesOf(size);
    case "boolean":
      return fc.boolean();
    case "bigint":
      return protoFieldType === "int64" ? int64 : uint64;
    default:
      return protoFieldType === "uint64" ? safeInteger : protoFieldType === "uint32" ? uint32 : int32;
  }
}

/** Bytes that look like fields more often than chance has it. */
export function arbitraryBytes(): fc.Arbitrary<Uint8Array> {
  const likely = fc.constantFrom(0x00, 0x01, 0x02, 0x07, 0x08, 0x0a, 0x0b, 0x0c, 0x12, 0x80, 0x81, 0xff);
  return fc
    .array(fc.oneof(likely, fc.integer({ min: 0, max: 255 })), { maxLength: 40 })
    .map((list) => Uint8Array.from(list));
}

/** Encoded messages with a few bytes changed, put in or left out, or with their fields in another order or repeated. */
export function mutilated(encoded: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const flipped = fc
    .tuple(encoded, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }))
    .map(([whole, changes]) => {
      const copy = Uint8Array.from(whole);
      for (const [place, mask] of changes) if (copy.length > 0) copy[place % Math.min(copy.length, 64)]! ^= mask;
      return copy;
    });
  const spliced = fc.tuple(encoded, fc.nat(), fc.nat(3), arbitraryBytes()).map(([whole, place, gone, added]) => {
    const at = place % (Math.min(whole.length, 64) + 1);
    return Uint8Array.from([...whole.subarray(0, at), ...added.subarray(0, 6), ...whole.subarray(at + gone)]);
  });
  const joined = fc.tuple(encoded, encoded).map(([one, other]) => Uint8Array.from([...one, ...other]));
  const cut = fc.tuple(encoded, fc.nat()).map(([whole, at]) => whole.slice(0, at % (whole.length + 1)));
  return fc.oneof(flipped, spliced, joined, cut);
}
