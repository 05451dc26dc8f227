import { describe, expect, it } from "vitest";
import { resolveOptions } from "./resolve-options.ts";

const resolve = (text: string) =>
  resolveOptions(["-sc", "s.conf"], {}, { readFile: () => ({ kind: "text", text, path: "s.conf" }) });

const errorOf = (text: string): string => {
  const resolved = resolve(text);
  return resolved.kind === "error" ? resolved.text : resolved.kind;
};

describe("the delivery section", () => {
  it("is off by default", () => {
    const resolved = resolve("");
    expect(resolved.kind === "run" && resolved.streaming.delivery).toEqual({
      honourMaxInFlightOnResume: false,
      maxRedeliveries: 0,
      deadLetter: "",
      channels: new Map(),
    });
  });

  it("holds rules for all channels and for some", () => {
    const resolved = resolve(`delivery {
      honour_max_in_flight_on_resume: true
      max_redeliveries: 5, dead_letter: dead
      channels { "orders.*": { max_redeliveries: 0 }, foo: { dead_letter: "dead.foo" } }
    }`);
    expect(resolved.kind === "run" && resolved.warnings).toEqual([]);
    expect(resolved.kind === "run" && resolved.streaming.delivery).toEqual({
      honourMaxInFlightOnResume: true,
      maxRedeliveries: 5,
      deadLetter: "dead",
      channels: new Map([
        ["orders.*", { maxRedeliveries: 0, deadLetter: "" }],
        ["foo", { maxRedeliveries: -1, deadLetter: "dead.foo" }],
      ]),
    });
  });

  it.each([
    ["delivery { max_redeliveries: 3 }", "max_redeliveries of delivery needs a dead_letter channel"],
    ["delivery { max_redeliveries: -2 }", "max_redeliveries of delivery must not be negative"],
    ["delivery { max_redeliveries: 3, dead_letter: 'a.*' }", 'dead_letter of delivery is no channel name: "a.*"'],
    ["delivery { channels { foo { max_redeliveries: 3 } } }", 'max_redeliveries of channel "foo" needs a dead_letter'],
    ["delivery { channels { 'a..b' { } } }", 'invalid channel name "a..b"'],
    ["delivery { channels: 5 }", "expected per channel delivery options to be a map/struct, got 5"],
    ["delivery: 5", "expected delivery options to be a map/struct, got 5"],
    [
      "partitioning: true, store_limits { channels { foo: {} } }, delivery { max_redeliveries: 3, dead_letter: dead }",
      'dead_letter of delivery is outside of the channels that this server handles: add "dead" to the list',
    ],
  ])("refuses %s", (text, error) => {
    expect(errorOf(text)).toContain(error);
  });

  it("warns of an unknown key with the nearest known one", () => {
    const resolved = resolve("delivery { max_redelivery: 3 }");
    const messages = resolved.kind === "run" ? resolved.warnings.map(({ message }) => message) : [];
    expect(messages).toEqual([expect.stringContaining('did you mean "max_redeliveries"?')]);
  });
});
