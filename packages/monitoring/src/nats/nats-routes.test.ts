import type { Clock } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { bodyText } from "../../test-support/body-text.ts";
import {
  fakeBroker,
  fakeBrokerSubscription,
  fakeConnection,
  SETTINGS,
  withSubscriptions,
} from "../../test-support/fake-broker.ts";
import { clockAt } from "../../test-support/fake-source.ts";
import { type Answer, STRANGER } from "../../test-support/get.ts";
import { local, SAMPLE_TIMES } from "../../test-support/golden.ts";
import { type BrokerDirectory, type BrokerSubscription, idleBroker } from "../broker-directory.ts";
import { TURN_UNITS_MAX } from "../turns.ts";
import { natsRoutes } from "./nats-routes.ts";

async function get(
  target: string,
  broker: BrokerDirectory = fakeBroker(),
  requests: ReadonlyMap<string, number> = new Map(),
): Promise<Answer> {
  const [path = "", query = ""] = target.split("?");
  const route = natsRoutes(broker, clockAt(SAMPLE_TIMES.serverz), requests).get(path);
  if (route === undefined) throw new Error(`no route ${path}`);
  const response = await route(new URLSearchParams(query), STRANGER);
  return { status: response.status, contentType: response.contentType, body: await bodyText(response) };
}

const json = async (target: string, broker?: BrokerDirectory): Promise<Record<string, unknown>> =>
  JSON.parse((await get(target, broker)).body);

// The keys that nats-server 2.9.10 prints, in its order; what it prints of features that are not here is left out.
const VARZ_KEYS =
  "server_id server_name version proto go host port max_connections ping_interval ping_max http_host http_port " +
  "http_base_path https_port auth_timeout max_control_line max_payload max_pending cluster gateway leaf mqtt websocket " +
  "jetstream write_deadline start now uptime mem cores gomaxprocs cpu connections total_connections routes remotes " +
  "leafnodes in_msgs out_msgs in_bytes out_bytes slow_consumers subscriptions http_req_stats config_load_time";

describe("/varz", () => {
  it("has the keys of nats-server in its order, and its numbers", async () => {
    const { body } = await get(
      "/varz",
      fakeBroker(),
      new Map([
        ["/varz", 2],
        ["/", 1],
      ]),
    );
    const varz = JSON.parse(body);
    expect(Object.keys(varz).join(" ")).toBe(VARZ_KEYS);
    expect(varz).toMatchObject({
      ping_interval: 120_000_000_000,
      write_deadline: 10_000_000_000,
      auth_timeout: 2,
      cluster: { name: "cc", addr: "127.0.0.1", cluster_port: 6_333 },
      start: local("2026-11-22T13:57:48.845200655Z"),
      uptime: "1s",
      connections: 1,
      total_connections: 3,
      routes: 1,
      in_bytes: 1_365,
      subscriptions: 85,
      http_req_stats: { "/": 1, "/varz": 2 },
    });
    expect(varz.mem).toBeGreaterThan(1_000_000);
    expect(varz.cores).toBeGreaterThan(0);
  });

  it("says that a login or TLS is required only where it is", async () => {
    const varz = await json("/varz", fakeBroker({ settings: { ...SETTINGS, authRequired: true, tlsRequired: true } }));
    expect(varz).toMatchObject({ auth_required: true, tls_required: true });
  });

  it("describes an idle NATS server where none is embedded", async () => {
    const broker = idleBroker({ serverId: "NX", version: "2.9.10", settings: SETTINGS, uptimeMillis: () => 5_000 });
    expect(await json("/varz", broker)).toMatchObject({ port: 4_222, connections: 0, subscriptions: 0, uptime: "5s" });
    expect(await json("/connz", broker)).toMatchObject({ num_connections: 0, connections: [] });
    expect(await json("/routez", broker)).toMatchObject({ num_routes: 0, routes: [] });
    expect(await json("/subsz?subs=1", broker)).toMatchObject({ total: 0, subscriptions_list: [] });
  });
});

describe("/connz", () => {
  it("prints a connection as nats-server does", async () => {
    expect((await get("/connz?subs=1")).body).toBe(
      local(`{
  "server_id": "NAP4CL7FCACY4K6MTBD7LH6MWZO7YG7YRARKJG2VT2SUAC2IUTZZI7DP",
  "now": "2026-11-22T13:57:50.633200655Z",
  "num_connections": 1,
  "total": 1,
  "offset": 0,
  "limit": 1024,
  "connections": [
    {
      "cid": 5,
      "kind": "Client",
      "type": "nats",
      "ip": "127.0.0.1",
      "port": 35084,
      "start": "2026-11-22T13:57:50.544200655Z",
      "last_activity": "2026-11-22T13:57:50.553200655Z",
      "rtt": "5.240662ms",
      "uptime": "0s",
      "idle": "0s",
      "pending_bytes": 0,
      "in_msgs": 1,
      "out_msgs": 1,
      "in_bytes": 1,
      "out_bytes": 1,
      "subscriptions": 2,
      "name": "cli",
      "lang": "nats.js",
      "version": "2.29.3",
      "subscriptions_list": [
        "foo.bar",
        "q"
      ]
    }
  ]
}`),
    );
  });

  it("shows the user and each subscription on request", async () => {
    const [connection] = (await json("/connz?subs=detail&auth=true"))["connections"] as Record<string, unknown>[];
    expect(connection).toMatchObject({
      authorized_user: "me",
      subscriptions_list_detail: [
        { subject: "foo.bar", sid: "1", msgs: 2, max: 10, cid: 5 },
        { subject: "q", qgroup: "grp", sid: "7", msgs: 0, cid: 5 },
      ],
    });
    const [first] = (connection?.["subscriptions_list_detail"] ?? []) as object[];
    expect(Object.keys(first ?? {})).toEqual(["subject", "sid", "msgs", "max", "cid"]);
    expect(connection).not.toHaveProperty("subscriptions_list");
  });

  const A = fakeBrokerSubscription("a", { sid: "1" });
  const three = fakeBroker({
    connections: () => [
      fakeConnection({ id: 1, inMessages: 5, outBytes: 1, idleMillis: 30, ...withSubscriptions([]) }),
      fakeConnection({ id: 2, inMessages: 9, outBytes: 7, idleMillis: 10, ...withSubscriptions([A]) }),
      fakeConnection({ id: 3, user: "you", inMessages: 1, outBytes: 3, idleMillis: 20, ...withSubscriptions([A, A]) }),
    ],
  });
  const ids = async (query: string): Promise<unknown[]> =>
    ((await json(`/connz?${query}`, three))["connections"] as { cid: unknown }[]).map(({ cid }) => cid);

  it.each([
    ["", [1, 2, 3]],
    ["sort=subs", [3, 2, 1]],
    ["sort=msgs_from", [2, 1, 3]],
    ["sort=bytes_to", [2, 3, 1]],
    ["sort=idle", [1, 3, 2]],
    ["sort=last", [2, 3, 1]],
    ["offset=1&limit=1", [2]],
    ["offset=9", []],
    ["limit=-1", [1, 2, 3]],
    ["cid=3", [3]],
    ["cid=7", []],
    ["state=closed", []],
    ["state=any", [1, 2, 3]],
    ["user=me", [1, 2]],
    ["auth=1&user=me&offset=1", [2]],
    ["user=me&cid=3", []],
    ["acc=$G", [1, 2, 3]],
    ["acc=OTHER", []],
    ["mqtt_client=x", []],
  ])("answers ?%s with the connections %j", async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it.each([
    ["user=you", 1, 3],
    ["user=nobody", 0, 3],
    ["cid=3", 1, 3],
    ["acc=OTHER", 0, 0],
  ])("counts for ?%s %i connections of %i", async (query, shown, total) => {
    expect(await json(`/connz?${query}`, three)).toMatchObject({ num_connections: shown, total });
  });

  it.each([
    ["sort=nope", "invalid sorting option: nope"],
    ["sort=stop", "sort by stop only valid on closed connections"],
    ["state=foo", "Error decoding state for foo"],
    ["offset=x", `Error decoding int for 'offset': strconv.Atoi: parsing "x": invalid syntax`],
    [
      "limit=99999999999999999999",
      `Error decoding int for 'limit': strconv.Atoi: parsing "99999999999999999999": value out of range`,
    ],
    ["subs=2", `Error decoding boolean for 'subs': strconv.ParseBool: parsing "2": invalid syntax`],
  ])("answers ?%s with 400 and the words of nats-server", async (query, body) => {
    expect(await get(`/connz?${query}`)).toEqual({ status: 400, contentType: "text/plain; charset=utf-8", body });
  });

  it("lets errors of its own be errors", async () => {
    const broken = fakeBroker({
      connections: () => {
        throw new Error("on purpose");
      },
    });
    await expect(get("/connz", broken)).rejects.toThrow("on purpose");
  });
});

describe("/connz and /subsz of 20,000 subscriptions", () => {
  it.each(["/connz?subs=detail", "/subsz?subs=1&limit=100000", "/subsz?subs=1&limit=100000&test=foo.bar"])(
    "%s reads a bounded number of them in a turn",
    async (path) => {
      const one = fakeBrokerSubscription("foo.bar", { sid: "1" });
      let read = 0;
      const perTurn: number[] = [];
      const subscriptions = function* (): Iterable<BrokerSubscription> {
        for (let i = 0; i < 20_000; i++) {
          read++;
          yield one;
        }
      };
      const broker = fakeBroker({
        connections: () => [fakeConnection({ subscriptionCount: 20_000, subscriptions })],
      });
      const clock: Clock = {
        ...clockAt(SAMPLE_TIMES.serverz),
        monotonicMillis: () => 0,
        defer(callback): void {
          perTurn.push(read);
          read = 0;
          queueMicrotask(callback);
        },
      };
      const [name = "", query] = path.split("?");
      const route = natsRoutes(broker, clock, new Map()).get(name)!;
      const text = await bodyText(await route(new URLSearchParams(query), STRANGER));
      expect(text.match(/"foo\.bar"/g)).toHaveLength(20_000);
      expect(JSON.parse(text)).toBeTypeOf("object");
      expect(Math.max(...perTurn, read)).toBeLessThanOrEqual(TURN_UNITS_MAX);
    },
  );
});

describe("/routez", () => {
  it("prints a route as nats-server does, its subscriptions on request", async () => {
    expect(await json("/routez")).toMatchObject({ num_routes: 1 });
    const [route] = (await json("/routez?subs=1"))["routes"] as Record<string, unknown>[];
    expect(Object.keys(route ?? {}).join(" ")).toBe(
      "rid remote_id remote_name did_solicit is_configured ip port start last_activity rtt uptime idle pending_size " +
        "in_msgs out_msgs in_bytes out_bytes subscriptions subscriptions_list",
    );
    expect(route).toMatchObject({ rid: 4, rtt: "0s", subscriptions: 1, subscriptions_list: ["foo.bar"] });
  });
});

describe("/subsz", () => {
  it("counts the subscriptions, and lists those of clients and of this process by the page", async () => {
    const numbers = {
      num_subscriptions: 85,
      num_cache: 6,
      num_inserts: 100,
      num_removes: 15,
      num_matches: 8,
      cache_hit_rate: 0.25,
      max_fanout: 3,
      avg_fanout: 1.5,
    };
    expect(await json("/subsz")).toEqual(numbers);
    expect(Object.keys(await json("/subsz"))).toEqual(Object.keys(numbers));
    expect(await json("/subscriptionsz")).toEqual(numbers);
    expect(Object.keys(await json("/subsz?subs=1"))).toEqual([
      ...["server_id", "now"],
      ...Object.keys(numbers),
      ...["total", "offset", "limit", "subscriptions_list"],
    ]);
    expect(await json("/subsz?subs=1&offset=1")).toMatchObject({
      num_subscriptions: 85,
      total: 3,
      offset: 1,
      limit: 1_024,
      subscriptions_list: [
        { account: "$G", subject: "q", qgroup: "grp", sid: "7", msgs: 0, cid: 5 },
        { account: "$G", subject: "_STAN.discover.test-cluster", msgs: 4, name: "_NSS-test-cluster-general" },
      ],
    });
  });
});

describe("/subsz?test", () => {
  const broker = fakeBroker({
    connections: () => [
      fakeConnection({
        ...withSubscriptions(["foo.*", "bar", "foo.>"].map((subject) => fakeBrokerSubscription(subject))),
      }),
    ],
    localBuses: () => [
      { name: "general", subscriptionCount: 1, subscriptions: () => [fakeBrokerSubscription("foo.bar")] },
    ],
  });

  it.each([
    ["test=foo.bar", 3, ["foo.*", "foo.>", "foo.bar"]],
    ["test=foo.bar&offset=1&limit=1", 3, ["foo.>"]],
    ["test=foo.bar.baz", 1, ["foo.>"]],
    ["test=nope", 0, []],
    ["acc=$G&test=bar", 1, ["bar"]],
    ["acc=OTHER", 0, []],
    ["acc=OTHER&test=bar", 0, []],
  ])("lists for ?%s %i subscription(s), of which %j are on the page", async (query, total, subjects) => {
    const answer = await json(`/subsz?subs=1&${query}`, broker);
    expect(answer["total"]).toBe(total);
    expect((answer["subscriptions_list"] as { subject: string }[]).map(({ subject }) => subject)).toEqual(subjects);
    expect(answer["num_subscriptions"]).toBe(query.includes("OTHER") ? 0 : 85);
  });

  it.each(["subs=1&test=foo.*", "test=a..b"])("?%s is not a subject to publish to", async (query) => {
    const test = query.split("=").at(-1) ?? "";
    const body = `invalid test subject, must be valid publish subject: ${test}`;
    expect(await get(`/subsz?${query}`, broker)).toEqual({
      status: 400,
      contentType: "text/plain; charset=utf-8",
      body,
    });
  });
});

it("wraps an answer in a callback", async () => {
  const { body, contentType } = await get("/subsz?callback=show");
  expect(contentType).toBe("application/javascript");
  expect(body).toMatch(/^show\(\{\n {2}"num_subscriptions": 85,\n[^)]*\n\}\)$/);
});
