import { describe, expect, it } from "vitest";
import { choose, isSettledAtOnce } from "./route-choice.ts";

const mine = { isSolicited: true };
const theirs = { isSolicited: false };

describe("choose()", () => {
  it("keeps the same connection on both sides, whichever each has heard of first", () => {
    // The connection that A has opened is solicited for A and not for B.
    for (const [a, b] of [
      ["NA", "NB"],
      ["NB", "NA"],
    ] as const) {
      const kept = new Set<string>();
      for (const current of [mine, theirs]) {
        const next = current === mine ? theirs : mine;
        const atA = choose({ ownId: a, remoteId: b, current, next }) === "current" ? current : next;
        kept.add(atA === mine ? "opened by A" : "opened by B");
        const atB = choose({ ownId: b, remoteId: a, current, next }) === "current" ? current : next;
        kept.add(atB === mine ? "opened by B" : "opened by A");
      }
      expect(kept.size).toBe(1);
    }
  });

  it("keeps the first of two that one server has opened", () => {
    expect(choose({ ownId: "A", remoteId: "B", current: mine, next: mine })).toBe("current");
    expect(choose({ ownId: "B", remoteId: "A", current: theirs, next: theirs })).toBe("current");
  });
});

describe("isSettledAtOnce()", () => {
  it("leaves the choice to a server that goes by another rule, unless both routes are this one's own", () => {
    const choice = { ownId: "A", remoteId: "B" };
    expect(isSettledAtOnce({ ...choice, current: mine, next: theirs }, true)).toBe(true);
    expect(isSettledAtOnce({ ...choice, current: mine, next: theirs }, false)).toBe(false);
    expect(isSettledAtOnce({ ...choice, current: mine, next: mine }, false)).toBe(true);
    expect(isSettledAtOnce({ ...choice, current: theirs, next: theirs }, true)).toBe(false);
  });
});
