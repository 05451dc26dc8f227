import { describe, expect, it } from "vitest";
import { redeliveryRules } from "./redelivery-rules.ts";

describe("redeliveryRules()", () => {
  const rules = redeliveryRules({
    honourMaxInFlightOnResume: false,
    maxRedeliveries: 5,
    deadLetter: "dead",
    channels: new Map([
      ["orders.>", { maxRedeliveries: 3, deadLetter: "" }],
      ["orders.eu", { maxRedeliveries: -1, deadLetter: "dead.eu" }],
      ["logs.*", { maxRedeliveries: 0, deadLetter: "" }],
    ]),
  });

  it.each([
    ["other", { maxRedeliveries: 5, deadLetter: "dead" }],
    ["orders.us", { maxRedeliveries: 3, deadLetter: "dead" }],
    ["orders.eu", { maxRedeliveries: 5, deadLetter: "dead.eu" }],
    ["logs.a", undefined],
    ["dead", undefined],
  ])("gives %s the narrowest rule, completed by that for all channels", (channel, rule) => {
    expect(rules(channel)).toEqual(rule);
  });
});
