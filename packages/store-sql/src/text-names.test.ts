import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { nameToText, textToName } from "./text-names.ts";

const bytes = (...values: number[]): string => String.fromCharCode(...values);

describe("names as text", () => {
  it("are the text that their bytes spell", () => {
    expect(nameToText("foo.bar")).toBe("foo.bar");
    expect(nameToText(Buffer.from("größe.€.😀", "utf8").toString("latin1"))).toBe("größe.€.😀");
  });

  it("have a character of the last private plane for NUL and every byte that is not UTF-8", () => {
    expect(nameToText(bytes(0x61, 0, 0xff, 0x62))).toBe("a\u{10ff00}\u{10ffff}b");
    expect(nameToText(bytes(0xe2, 0x82))).toBe("\u{10ffe2}\u{10ff82}");
  });

  it("come back as they were, whatever bytes they are, and no two have one text", () => {
    const random = seededRandom(7);
    const seen = new Map<string, string>();
    const pieces = ["a", "ü", "€", "😀", "\u{10ff41}", "\u{10ffff}"].map((one) => Buffer.from(one).toString("latin1"));
    for (let i = 0; i < 5000; i++) {
      let name = "";
      for (let n = Math.floor(random.next() * 6); n >= 0; n--) {
        const piece = Math.floor(random.next() * 12);
        name += pieces[piece] ?? bytes(Math.floor(random.next() * 256));
      }
      const text = nameToText(name);
      expect(textToName(text)).toBe(name);
      expect(seen.get(text) ?? name).toBe(name);
      expect(Buffer.from(text, "utf8").toString("utf8")).toBe(text);
      seen.set(text, name);
    }
  });
});
