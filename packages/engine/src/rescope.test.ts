import { describe, expect, it } from "vitest";
import { setPersistentStage } from "../test/persistent-stage.ts";
import { createFormerSubscriptions } from "./rescope.ts";
import type { ChannelScope } from "./scope.ts";

/** Literal names only. */
function scopeOf(...entries: string[]): ChannelScope {
  return { entries, selfOverlaps: false, firstMatch: (channel) => entries.indexOf(channel) };
}

describe("stored channels outside the list", () => {
  it("are named in the log at the start, and kept", async () => {
    const stage = await setPersistentStage({ scope: scopeOf("foo", "bar") });
    const client = await stage.client("me");
    for (const channel of ["foo", "bar"]) await client.publish(channel);
    const next = await stage.restart({ scope: scopeOf("foo") });
    const warnings = next.logger.lines.filter((line) => line.startsWith("WRN"));
    expect(warnings).toEqual([
      'WRN Channel "bar" is stored here and not in this partition\'s list: nobody can publish or subscribe to it; ' +
        "list it, or move it to the server that does",
    ]);
    expect(next.engine.inspection.channelNames()).toEqual(["bar", "foo"]);
  });

  it("are named up to a hundred times", async () => {
    const names = Array.from({ length: 105 }, (_, i) => `c${i}`);
    const stage = await setPersistentStage({ scope: scopeOf("foo", ...names), limits: { maxChannels: 0 } });
    const client = await stage.client("me");
    for (const name of names) await client.publish(name);
    const next = await stage.restart({ scope: scopeOf("foo") });
    const warnings = next.logger.lines.filter((line) => line.startsWith("WRN"));
    expect(warnings).toHaveLength(101);
    expect(warnings.at(-1)).toBe("WRN ... and 5 more such channels");
  });
});

describe("former subscriptions", () => {
  it("forget the oldest beyond 65,536", () => {
    const former = createFormerSubscriptions();
    for (let i = 0; i <= 65_536; i++) former.add(`inbox${i}`);
    expect([former.has("inbox0"), former.has("inbox1"), former.has("inbox65536")]).toEqual([false, true, true]);
  });
});
