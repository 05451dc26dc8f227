import fc from "fast-check";
import type protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { codecs } from "../../test-support/codecs.ts";
import { surrounded, toHex } from "../../test-support/hex.ts";
import { arbitraryBytes, arbitraryMessage, mutilated } from "../../test-support/messages.ts";
import { propertyName, protoMessageNames, protoType } from "../../test-support/proto-types.ts";
import { referenceDecode } from "../../test-support/reference-decoder.ts";
import { byteString, byteStringBytes } from "./byte-string.ts";

const RUNS = { numRuns: 150 };

describe.each(codecs)("$type", ({ type, encode, decode }) => {
  const proto = protoType(type);

  it("encodes what protobufjs encodes", () => {
    fc.assert(
      fc.property(arbitraryMessage(type), (value) => {
        expect(toHex(encode(value))).toBe(toHex(proto.encode(toProto(proto, value)).finish()));
      }),
      RUNS,
    );
  });

  it("decodes what protobufjs encodes, wherever it lies in a buffer", () => {
    fc.assert(
      fc.property(arbitraryMessage(type), (value) => {
        const { bytes, start, end } = surrounded(proto.encode(toProto(proto, value)).finish());
        expect(decode(bytes, start, end)).toEqual({ kind: "ok", value });
      }),
      RUNS,
    );
  });

  it("is decoded by protobufjs", () => {
    fc.assert(
      fc.property(arbitraryMessage(type), (value) => {
        expect(fromProto(proto, proto.decode(encode(value)))).toEqual(value);
      }),
      RUNS,
    );
  });

  it("says of a message cut at any offset what the rules and protobufjs say", () => {
    fc.assert(
      fc.property(arbitraryMessage(type, { short: true }), (value) => {
        const whole = encode(value);
        for (let length = 0; length < whole.length; length++) {
          const cut = whole.subarray(0, length);
          const verdict = decode(cut);
          expect(verdict.kind === "ok").toBe(acceptedBy(proto, cut));
          expectAsReference(type, cut, verdict);
        }
      }),
      { numRuns: 10 },
    );
  });

  it("says of mutilated and of arbitrary bytes what the rules say, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(mutilated(arbitraryMessage(type).map(encode)), arbitraryBytes()), (bytes) => {
        expectAsReference(type, bytes, decode(bytes));
      }),
      { numRuns: 500 },
    );
  });
});

describe("the .proto files", () => {
  it("have no message without a codec, and no codec without a message", () => {
    expect(codecs.map(({ type }) => type).sort()).toEqual(protoMessageNames().sort());
  });
});

function expectAsReference(
  type: string,
  bytes: Uint8Array,
  verdict: ReturnType<(typeof codecs)[number]["decode"]>,
): void {
  const reference = referenceDecode(type, bytes);
  // Numbers of a record that must be safe integers: the only place where we are stricter than the rules.
  const tooLarge = verdict.kind === "invalid" && verdict.reason.endsWith("number above 2^53 - 1");
  if (tooLarge) {
    expect(reference.hasTooLarge).toBe(true);
    return;
  }
  expect(verdict.kind === "ok").toBe(reference.valid);
  const value = verdict.kind === "ok" ? verdict.value : verdict.partial;
  for (const [key, held] of Object.entries(value)) {
    const expected = reference.fields.get(key);
    if (expected === undefined) expect(isDefault(held)).toBe(true);
    else expect(comparable(held)).toEqual(expected);
  }
}

function isDefault(value: unknown): boolean {
  return value === "" || value === 0 || value === 0n || value === false || (value as Uint8Array).length === 0;
}

function comparable(value: unknown): unknown {
  if (typeof value === "number") return BigInt(value);
  return value instanceof Uint8Array ? byteString(value) : value;
}

function acceptedBy(proto: protobuf.Type, bytes: Uint8Array): boolean {
  try {
    proto.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Our value as protobufjs wants it: text as bytes, bigints as decimal text, defaults left out. */
function toProto(proto: protobuf.Type, value: Record<string, unknown>): protobuf.Message {
  const plain: Record<string, unknown> = {};
  for (const field of proto.fieldsArray) {
    const held = value[propertyName(field.name)];
    if (isDefault(held)) continue;
    plain[field.name] =
      typeof held === "string" ? byteStringBytes(held) : typeof held === "bigint" ? held.toString() : held;
  }
  return proto.fromObject(plain);
}

/** What protobufjs decoded as our value. */
function fromProto(proto: protobuf.Type, message: protobuf.Message): Record<string, unknown> {
  const plain = proto.toObject(message, { longs: String, bytes: Uint8Array, defaults: true });
  const sample = codecs.find(({ type }) => type === proto.fullName.slice(1))?.decode(new Uint8Array(0));
  if (sample?.kind !== "ok") throw new Error(`no codec for ${proto.fullName}`);
  const value: Record<string, unknown> = {};
  for (const field of proto.fieldsArray) {
    const key = propertyName(field.name);
    const held = plain[field.name];
    switch (typeof sample.value[key]) {
      case "string":
        value[key] = byteString(Uint8Array.from(held));
        break;
      case "bigint":
        value[key] = BigInt(held);
        break;
      case "number":
        value[key] = Number(held);
        break;
      case "object":
        value[key] = Uint8Array.from(held);
        break;
      default:
        value[key] = held;
    }
  }
  return value;
}
