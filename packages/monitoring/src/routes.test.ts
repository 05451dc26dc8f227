import { describe, expect, it } from "vitest";
import { FakeSource, fakeChannel, fakeClient, fakeSubscription, UNLIMITED } from "../test-support/fake-source.ts";
import { get } from "../test-support/get.ts";
import {
  CHANNEL_BAZ_IN_LIST,
  CHANNEL_FOO_BAR,
  CHANNELSZ,
  CHANNELSZ_EMPTY_PAGE,
  CLIENT_A,
  CLIENTSZ,
  local,
  SAMPLE_TIMES,
  SERVERZ,
  STOREZ,
} from "../test-support/golden.ts";

/** The members that tests look at by name. */
interface Parsed {
  readonly cluster_id?: string;
  readonly server_id?: string;
  readonly now?: string;
  readonly names?: readonly string[];
  readonly clients?: readonly unknown[];
  readonly subscriptions?: object;
}

const json = async (source: FakeSource, target: string): Promise<Parsed> =>
  JSON.parse((await get(source, target)).body);

describe("/streaming", () => {
  it("MON-01 answers with a page of HTML whose links are relative", async () => {
    const { status, contentType, body } = await get(new FakeSource(), "/streaming");
    expect({ status, contentType }).toEqual({ status: 200, contentType: "text/html; charset=utf-8" });
    const links = [...body.matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)].map(([, target, label]) => [label, target]);
    expect(links).toEqual([
      ["server", "./streaming/serverz"],
      ["store", "./streaming/storez"],
      ["clients", "./streaming/clientsz"],
      ["channels", "./streaming/channelsz"],
      ["help", expect.stringMatching(/^https:/)],
    ]);
  });
});

describe("/streaming/serverz", () => {
  const busy = (): FakeSource => {
    const source = new FakeSource();
    source.serverSnapshot = {
      ...source.serverSnapshot,
      clients: 2,
      subscriptions: 5,
      channels: 2,
      inMessages: 4,
      inBytes: 288,
      outMessages: 5,
      outBytes: 140,
    };
    source.storeTotals = { messages: 4, bytes: 264 };
    source.fileDescriptors = { open: async () => 30, max: async () => 20_000 };
    return source;
  };

  it("MON-03 prints the recorded answer byte for byte", async () => {
    expect(await get(busy(), "/streaming/serverz")).toEqual({
      status: 200,
      contentType: "application/json",
      body: local(SERVERZ),
    });
  });

  it("MON-03 leaves the file descriptors out where the system does not tell", async () => {
    const source = new FakeSource();
    expect(await json(source, "/streaming/serverz")).not.toHaveProperty("open_fds");
    source.fileDescriptors = { open: async () => 0, max: async () => 0 };
    expect(await json(source, "/streaming/serverz")).not.toHaveProperty("max_fds");
  });

  it("MON-03 answers as a script with a callback", async () => {
    expect(await get(busy(), "/streaming/serverz?callback=show")).toEqual({
      status: 200,
      contentType: "application/javascript",
      body: `show(${local(SERVERZ)})`,
    });
  });

  it("MON-03 names the store's failure", async () => {
    const source = busy();
    source.totalsFailure = new Error("on purpose");
    await expect(get(source, "/streaming/serverz")).rejects.toMatchObject({
      code: "source_failed",
      message: "Error getting information about channels state: on purpose",
    });
  });

  it("names a failure to count the file descriptors or to read their limit", async () => {
    const source = busy();
    source.fileDescriptors = { open: () => Promise.reject(new Error("no proc")), max: async () => 1 };
    await expect(get(source, "/streaming/serverz")).rejects.toThrow("Error getting file descriptors len: no proc");
    source.fileDescriptors = { open: async () => 1, max: () => Promise.reject(new Error("no proc")) };
    await expect(get(source, "/streaming/serverz")).rejects.toThrow("Error getting process limits: no proc");
  });

  it("MON-14 shows role and node ID in a cluster, after the state", async () => {
    const source = busy();
    source.serverSnapshot = { ...source.serverSnapshot, state: "CLUSTERED", role: "Leader", nodeId: "a" };
    const { body } = await get(source, "/streaming/serverz");
    expect(body).toContain('  "state": "CLUSTERED",\n  "role": "Leader",\n  "node_id": "a",\n  "now"');
  });

  it("shows a standby without a cluster ID and with zeros", async () => {
    const source = new FakeSource();
    source.serverSnapshot = { ...source.serverSnapshot, state: "FT_STANDBY", clusterId: "" };
    expect(await json(source, "/streaming/serverz")).toMatchObject({
      cluster_id: "",
      state: "FT_STANDBY",
      clients: 0,
      total_msgs: 0,
    });
  });

  it("prints 64-bit counters with all their digits", async () => {
    const source = new FakeSource();
    source.storeTotals = { messages: 3, bytes: 18_446_744_073_709_551_615n };
    expect((await get(source, "/streaming/serverz")).body).toContain('"total_bytes": 18446744073709551615,');
  });
});

describe("/streaming/storez", () => {
  const limited = (): FakeSource => {
    const source = new FakeSource();
    const global = {
      maxMessages: 1_000_000,
      maxBytes: 1_024_000_000,
      maxAge: 86_400_000_000_000n,
      maxSubscriptions: 1_000,
      maxInactivity: 0,
    };
    source.storeSnapshot = {
      type: "FILE",
      limits: {
        maxChannels: 100,
        ...global,
        channels: [
          { ...global, name: "foo.>", maxMessages: 10 },
          { ...global, name: "foo.bar", maxMessages: 10, maxBytes: 1_048_576, maxAge: 0 },
        ],
      },
    };
    source.storeTotals = { messages: 4, bytes: 264 };
    return source;
  };

  it("MON-07 prints the recorded answer byte for byte", async () => {
    expect(await get(limited(), "/streaming/storez", { time: SAMPLE_TIMES.storez })).toEqual({
      status: 200,
      contentType: "application/json",
      body: local(STOREZ),
    });
  });

  it("MON-07 leaves the limits per channel out when there are none", async () => {
    const source = new FakeSource();
    const { body } = await get(source, "/streaming/storez");
    expect(body).toContain('    "max_inactivity": 0\n  },\n  "total_msgs": 0,\n  "total_bytes": 0\n}');
    expect(JSON.parse(body).limits).not.toHaveProperty("channels");
  });

  it("MON-07 shows the totals of each moment", async () => {
    const source = limited();
    source.storeTotals = { messages: 1_000, bytes: 45_000 };
    expect(await json(source, "/streaming/storez")).toMatchObject({ total_msgs: 1_000, total_bytes: 45_000 });
  });

  it("MON-07 names the store's failure", async () => {
    const source = limited();
    source.totalsFailure = new Error("on purpose");
    await expect(get(source, "/streaming/storez")).rejects.toThrow(
      "Error getting information about channels state: on purpose",
    );
  });

  it("answers as a script with a callback", async () => {
    const { body, contentType } = await get(limited(), "/streaming/storez?callback=a.b", { time: SAMPLE_TIMES.storez });
    expect({ body, contentType }).toEqual({
      body: `a.b(${local(STOREZ)})`,
      contentType: "application/javascript",
    });
  });

  it("keeps entries whose names look like numbers in the order of the source", async () => {
    const source = limited();
    const channels = ["10", "9"].map((name) => ({ ...UNLIMITED, name }));
    source.storeSnapshot = { type: "FILE", limits: { maxChannels: 0, ...UNLIMITED, channels } };
    const { body } = await get(source, "/streaming/storez");
    expect([...body.matchAll(/"(\d+)": \{/g)].map((match) => match[1])).toEqual(["10", "9"]);
  });
});

/** The paging cases of section 4; `shown` are indexes of a list of five. */
const PAGES: readonly (readonly [string, number, number, readonly number[]])[] = [
  ["", 0, 1_024, [0, 1, 2, 3, 4]],
  ["offset=-1", 0, 1_024, [0, 1, 2, 3, 4]],
  ["offset=1", 1, 1_024, [1, 2, 3, 4]],
  ["offset=10", 10, 1_024, []],
  ["limit=-1", 0, 1_024, [0, 1, 2, 3, 4]],
  ["limit=0", 0, 1_024, [0, 1, 2, 3, 4]],
  ["limit=x", 0, 1_024, [0, 1, 2, 3, 4]],
  ["limit=1", 0, 1, [0]],
  ["offset=1&limit=2", 1, 2, [1, 2]],
  ["offset=4&limit=2", 4, 2, [4]],
];

describe("/streaming/clientsz", () => {
  const subscribed = (changes = {}) => ({ channel: "foo", subscription: fakeSubscription(changes) });

  const fiveClients = (): FakeSource => {
    const source = new FakeSource();
    for (const name of ["c3", "c1", "c5", "c2", "c4"]) {
      source.clients.set(name, fakeClient(name, `_INBOX.${name}`, [subscribed({ clientId: name })]));
    }
    return source;
  };

  it("MON-08 prints the recorded page byte for byte", async () => {
    const source = new FakeSource();
    source.clients.set("client-A", fakeClient("client-A", "_INBOX.aSGF008h1vUyNNcMS3xeoy"));
    source.clients.set("client-B", fakeClient("client-B", "_INBOX.aSGF008h1vUyNNcMS3xezS", [subscribed()]));
    expect(await get(source, "/streaming/clientsz?offset=1&limit=1", { time: SAMPLE_TIMES.clientsz })).toEqual({
      status: 200,
      contentType: "application/json",
      body: local(CLIENTSZ),
    });
  });

  it.each(PAGES)(
    "MON-08 answers ?%s with offset %i, limit %i and the clients %j",
    async (query, offset, limit, shown) => {
      const { cluster_id, server_id, now, ...rest } = await json(fiveClients(), `/streaming/clientsz?${query}`);
      expect(rest).toEqual({
        offset,
        limit,
        count: shown.length,
        total: 5,
        clients: shown.map((index) => ({
          id: `c${index + 1}`,
          hb_inbox: `_INBOX.c${index + 1}`,
          subs_count: 1,
        })),
      });
    },
  );

  it("MON-08 shows an empty list as []", async () => {
    const { body } = await get(new FakeSource(), "/streaming/clientsz");
    expect(body.endsWith('  "total": 0,\n  "clients": []\n}')).toBe(true);
  });

  it("MON-08 lists three with their subscriptions after two of five have closed", async () => {
    const source = fiveClients();
    source.clients.delete("c1");
    source.clients.delete("c4");
    const answer = await json(source, "/streaming/clientsz?subs=1");
    expect(answer).toMatchObject({ count: 3, total: 3 });
    expect(answer.clients).toEqual(
      ["c2", "c3", "c5"].map((id) => expect.objectContaining({ id, subscriptions: { foo: [expect.anything()] } })),
    );
  });

  it("leaves out a client that goes between the cutting of the page and its printing", async () => {
    const source = fiveClients();
    source.clients.vanish("c2");
    const answer = await json(source, "/streaming/clientsz");
    expect(answer).toMatchObject({ count: 4, total: 5 });
  });

  it.each(["true", "2", "", "01"])("takes subs=%s as absent", async (value) => {
    const answer = await get(fiveClients(), `/streaming/clientsz?subs=${value}`);
    expect(answer.body).not.toContain("subscriptions");
  });

  it("MON-09 prints the recorded single client byte for byte", async () => {
    const source = new FakeSource();
    const subscriptions = [
      fakeSubscription({ lastSent: 3 }),
      fakeSubscription({
        inbox: "_INBOX.aSGF008h1vUyNNcMS3xf9w",
        ackInbox: "_INBOX.KUHrGoxQSpXTZBqqMAPABT",
        maxInFlight: 2,
        ackWaitSeconds: 60,
        lastSent: 2,
        pendingCount: 2,
        isStalled: true,
      }),
    ].map((subscription) => ({ channel: "foo.bar", subscription }));
    source.clients.set("client-A", fakeClient("client-A", "_INBOX.aSGF008h1vUyNNcMS3xeoy", subscriptions));
    expect((await get(source, "/streaming/clientsz?client=client-A&subs=1")).body).toBe(CLIENT_A);
  });

  it("MON-09 shows ten subscriptions of one client by channel, and none unless asked", async () => {
    const source = new FakeSource();
    const subscriptions = Array.from({ length: 10 }, (_, i) => ({
      channel: i % 2 === 0 ? "foo" : "bar",
      subscription: fakeSubscription({ inbox: `_INBOX.${i}` }),
    }));
    source.clients.set("c", fakeClient("c", "hb", subscriptions));
    expect(await json(source, "/streaming/clientsz?client=c")).toEqual({ id: "c", hb_inbox: "hb", subs_count: 10 });
    const detailed = await json(source, "/streaming/clientsz?client=c&subs=1");
    expect(Object.keys(detailed.subscriptions ?? {})).toEqual(["bar", "foo"]);
    expect(Object.values(detailed.subscriptions ?? {}).map((list) => list.length)).toEqual([5, 5]);
  });

  it("MON-09 leaves subscriptions out for a client that has none", async () => {
    const source = new FakeSource();
    source.clients.set("c", fakeClient("c", "hb"));
    expect(await json(source, "/streaming/clientsz?client=c&subs=1")).toEqual({
      id: "c",
      hb_inbox: "hb",
      subs_count: 0,
    });
  });

  it("MON-09 answers 404 for an unknown client", async () => {
    expect(await get(new FakeSource(), "/streaming/clientsz?client=nope")).toEqual({
      status: 404,
      contentType: "text/plain; charset=utf-8",
      body: "Client nope not found\n",
    });
  });

  it("takes an empty client as absent", async () => {
    expect(await json(fiveClients(), "/streaming/clientsz?client=")).toMatchObject({ count: 5 });
  });
});

describe("/streaming/channelsz", () => {
  const twoChannels = (): FakeSource => {
    const source = new FakeSource();
    const four = Array.from({ length: 4 }, () => fakeSubscription());
    source.channels.set("foo.bar", fakeChannel("foo.bar", { messages: 3, bytes: 204, first: 1, last: 3 }, four));
    const offlineGroup = fakeSubscription({
      clientId: "client-B",
      inbox: "_INBOX.aSGF008h1vUyNNcMS3xfGE",
      ackInbox: "_INBOX.KUHrGoxQSpXTZBqqMAPAH8",
      queueName: "dqoff:off",
      isDurable: true,
      isOffline: true,
      lastSent: 1,
    });
    source.channels.set("baz", fakeChannel("baz", { messages: 1, bytes: 60, first: 1, last: 1 }, [offlineGroup]));
    return source;
  };

  const fiveChannels = (): FakeSource => {
    const source = new FakeSource();
    for (const name of ["ch3", "ch1", "ch5", "ch2", "ch4"]) source.channels.set(name, fakeChannel(name));
    return source;
  };

  it("MON-10 prints the recorded names byte for byte", async () => {
    expect(await get(twoChannels(), "/streaming/channelsz", { time: SAMPLE_TIMES.channelsz })).toEqual({
      status: 200,
      contentType: "application/json",
      body: local(CHANNELSZ),
    });
  });

  it("MON-10 prints the recorded empty page byte for byte: it has no names", async () => {
    const { body } = await get(twoChannels(), "/streaming/channelsz?offset=9", { time: SAMPLE_TIMES.emptyPage });
    expect(body).toBe(local(CHANNELSZ_EMPTY_PAGE));
  });

  it.each(PAGES)(
    "MON-10 answers ?%s with offset %i, limit %i and the names %j",
    async (query, offset, limit, shown) => {
      const { cluster_id, server_id, now, ...rest } = await json(fiveChannels(), `/streaming/channelsz?${query}`);
      const names = shown.map((index) => `ch${index + 1}`);
      expect(rest).toEqual({ offset, limit, count: shown.length, total: 5, ...(names.length > 0 && { names }) });
    },
  );

  it.each(PAGES)(
    "MON-11 answers ?subs=1&%s with offset %i, limit %i and the channels %j",
    async (query, offset, limit, shown) => {
      const source = fiveChannels();
      for (const name of ["ch2", "ch3"]) {
        const kinds = [
          fakeSubscription(),
          fakeSubscription({ isDurable: true, durableName: "dur" }),
          fakeSubscription({ queueName: "group" }),
        ];
        source.channels.set(name, fakeChannel(name, {}, kinds));
      }
      const { cluster_id, server_id, now, ...rest } = await json(source, `/streaming/channelsz?subs=1&${query}`);
      const channels = shown.map((index) => {
        const name = `ch${index + 1}`;
        const some = name === "ch2" || name === "ch3";
        const state = { name, msgs: 0, bytes: 0, first_seq: 0, last_seq: 0, subs_count: some ? 3 : 0 };
        return some ? { ...state, subscriptions: [1, 2, 3].map(() => expect.anything()) } : state;
      });
      expect(rest).toEqual({ offset, limit, count: shown.length, total: 5, ...(channels.length > 0 && { channels }) });
    },
  );

  it("MON-11 prints the recorded element of a detailed list byte for byte", async () => {
    const { body } = await get(twoChannels(), "/streaming/channelsz?subs=1");
    expect(body).toContain(`  "channels": [\n${CHANNEL_BAZ_IN_LIST},\n    {\n      "name": "foo.bar",`);
    expect(body.endsWith("      ]\n    }\n  ]\n}")).toBe(true);
    expect(body).not.toContain('"names"');
  });

  it("MON-12 prints the recorded single channel byte for byte", async () => {
    expect((await get(twoChannels(), "/streaming/channelsz?channel=foo.bar")).body).toBe(CHANNEL_FOO_BAR);
  });

  it("MON-12 shows the subscriptions of a single channel when asked", async () => {
    const answer = await json(twoChannels(), "/streaming/channelsz?channel=foo.bar&subs=1");
    expect(answer.subscriptions).toHaveLength(4);
  });

  it("MON-12 answers 404 for an unknown channel", async () => {
    expect(await get(new FakeSource(), "/streaming/channelsz?channel=nope")).toEqual({
      status: 404,
      contentType: "text/plain; charset=utf-8",
      body: "Channel nope not found\n",
    });
  });

  it.each([
    ["messageState", 'Error getting information about channel "foo": unable to get message state: on purpose'],
    ["sequences", 'Error getting information about channel "foo": unable to get first and last sequence: on purpose'],
  ])("MON-12 names a store that fails in %s, for one channel and in a list", async (method, message) => {
    const source = new FakeSource();
    const fail = (): never => {
      throw new Error("on purpose");
    };
    source.channels.set("foo", { ...fakeChannel("foo"), [method]: fail });
    for (const query of ["channel=foo", "subs=1"]) {
      await expect(get(source, `/streaming/channelsz?${query}`)).rejects.toMatchObject({
        code: "source_failed",
        message,
      });
    }
  });

  it("MON-13 shows an offline durable with its last owner, and a durable group by both its names", async () => {
    const source = new FakeSource();
    const subscriptions = [
      fakeSubscription({ clientId: "me", durableName: "dur", isDurable: true }),
      fakeSubscription({ clientId: "me", durableName: "dur2", isDurable: true, isOffline: true }),
      fakeSubscription({ clientId: "", queueName: "dur:group", isDurable: true, isOffline: true }),
    ];
    source.channels.set("foo", fakeChannel("foo", {}, subscriptions));
    const answer = await json(source, "/streaming/channelsz?channel=foo&subs=1");
    expect(answer.subscriptions).toEqual([
      expect.objectContaining({ client_id: "me", durable_name: "dur", is_durable: true, is_offline: false }),
      expect.objectContaining({ client_id: "me", durable_name: "dur2", is_durable: true, is_offline: true }),
      expect.objectContaining({ client_id: "", queue_name: "dur:group", is_durable: true, is_offline: true }),
    ]);
  });

  it("touches only the channels of its page among 100,000", async () => {
    const source = new FakeSource();
    for (let i = 0; i < 100_000; i++) source.channels.set(`ch.${i}`, fakeChannel(`ch.${i}`));
    const names = await json(source, "/streaming/channelsz?offset=50000&limit=3");
    expect(names).toMatchObject({ count: 3, total: 100_000 });
    expect(source.channels.found).toEqual([]);
    await get(source, "/streaming/channelsz?offset=50000&limit=3&subs=1");
    expect(source.channels.found).toEqual(names.names);
  });

  it("escapes a name in the answer as in the original", async () => {
    const source = new FakeSource();
    source.channels.set('a<b>&"c"', fakeChannel('a<b>&"c"'));
    const { body } = await get(source, "/streaming/channelsz");
    expect(body).toContain('    "a\\u003cb\\u003e\\u0026\\"c\\""');
    expect(JSON.parse(body).names).toEqual(['a<b>&"c"']);
  });
});

describe("/streaming/isFTActive", () => {
  it.each([
    ["FT_ACTIVE", 200],
    ["FT_STANDBY", 204],
    ["STANDALONE", 204],
    ["CLUSTERED", 204],
    ["FAILED", 204],
    ["SHUTDOWN", 204],
  ] as const)("MON-04 answers for %s with %i, no body and no content type", async (state, status) => {
    const source = new FakeSource();
    source.serverSnapshot = { ...source.serverSnapshot, state };
    expect(await get(source, "/streaming/isFTActive")).toEqual({ status, contentType: undefined, body: "" });
  });
});

describe("callback", () => {
  it.each(["show", "$", "jQuery111_222", "angular.callbacks._0", "list[0].take"])("takes %s", async (name) => {
    const source = new FakeSource();
    const { body } = await get(source, `/streaming/channelsz?callback=${encodeURIComponent(name)}`);
    expect(body.startsWith(`${name}({\n`)).toBe(true);
    expect(body.endsWith("\n})")).toBe(true);
  });

  it.each(["alert(1)//", "a b", "</script>", "a.", "x".repeat(257)])("refuses %s", async (name) => {
    for (const path of ["serverz", "channelsz"]) {
      const answer = await get(new FakeSource(), `/streaming/${path}?callback=${encodeURIComponent(name)}`);
      expect(answer.status).toBe(400);
      expect(answer.contentType).toBe("text/plain; charset=utf-8");
      expect(answer.body).toContain("use the name of a function");
    }
  });
});
