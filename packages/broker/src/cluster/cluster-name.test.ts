import { describe, expect, it } from "vitest";
import { type ClusterName, compareNames } from "./cluster-name.ts";

const given = (name: string): ClusterName => ({ name, isDynamic: false });
const madeUp = (name: string): ClusterName => ({ name, isDynamic: true });

describe("compareNames()", () => {
  it("comes to matching verdicts on both sides", () => {
    const matching = { same: "same", adopt: "prevail", prevail: "adopt", reject: "reject" };
    const names = [given("a"), given("b"), madeUp("a"), madeUp("b"), madeUp("c")];
    for (const own of names) {
      for (const theirs of names) expect(compareNames(theirs, own)).toBe(matching[compareNames(own, theirs)]);
    }
  });

  it("prefers a name that was given, then the greater one", () => {
    expect(compareNames(madeUp("z"), given("a"))).toBe("adopt");
    expect(compareNames(madeUp("a"), madeUp("b"))).toBe("adopt");
    expect(compareNames(given("a"), given("b"))).toBe("reject");
    expect(compareNames(given("a"), madeUp("a"))).toBe("same");
  });
});
