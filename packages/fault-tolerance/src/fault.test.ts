import { describe, expect, it } from "vitest";
import { type FaultToleranceSetup, faultToleranceFault } from "./fault.ts";

const good: FaultToleranceSetup = { group: "ft", storeKind: "FILE", directory: "/data", clustered: false };

describe("the configuration of a member", () => {
  it("FT-01 is refused with a memory store", () => {
    expect(faultToleranceFault({ ...good, storeKind: "MEMORY", directory: "" })).toBe(
      "ft: only FILE or SQL stores supported in FT mode",
    );
  });

  it("is fine with a file store that has a directory, and with an SQL store that has none", () => {
    expect(faultToleranceFault(good)).toBeUndefined();
    expect(faultToleranceFault({ ...good, storeKind: "SQL", directory: "" })).toBeUndefined();
  });

  it("is refused with a file store without a directory", () => {
    expect(faultToleranceFault({ ...good, directory: "" })).toBe("for FILE stores, root directory must be specified");
  });

  it("is refused together with clustering", () => {
    expect(faultToleranceFault({ ...good, clustered: true })).toBe(
      "ft: fault tolerance and clustering exclude each other: take ft_group or the clustering options out of the configuration",
    );
  });

  it("is nobody's business without a group", () => {
    expect(faultToleranceFault({ group: "", storeKind: "MEMORY", directory: "", clustered: true })).toBeUndefined();
  });

  it("takes any group name that can be part of a subject", () => {
    for (const group of ["ft", "my.group", "a-b_c", "größe", "foo*", ">x"]) {
      expect(faultToleranceFault({ ...good, group }), group).toBeUndefined();
    }
  });

  it.each(["a b", "a\tb", "a..b", ".a", "a.", "*", "a.*", "a.>", "\x7f"])(
    "is refused with the group name %j",
    (group) => {
      expect(faultToleranceFault({ ...good, group })).toMatch(
        /^ft: group name ".*" cannot be part of a NATS subject: /,
      );
    },
  );

  it("shows the group name as it was written", () => {
    expect(faultToleranceFault({ ...good, group: "größe 1" })).toContain('"größe 1"');
  });
});
