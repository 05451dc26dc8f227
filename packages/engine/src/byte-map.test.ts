import { byteStringBytes, textToByteString } from "@nats-streaming/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createByteMap } from "./byte-map.ts";

describe("createByteMap()", () => {
  it("agrees with a Map on random operations", () => {
    const key = fc.string({ maxLength: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("set", "set", "delete", "get"), key)), (operations) => {
        const map = createByteMap<number>();
        const model = new Map<string, number>();
        operations.forEach(([kind, name], i) => {
          const bytes = byteStringBytes(textToByteString(name));
          if (kind === "set") {
            map.set(bytes, i);
            model.set(name, i);
          } else if (kind === "delete") {
            expect(map.delete(bytes)).toBe(model.delete(name));
          } else {
            expect(map.get(bytes, 0, bytes.length)).toBe(model.get(name));
          }
          expect(map.size).toBe(model.size);
        });
        for (const [name, value] of model) {
          const padded = byteStringBytes(`<${textToByteString(name)}>`);
          expect(map.get(padded, 1, padded.length - 1)).toBe(value);
        }
      }),
    );
  });

  it("keeps ten thousand keys apart while half of them go", () => {
    const map = createByteMap<number>();
    const keys = Array.from({ length: 10_000 }, (_, i) => byteStringBytes(`channel.${i}`));
    keys.forEach((name, i) => {
      map.set(name, i);
    });
    for (let i = 0; i < keys.length; i += 2) expect(map.delete(keys[i]!)).toBe(true);
    keys.forEach((name, i) => {
      expect(map.get(name, 0, name.length)).toBe(i % 2 === 0 ? undefined : i);
    });
  });

  it("keeps keys of any length apart", () => {
    const map = createByteMap<number>();
    const keys = Array.from({ length: 200 }, (_, i) => byteStringBytes(`${"x".repeat(i)}.end`));
    keys.forEach((name, i) => {
      map.set(name, i);
    });
    for (let i = 0; i < keys.length; i += 3) expect(map.delete(keys[i]!)).toBe(true);
    keys.forEach((name, i) => {
      expect(map.get(name, 0, name.length)).toBe(i % 3 === 0 ? undefined : i);
      const other = Uint8Array.from(name);
      other[other.length - 1] = 0;
      expect(map.get(other, 0, other.length)).toBeUndefined();
    });
  });

  it("keeps a copy of a key", () => {
    const map = createByteMap<number>();
    const key = byteStringBytes("orders");
    map.set(key, 1);
    key.fill(0);
    expect(map.get(byteStringBytes("<orders>"), 1, 7)).toBe(1);
    expect(map.get(key, 0, 6)).toBeUndefined();
  });

  it("finds those that stay while others come and go without end", () => {
    const map = createByteMap<string>();
    const stays = ["first", "second", "third"];
    for (const name of stays) map.set(byteStringBytes(name), name);
    for (let i = 0; i < 5_000; i++) {
      const key = byteStringBytes(`passing.${i}`);
      map.set(key, "gone soon");
      expect(map.delete(key)).toBe(true);
      expect(map.delete(key)).toBe(false);
    }
    expect(map.size).toBe(3);
    for (const name of stays) expect(map.get(byteStringBytes(name), 0, name.length)).toBe(name);
  });
});
