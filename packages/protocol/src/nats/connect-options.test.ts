import { describe, expect, it } from "vitest";
import { bytesOf } from "./ascii.ts";
import { CONNECT_DEFAULTS, type ConnectDecode, decodeConnect } from "./connect-options.ts";

function decode(text: string, previous = CONNECT_DEFAULTS): ConnectDecode {
  const bytes = bytesOf(`xx${text}yy`);
  return decodeConnect(bytes, 2, bytes.length - 2, previous);
}

describe("decodeConnect()", () => {
  it("takes the defaults for what is left out", () => {
    expect(decode("{}")).toEqual({ kind: "options", options: CONNECT_DEFAULTS });
    expect(decode("null")).toEqual({ kind: "options", options: CONNECT_DEFAULTS });
  });

  it("reads every field", () => {
    const options = {
      verbose: false,
      pedantic: false,
      echo: false,
      headers: true,
      no_responders: true,
      tls_required: true,
      user: "u",
      pass: "p",
      auth_token: "t",
      nkey: "U",
      sig: "s",
      account: "a",
      name: "n",
      lang: "l",
      version: "v",
      protocol: 1,
    };
    expect(decode(JSON.stringify(options))).toEqual({ kind: "options", options });
  });

  it("reads names in any case of letters, of which the last counts", () => {
    expect(decode('{"verbose":false,"VERBOSE":true,"Name":"x"}')).toEqual({
      kind: "options",
      options: { ...CONNECT_DEFAULTS, verbose: true, name: "x" },
    });
  });

  it("ignores null and unknown fields, inherited names included", () => {
    const text = '{"verbose":null,"jwt":5,"constructor":1,"toString":2,"__proto__":{"echo":false}}';
    expect(decode(text)).toEqual({ kind: "options", options: CONNECT_DEFAULTS });
  });

  it("keeps what an earlier CONNECT said", () => {
    const previous = { ...CONNECT_DEFAULTS, user: "u", verbose: false };
    expect(decode('{"echo":false}', previous)).toEqual({ kind: "options", options: { ...previous, echo: false } });
  });

  it("refuses values of the wrong type, and what is no object", () => {
    const invalid = [
      '{"verbose":"x"}',
      '{"name":5}',
      '{"protocol":1.5}',
      '{"protocol":"1"}',
      "[]",
      "5",
      '"x"',
      "{bad",
      "",
    ];
    for (const text of invalid) expect(decode(text).kind, text).toBe("invalid");
  });
});
