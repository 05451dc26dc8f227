import { describe, expect, it } from "vitest";
import { FakeSource } from "../test-support/fake-source.ts";
import { get } from "../test-support/get.ts";
import { local } from "../test-support/golden.ts";
import type { PartitionSnapshot } from "./partition-snapshot.ts";

const OWN = "KUHrGoxQSpXTZBqqMAPA3v";

const MAP: PartitionSnapshot = {
  servers: [
    {
      serverId: OWN,
      kind: "partitioned",
      phase: "serving",
      since: 1_795_355_864_000,
      clientCount: 2,
      entries: ["foo.>", "bar"],
    },
    {
      serverId: "ZZZZZZZZZZZZZZZZZZZZZZ",
      kind: "other",
      phase: "unknown",
      since: 0,
      clientCount: undefined,
      entries: ["baz"],
    },
  ],
  conflicts: [{ name: "bar", servers: [OWN, "ZZZZZZZZZZZZZZZZZZZZZZ"] }],
  unowned: [{ channel: "lost", serverIds: [OWN] }],
  isComplete: false,
};

const json = async (source: FakeSource, query = ""): Promise<Record<string, unknown>> =>
  JSON.parse((await get(source, `/streaming/partitionsz${query}`)).body);

describe("/streaming/partitionsz", () => {
  it("shows the servers, who of them is this one, their entries, conflicts and channels without owner", async () => {
    const source = new FakeSource();
    source.partitionMap = MAP;
    const { body, contentType } = await get(source, "/streaming/partitionsz");
    expect(contentType).toBe("application/json");
    expect(body).toBe(
      local(`{
  "cluster_id": "test-cluster",
  "server_id": "${OWN}",
  "now": "2026-11-22T13:57:50.633200655Z",
  "partitioning": true,
  "complete": false,
  "offset": 0,
  "limit": 1024,
  "servers": [
    {
      "server_id": "${OWN}",
      "self": true,
      "kind": "partitioned",
      "state": "serving",
      "since": "2026-11-22T13:57:44Z",
      "clients": 2,
      "entries_total": 2,
      "entries": [
        "foo.\\u003e",
        "bar"
      ]
    },
    {
      "server_id": "ZZZZZZZZZZZZZZZZZZZZZZ",
      "self": false,
      "kind": "other",
      "state": "unknown",
      "entries_total": 1,
      "entries": [
        "baz"
      ]
    }
  ],
  "conflicts_total": 1,
  "conflicts": [
    {
      "name": "bar",
      "servers": [
        "${OWN}",
        "ZZZZZZZZZZZZZZZZZZZZZZ"
      ]
    }
  ],
  "unowned_total": 1,
  "unowned": [
    {
      "channel": "lost",
      "stored_by": [
        "${OWN}"
      ]
    }
  ]
}`),
    );
  });

  it("says that there is no partitioning", async () => {
    expect(await json(new FakeSource())).toMatchObject({
      partitioning: false,
      complete: true,
      servers: [],
      conflicts: [],
    });
  });

  it("pages each list and tells its whole length", async () => {
    const source = new FakeSource();
    source.partitionMap = { ...MAP, unowned: ["a", "b", "c"].map((channel) => ({ channel, serverIds: [OWN] })) };
    expect(await json(source, "?offset=1&limit=1")).toMatchObject({
      offset: 1,
      limit: 1,
      servers: [
        { entries_total: 2, entries: ["bar"] },
        { entries_total: 1, entries: [] },
      ],
      conflicts_total: 1,
      conflicts: [],
      unowned_total: 3,
      unowned: [{ channel: "b" }],
    });
  });
});
