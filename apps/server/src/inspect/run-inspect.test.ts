import { describe, expect, it } from "vitest";
import { type InspectIo, runInspect } from "./run-inspect.ts";

interface Run {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  /** Paths that were asked for, with their queries. */
  readonly asked: readonly string[];
  readonly authorization: readonly (string | null)[];
}

type Answer = { readonly status?: number; readonly body: unknown };

/** Runs a command against a server that answers by path; a function sees the query. */
async function run(
  argv: readonly string[],
  answers: Readonly<Record<string, Answer["body"] | ((query: URLSearchParams) => unknown)>>,
  io: Partial<InspectIo> & { readonly status?: number } = {},
): Promise<Run> {
  let out = "";
  let err = "";
  const asked: string[] = [];
  const authorization: (string | null)[] = [];
  const status = await runInspect(argv, {
    stdout: (text) => {
      out += text;
    },
    stderr: (text) => {
      err += text;
    },
    fetch: async (input, init) => {
      const url = new URL(String(input));
      asked.push(url.pathname + url.search);
      authorization.push(new Headers(init?.headers).get("authorization"));
      const answer = answers[url.pathname];
      const body = typeof answer === "function" ? answer(url.searchParams) : answer;
      if (body instanceof Error) throw body;
      return new Response(typeof body === "string" ? body : JSON.stringify(body), { status: io.status ?? 200 });
    },
    columns: undefined,
    env: {},
    program: "nss",
    sleep: async () => {},
    ...io,
  });
  return { status, out, err, asked, authorization };
}

const CHANNEL = {
  name: "foo.bar",
  msgs: 1_234,
  bytes: 5_000,
  first_seq: 1,
  last_seq: 1_234,
  subs_count: 2,
  backlogs: [
    { kind: "durable", lag_msgs: 12, oldest_age_ms: 90_000, stalled_count: 1, stalled_ms: 61_000 },
    { kind: "plain", lag_msgs: 3, stalled_count: 0, stalled_ms: 0 },
  ],
};

const SUBSCRIPTION = {
  client_id: "me",
  inbox: "_INBOX.a",
  durable_name: "dur",
  is_offline: false,
  max_inflight: 10,
  ack_wait: 30,
  last_sent: 7,
  pending_count: 10,
  is_stalled: true,
};

describe("channels", () => {
  const path = "/streaming/channelsz";

  it("prints what channels hold and how far subscribers are behind", async () => {
    const { status, out, asked } = await run(["channels"], { [path]: { total: 1, channels: [CHANNEL] } });
    expect(status).toBe(0);
    expect(asked).toEqual(["/streaming/channelsz?details=1&offset=0&limit=256"]);
    expect(out).toBe(
      "CHANNEL  MESSAGES     SIZE  FIRST   LAST  SUBS  LAG  OLDEST  STATE\n" +
        "foo.bar     1,234  4.9 KiB      1  1,234     2   12    1.5m  stalled 1.0m\n",
    );
  });

  it("goes on with the next page until it has all, or as many as wanted", async () => {
    const answer = (query: URLSearchParams) => {
      const offset = Number(query.get("offset"));
      const names = Array.from(
        { length: Math.min(600 - offset, Number(query.get("limit"))) },
        (_, i) => `c${offset + i}`,
      );
      return { total: 600, channels: names.map((name) => ({ ...CHANNEL, name })) };
    };
    const all = await run(["channels", "--json"], { [path]: answer });
    expect(JSON.parse(all.out)).toHaveLength(600);
    expect(all.asked).toHaveLength(3);
    const some = await run(["channels", "--json", "--limit", "300", "--offset", "10"], { [path]: answer });
    const names = JSON.parse(some.out).map(({ name }: { name: string }) => name);
    expect([names.length, names[0], names.at(-1)]).toEqual([300, "c10", "c309"]);
  });

  it("asks for names with a part, and says when there are none", async () => {
    const empty = { [path]: { total: 0 } };
    const found = await run(["channels", "a&b"], empty);
    expect(found.asked).toEqual(["/streaming/channelsz?details=1&match=a%26b&offset=0&limit=256"]);
    expect(found.out).toBe('No channel\'s name contains "a&b".\n');
    expect((await run(["channels"], empty)).out).toBe("There are no channels.\n");
    expect((await run(["channels", "--json"], empty)).out).toBe("[]\n");
  });

  it("writes control characters out: a name must not move the cursor", async () => {
    const { out } = await run(["channels"], { [path]: { total: 1, channels: [{ ...CHANNEL, name: "a\u001b[2Jb" }] } });
    expect(out).toContain("a\\u001b[2Jb");
    expect(out).not.toContain("\u001b");
  });
});

describe("clients and subscriptions", () => {
  it("lists clients, and the subscriptions of one", async () => {
    const list = { total: 1, clients: [{ id: "me", subs_count: 1, hb_inbox: "_INBOX.hb" }] };
    expect((await run(["clients"], { "/streaming/clientsz": list })).out).toBe(
      "CLIENT  SUBSCRIPTIONS  HEARTBEAT INBOX\nme                  1  _INBOX.hb\n",
    );
    const one = { id: "me", subscriptions: { foo: [SUBSCRIPTION] } };
    const { out, asked } = await run(["clients", "me"], { "/streaming/clientsz": one });
    expect(asked).toEqual(["/streaming/clientsz?client=me&subs=1"]);
    expect(out).toBe(
      "CHANNEL  CLIENT  DURABLE OR GROUP  STATE    LAST SENT  PENDING  MAX  ACK WAIT\n" +
        "foo      me      dur               stalled          7       10   10       30s\n",
    );
  });

  it("lists the subscriptions of a channel, of a client on it, of a client, and of all", async () => {
    const other = { ...SUBSCRIPTION, client_id: "you", is_offline: true };
    const channel = { name: "foo", subscriptions: [SUBSCRIPTION, other] };
    const answers = {
      "/streaming/channelsz": (query: URLSearchParams) =>
        query.has("channel") ? channel : { total: 1, channels: [channel] },
      "/streaming/clientsz": { id: "me", subscriptions: { foo: [SUBSCRIPTION] } },
    };
    const rows = async (...argv: string[]): Promise<unknown[]> =>
      JSON.parse((await run(["subscriptions", "--json", ...argv], answers)).out).map(
        (row: Record<string, unknown>) => `${row["channel"]} ${row["client_id"]}`,
      );
    expect(await rows("foo")).toEqual(["foo me", "foo you"]);
    expect(await rows("foo", "--client", "you")).toEqual(["foo you"]);
    expect(await rows("--client", "me")).toEqual(["foo me"]);
    expect(await rows()).toEqual(["foo me", "foo you"]);
    expect(await rows("--limit", "1")).toEqual(["foo me"]);
    expect((await run(["subscriptions", "foo"], answers)).out).toContain("offline");
  });
});

describe("messages", () => {
  const path = "/streaming/messagesz";
  const message = (seq: number, data: string | Uint8Array) => ({
    seq,
    time: "2026-11-22T13:57:50Z",
    size: Buffer.from(data).length,
    data: Buffer.from(data).toString("base64"),
  });
  const page = (...messages: object[]) => ({ next: 0, messages });

  it("prints each in the form that suits it", async () => {
    const answer = page(
      message(1, '{"a":[1]}'),
      message(2, "two\n\u001b[31mlines"),
      message(3, new Uint8Array([0, 255, 65])),
      message(4, ""),
    );
    const { out } = await run(["messages", "foo"], { [path]: answer });
    expect(out).toBe(
      '#1  2026-11-22T13:57:50Z  9 B\n{\n  "a": [\n    1\n  ]\n}\n' +
        "#2  2026-11-22T13:57:50Z  14 B\n" +
        "000000  74 77 6f 0a 1b 5b 33 31 6d 6c 69 6e 65 73        two..[31mlines\n" +
        "#3  2026-11-22T13:57:50Z  3 B\n000000  00 ff 41                                         ..A\n" +
        "#4  2026-11-22T13:57:50Z  0 B\n",
    );
  });

  it("prints them in the form asked for, without what could move the cursor", async () => {
    const { out } = await run(["messages", "foo", "--as", "text"], { [path]: page(message(1, "a\tb\n\u001b[31mc")) });
    expect(out).toBe("#1  2026-11-22T13:57:50Z  10 B\na\tb\n\\u001b[31mc\n");
  });

  it.each([
    [["--last", "3"], "last=3&count=3"],
    [["--from", "17"], "from=17&count=25"],
    [["--from", "2026-11-22T13:57:50Z", "--count", "2"], "time=2026-11-22T13%3A57%3A50Z&count=2"],
    [[], "from=1&count=25"],
  ])("asks with %j for %s", async (flags, query) => {
    const { asked, out } = await run(["messages", "a b", ...flags], { [path]: page() });
    expect(asked).toEqual([`/streaming/messagesz?channel=a%20b&full=1&${query}`]);
    expect(out).toBe("There are no messages there in a b.\n");
  });

  it("goes on where the last page ended, until it has as many as wanted", async () => {
    const answer = (query: URLSearchParams) => {
      const from = Number(query.get("from"));
      const size = Number(query.get("count"));
      return { next: from + size, messages: Array.from({ length: size }, (_, i) => message(from + i, "x")) };
    };
    const { out, asked } = await run(["messages", "foo", "--count", "300", "--json"], { [path]: answer });
    expect(JSON.parse(out).map(({ seq }: { seq: number }) => seq)).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
    expect(asked).toHaveLength(2);
  });

  it.each([
    [["--last", "0"], '--last "0" is no number from 1 to 256'],
    [["--count", "x"], '--count "x" is no number from 1 to 1000000'],
    [["--as", "xml"], '--as "xml" is none of json, text, hex'],
  ])("refuses %j", async (flags, text) => {
    const { status, err, asked } = await run(["messages", "foo", ...flags], {});
    expect({ status, err, asked }).toEqual({ status: 2, err: `nss: ${text}\n`, asked: [] });
  });
});

describe("top", () => {
  const server = (messages: number) => ({
    cluster_id: "test-cluster",
    server_id: "KUHrGoxQSpXTZBqqMAPA3v",
    state: "STANDALONE",
    uptime: "5s",
    clients: 2,
    subscriptions: 5,
    channels: 2,
    total_msgs: 4,
    total_bytes: 264,
    in_msgs: messages,
    in_bytes: messages * 100,
    out_msgs: 0,
    out_bytes: 0,
  });

  it("looks twice and prints rates, the busiest channel first; without a terminal once", async () => {
    let looks = 0;
    const answers = {
      "/streaming/serverz": () => server(looks++ * 1_000_000),
      "/streaming/channelsz": () => ({
        channels: [
          { ...CHANNEL, name: "idle", last_seq: 5, backlogs: [] },
          { ...CHANNEL, name: "busy", last_seq: looks * 1_000_000 },
        ],
      }),
    };
    const { status, out } = await run(["top"], answers);
    expect(status).toBe(0);
    expect(out).toContain("test-cluster  KUHrGoxQSpXTZBqqMAPA3v  STANDALONE  up 5s\n");
    const names = out.split("\n").flatMap((line) => /^(idle|busy) /.exec(line)?.[1] ?? []);
    expect(names).toEqual(["busy", "idle"]);
    expect(out).not.toContain("\u001b");
    const json = JSON.parse((await run(["top", "--json", "--limit", "1"], answers)).out);
    expect(json.channels).toEqual([expect.objectContaining({ name: "busy" })]);
    expect(json.in_msgs_per_second).toBeGreaterThan(0);
  });

  it("goes on in a terminal until it is ended, and ends in order", async () => {
    const ending = new AbortController();
    let sleeps = 0;
    const answers = { "/streaming/serverz": server(0), "/streaming/channelsz": { channels: [CHANNEL] } };
    const { status, out } = await run(["top", "--every", "0.5"], answers, {
      columns: 80,
      signal: ending.signal,
      sleep: async (millis) => {
        expect(millis).toBe(500);
        if (++sleeps === 3) ending.abort();
      },
    });
    expect(status).toBe(0);
    expect(out.split("\u001b[H\u001b[J")).toHaveLength(3);
  });

  it("refuses a time that is none", async () => {
    expect(await run(["top", "--every", "0"], {})).toMatchObject({ status: 2 });
  });
});

describe("failures", () => {
  it("says that the server does not answer and what to do", async () => {
    const failure = new Error("fetch failed", { cause: new Error("connect ECONNREFUSED 127.0.0.1:8222") });
    const { status, err } = await run(["clients"], { "/streaming/clientsz": failure });
    expect(status).toBe(1);
    expect(err).toBe(
      "nss: http://127.0.0.1:8222 does not answer (connect ECONNREFUSED 127.0.0.1:8222): start the server with -m, or name its address with --server\n",
    );
  });

  it.each([
    [404, "Channel nope not found\n", "nss: Channel nope not found\n"],
    [401, "x", "nss: http://127.0.0.1:8222 asks for a token or a password: use --token, or --user and --password\n"],
    [502, "", "nss: http://127.0.0.1:8222 answers with status 502\n"],
    [
      200,
      "<html>",
      "nss: http://127.0.0.1:8222/streaming/channelsz?channel=nope&subs=1 is not answered by a streaming server's monitoring\n",
    ],
  ])("repeats an answer with status %i", async (answer, body, text) => {
    const { status, err } = await run(["subscriptions", "nope"], { "/streaming/channelsz": body }, { status: answer });
    expect({ status, err }).toEqual({ status: 1, err: text });
  });

  it("sends a token, or a user with the password", async () => {
    const answers = { "/streaming/clientsz": { total: 0, clients: [] } };
    expect((await run(["clients", "--token", "t"], answers)).authorization).toEqual(["Bearer t"]);
    const basic = await run(["clients", "--user", "u", "--password", "p"], answers);
    expect(basic.authorization).toEqual([`Basic ${Buffer.from("u:p").toString("base64")}`]);
  });

  it("prints help and usage errors", async () => {
    expect(await run(["top", "--help"], {})).toMatchObject({ status: 0, err: "" });
    expect(await run(["clients", "--nope"], {})).toMatchObject({ status: 2, out: "" });
  });
});
