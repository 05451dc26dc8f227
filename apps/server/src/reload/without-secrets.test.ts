import { describe, expect, it } from "vitest";
import { withoutSecrets } from "./without-secrets.ts";

describe("withoutSecrets()", () => {
  it.each([
    ["  2 | authorization { user: ada, password: hidden }", "  2 | authorization { user: ada, password: [REDACTED]"],
    ["token = 'hidden", "token = [REDACTED]"],
    ['"pass" "hidden" x', '"pass" [REDACTED]'],
    ["encryption_key:hidden", "encryption_key:[REDACTED]"],
    ["routes: [nats://a:hidden@h:1, nats://b:hidden@i:2]", "routes: [nats://[REDACTED]@h:1, nats://[REDACTED]@i:2]"],
    ["max_payload: [", "max_payload: ["],
    ["            ^", "            ^"],
  ])("shows %j as %j", (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
    expect(withoutSecrets(line)).not.toContain("hidden");
  });
});
