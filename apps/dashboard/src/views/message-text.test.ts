import { describe, expect, it } from "vitest";
import { decodeBase64, display, displayFor, hexDump, preview } from "./message-text.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

describe("displayFor()", () => {
  it.each([
    ['{"a":1}', "json"],
    [" [1, 2]", "json"],
    ["{broken", "text"],
    ["42", "text"],
    ["zürich\n\tok", "text"],
    ["", "text"],
    ["a\u0000b", "hex"],
    ["\u001b[31m", "hex"],
  ])("shows %j as %s", (text, expected) => {
    expect(displayFor(bytes(text))).toBe(expected);
  });

  it("shows what is no UTF-8 as bytes", () => {
    expect(displayFor(new Uint8Array([0xff, 0xfe]))).toBe("hex");
  });
});

describe("display()", () => {
  it("indents JSON, and leaves alone what is none", () => {
    expect(display(bytes('{"a":[1]}'), "json")).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(display(bytes("plain"), "json")).toBe("plain");
  });

  it("shows sixteen bytes a line with their characters", () => {
    expect(hexDump(bytes("0123456789abcdefg\u00e4"))).toBe(
      "000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n" +
        "000010  67 c3 a4                                         g..",
    );
  });
});

describe("preview()", () => {
  it("is one line of the text, and bytes where it is none", () => {
    expect(preview(bytes('{\n  "a": 1\n}'))).toBe('{ "a": 1 }');
    expect(preview(new Uint8Array([0, 255]))).toBe("00 ff");
  });

  it("may end within a character", () => {
    expect(preview(bytes("\u00e4".repeat(500)))).toBe("\u00e4".repeat(81));
  });
});

it("decodes base64", () => {
  expect(decodeBase64(Buffer.from([0, 200, 255]).toString("base64"))).toEqual(new Uint8Array([0, 200, 255]));
});
