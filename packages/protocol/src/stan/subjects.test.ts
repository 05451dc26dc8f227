import { describe, expect, it } from "vitest";
import { faultToleranceSubject, partitionSubject } from "../spb/index.ts";
import { clientSubjects, pingSubject } from "./subjects.ts";

describe("PROTO 3.1 client-facing subjects", () => {
  it("PROTO 3.1 are made of the cluster ID", () => {
    expect(clientSubjects({ clusterId: "test-cluster" })).toEqual({
      discovery: "_STAN.discover.test-cluster",
      pings: "_STAN.discover.test-cluster.pings",
      publish: "_STAN.pub.test-cluster",
      subscribe: "_STAN.sub.test-cluster",
      unsubscribe: "_STAN.unsub.test-cluster",
      close: "_STAN.close.test-cluster",
      subClose: "_STAN.subclose.test-cluster",
      acksSubs: "_STAN.ack.test-cluster",
    });
  });

  it("PROTO 3.1.1 take another discover prefix for the discover and the ping subject only", () => {
    expect(clientSubjects({ clusterId: "c", discoverPrefix: "my.find" })).toEqual({
      ...clientSubjects({ clusterId: "c" }),
      discovery: "my.find.c",
      pings: "my.find.c.pings",
    });
  });

  it("PROTO 3.1.1 add .pings to a discover subject that was recovered", () => {
    expect(pingSubject("old.prefix.c")).toBe("old.prefix.c.pings");
  });

  it("PROTO 3.1.3 allow dots in the cluster ID", () => {
    expect(clientSubjects({ clusterId: "my.cluster" }).publish).toBe("_STAN.pub.my.cluster");
  });
});

describe("PROTO 3.2 subjects between servers", () => {
  it("PROTO 3.2 are made of cluster ID and group", () => {
    expect(partitionSubject("my.cluster")).toBe("_STAN.part.my.cluster");
    expect(faultToleranceSubject("c", "g")).toBe("_STAN.ft.c.g");
  });
});
