import { describe, expect, it } from "vitest";
import { bytesOf } from "./ascii.ts";
import { describeFault, errorText, faultReply, type ParseFault, unknownOperation } from "./faults.ts";

const FAULTS: readonly (readonly [ParseFault, string | undefined, string])[] = [
  [
    unknownOperation(bytesOf("GET / HTTP/1.1\r\nHost: somewhere\r\n"), 0, 33),
    "Unknown Protocol Operation",
    `Client parser ERROR: proto='"GET / HTTP/1.1\\r\\nHost: somewhere\\r"'`,
  ],
  [
    { kind: "control_line_exceeded", max: 64, snippet: '"xx"' },
    "maximum control line exceeded",
    'maximum control line exceeded: max_control_line 64 (snip: "xx")',
  ],
  [
    { kind: "payload_exceeded", size: 101, max: 100 },
    "Maximum Payload Violation",
    "maximum payload exceeded: 101 vs 100",
  ],
  [
    { kind: "bad_arguments", reason: "processSub Parse Error", snippet: '"x"' },
    undefined,
    'processSub Parse Error: "x"',
  ],
  [{ kind: "headers_not_supported" }, undefined, "message headers not supported"],
  [{ kind: "connect_required" }, "Authorization Violation", "authentication error"],
];

describe("faultReply() and describeFault()", () => {
  for (const [fault, reply, description] of FAULTS) {
    it(`say of ${fault.kind} what nats-server says`, () => {
      expect(faultReply(fault)).toBe(reply);
      expect(describeFault(fault)).toBe(description);
    });
  }
});

describe("errorText()", () => {
  it("takes the quotes off", () => {
    const bytes = bytesOf("'Stale Connection' ");
    expect(errorText(bytes, 0, bytes.length)).toBe("Stale Connection");
  });
});
