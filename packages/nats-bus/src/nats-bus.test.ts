import { type Bus, BusError, systemClock } from "@nats-streaming/kernel";
import { type RecordingLogger, recordingLogger } from "@nats-streaming/kernel/testing";
import { nkeys } from "nats";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ascii, Inbox, nextStatus, nextTopologyChange } from "../test-support/events.ts";
import { type ScriptedConnection, ScriptedServer } from "../test-support/scripted-server.ts";
import { RECONNECT_WAIT_MILLIS } from "./client.ts";
import { connectNatsBus } from "./nats-bus.ts";
import { CONNECT_TIMEOUT_MILLIS, type NatsBusOptions } from "./options.ts";

let server: ScriptedServer;
let logger: RecordingLogger;
const buses: Bus[] = [];

beforeEach(async () => {
  // The sockets are real, time is not: the client waits for nothing but what a test lets pass.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  server = new ScriptedServer();
  logger = recordingLogger();
  await server.start();
});

afterEach(async () => {
  for (const bus of buses.splice(0)) await bus.close();
  await server.stop();
  vi.useRealTimers();
});

/** Lets as much time pass as the client waits between two attempts. */
async function waitForAttempt(): Promise<void> {
  await vi.advanceTimersByTimeAsync(RECONNECT_WAIT_MILLIS);
}

/** Cuts the line and waits until the bus has made another. */
async function loseConnection(bus: Bus, connection: ScriptedConnection): Promise<void> {
  const disconnected = nextStatus(bus, "disconnected");
  const connected = nextStatus(bus, "connected");
  connection.cut();
  await disconnected;
  await waitForAttempt();
  await connected;
}

async function connect(options: Partial<NatsBusOptions> = {}): Promise<Bus> {
  const bus = await connectNatsBus({ servers: server.url, name: "test", clock: systemClock(), logger, ...options });
  buses.push(bus);
  return bus;
}

describe("connecting", () => {
  it("asks for headers and no responders, and gives the name", async () => {
    await connect({ name: "_NSS-test-cluster-general" });
    const line = /CONNECT (\{.*\})/.exec(server.connections[0]?.received ?? "")?.[1] ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ headers: true, no_responders: true, name: "_NSS-test-cluster-general" });
  });

  it.each([
    [
      { user: "me", pass: "secret" },
      { user: "me", pass: "secret" },
    ],
    [{ token: "t0ken" }, { auth_token: "t0ken" }],
    [{ inUrl: "me:s%40crt" }, { user: "me", pass: "s@crt" }],
    [{ inUrl: "t0ken" }, { auth_token: "t0ken" }],
  ])(
    "sends the credentials %o",
    async (given: { user?: string; pass?: string; token?: string; inUrl?: string }, sent) => {
      const { inUrl, ...options } = given;
      const servers = inUrl === undefined ? server.url : server.url.replace("://", `://${inUrl}@`);
      const bus = await connect({ servers, ...options });
      const line = /CONNECT (\{.*\})/.exec(server.connections[0]?.received ?? "")?.[1] ?? "{}";
      expect(JSON.parse(line)).toMatchObject(sent);
      expect(bus.url).toBe(server.url);
    },
  );

  it("signs with an nkey or a credentials file, read anew at each connect", async () => {
    const user = nkeys.createUser();
    const seed = Buffer.from(user.getSeed()).toString();
    const file = [
      "-----BEGIN NATS USER JWT-----",
      "a.jwt.text",
      "------END NATS USER JWT------",
      "-----BEGIN USER NKEY SEED-----",
      seed,
      "------END USER NKEY SEED------",
    ].join("\n");
    server.info = { nonce: "n0nce", auth_required: true };
    let reads = 0;
    const credentials = (): string => {
      reads++;
      return file;
    };
    const bus = await connect({ credentials });
    await connect({ nkeySeed: `${seed}\n` });
    const [withJwt, withKey] = server.connections.map(({ received }) =>
      JSON.parse(/CONNECT (\{.*\})/.exec(received)?.[1] ?? "{}"),
    );
    expect(withJwt.jwt).toBe("a.jwt.text");
    expect(withKey.nkey).toBe(user.getPublicKey());
    for (const { sig } of [withJwt, withKey]) {
      expect(user.verify(ascii("n0nce"), new Uint8Array(Buffer.from(sig, "base64url")))).toBe(true);
    }

    const before = reads;
    await loseConnection(bus, server.connections[0]!);
    expect(reads).toBeGreaterThan(before);
  });

  it("uses the former credentials while the file cannot be read, or is broken", async () => {
    const seed = Buffer.from(nkeys.createUser().getSeed()).toString();
    server.info = { nonce: "n0nce", auth_required: true };
    let read = (): string => seed;
    const bus = await connect({ nkeySeed: () => read() });
    read = () => {
      throw new Error("ENOENT: no such file");
    };
    await loseConnection(bus, server.connections[0]!);
    read = () => "half a seed";
    await loseConnection(bus, server.connections[1]!);
    const keys = server.connections.map(({ received }) => /"nkey":"(\w+)"/.exec(received)?.[1]);
    expect(new Set(keys).size).toBe(1);
    expect(logger.lines).toContain("ERR NATS credentials cannot be used, trying the former ones: ENOENT: no such file");
  });

  it("fails when the credentials are broken from the start", async () => {
    server.info = { nonce: "n0nce" };
    await expect(connect({ credentials: "nonsense" })).rejects.toMatchObject({
      code: "connect_failed",
      message: expect.stringContaining("the credentials are not the text of a credentials file"),
    });
  });

  it("fails with the servers it tried and the reason, without credentials", async () => {
    await server.stop();
    const servers = server.url.replace("://", "://me:secret@");
    const failure = await connect({ servers }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BusError);
    expect(failure).toMatchObject({
      code: "connect_failed",
      message: `cannot connect to NATS at 127.0.0.1:${server.port}: connection refused; is the NATS server running there?`,
    });
  });

  it("fails when the server does not answer in time", async () => {
    server.answersPings = false;
    const attempt = server.nextConnection();
    const failure = connect().catch((error: unknown) => error);
    await (await attempt).receives("PING");
    await vi.advanceTimersByTimeAsync(CONNECT_TIMEOUT_MILLIS);
    expect(await failure).toMatchObject({
      code: "connect_failed",
      message: expect.stringContaining("no answer in time"),
    });
  });

  it("takes the next server when the first does not answer, and comes back to the first later", async () => {
    const other = new ScriptedServer();
    await other.start();
    await server.stop();
    const bus = await connect({ servers: [server.url, other.url] });
    expect(bus.url).toBe(other.url);

    await server.start();
    const connected = nextStatus(bus, "connected");
    await other.stop();
    await waitForAttempt();
    expect(await connected).toEqual({ kind: "connected", url: server.url });
  });
});

describe("while the connection is down", () => {
  it("publish, request and flush are refused, subscribe is not", async () => {
    const bus = await connect();
    const disconnected = nextStatus(bus, "disconnected");
    await server.stop();
    await disconnected;

    expect(() => bus.publish("foo", ascii("x"))).toThrow(expect.objectContaining({ code: "disconnected" }));
    await expect(bus.flush()).rejects.toMatchObject({ code: "disconnected" });
    expect(await bus.request("foo", ascii("x"), 1_000)).toEqual({ kind: "failed", reason: "bus is disconnected" });
    expect(() => bus.subscribe("foo", () => {})).not.toThrow();
  });

  it("requests and flushes under way end at once", async () => {
    const bus = await connect();
    server.answersPings = false;
    const reply = bus.request("foo", ascii("x"), 3_600_000);
    const flushed = bus.flush().catch((error: unknown) => error);
    await server.connections[0]!.receives("PUB foo");
    server.connections[0]!.cut();
    expect(await reply).toEqual({ kind: "failed", reason: "bus is disconnected" });
    expect(await flushed).toMatchObject({ code: "disconnected" });
    server.answersPings = true;
  });

  it("PROTO 2.5 nothing that was published around the loss goes out on the next connection", async () => {
    const bus = await connect();
    bus.subscribe("sub", () => {});
    await bus.flush();
    const first = server.connections[0]!;
    let refused = 0;
    let accepted = 0;
    const tryPublish = (): void => {
      try {
        bus.publish("lost", ascii(`message ${accepted}`));
        accepted++;
      } catch (error) {
        expect(error).toMatchObject({ code: "disconnected" });
        refused++;
      }
    };
    const connected = nextStatus(bus, "connected");
    const second = server.nextConnection();
    bus.onStatus((status) => {
      // In the very turn of the loss, and in all that follow until the connection stands again.
      if (status.kind === "disconnected") for (let i = 0; i < 10; i++) tryPublish();
    });
    first.cut();
    while (refused < 50) {
      tryPublish();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await waitForAttempt();
    await connected;
    bus.publish("found", ascii("after"));
    await bus.flush();

    const next = await second;
    expect(next.received).not.toContain("lost");
    expect(next.received).toMatch(
      /^CONNECT .*\r\nPING\r\nSUB _INBOX\.\S+ 1\r\nSUB sub 2\r\nPUB found 5\r\nafter\r\nPING\r\n$/,
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it("PROTO 2.5 nothing goes out that was published while the connection was being made anew", async () => {
    const bus = await connect();
    server.answersPings = false;
    const second = server.nextConnection();
    const disconnected = nextStatus(bus, "disconnected");
    server.connections[0]!.cut();
    await disconnected;
    await waitForAttempt();
    const next = await second;
    await next.receives("PING\r\n");

    expect(() => bus.publish("early", ascii("x"))).toThrow(expect.objectContaining({ code: "disconnected" }));
    const connected = nextStatus(bus, "connected");
    server.answersPings = true;
    next.send("PONG\r\n");
    await connected;
    bus.publish("late", ascii("x"));
    await next.receives("PUB late");
    expect(next.received).not.toContain("early");
  });

  it("subscriptions made and ended meanwhile are in force, and gone, afterwards", async () => {
    const bus = await connect();
    const before = bus.subscribe("before", () => {});
    const disconnected = nextStatus(bus, "disconnected");
    const connected = nextStatus(bus, "connected");
    await server.stop();
    await disconnected;
    bus.subscribe("meanwhile", () => {}, { queue: "group" });
    before.unsubscribe();
    await server.start();
    await waitForAttempt();
    await connected;
    await bus.flush();
    expect(server.connections[1]!.received).toContain("SUB meanwhile group ");
    expect(server.connections[1]!.received).not.toContain("SUB before");
  });
});

describe("after a loss of the connection", () => {
  it("PROTO 2.5 reconnects for ever, once every 250 ms", async () => {
    const bus = await connect();
    const disconnected = nextStatus(bus, "disconnected");
    server.hangsUp = true;
    server.connections[0]!.cut();
    await disconnected;
    // More often than the client's own limit of ten.
    for (let attempts = 1; attempts <= 13; attempts++) {
      const next = server.nextConnection();
      await vi.advanceTimersByTimeAsync(RECONNECT_WAIT_MILLIS - 1);
      expect(server.connections).toHaveLength(attempts);
      await vi.advanceTimersByTimeAsync(1);
      await (await next).closed;
    }
    server.hangsUp = false;
    const connected = nextStatus(bus, "connected");
    await waitForAttempt();
    expect(await connected).toEqual({ kind: "connected", url: server.url });
  });

  it("tells of both changes, logs both, and reports a change of the network", async () => {
    const bus = await connect({ servers: server.url.replace("://", "://me:secret@") });
    const changed = nextTopologyChange(bus);
    const disconnected = nextStatus(bus, "disconnected");
    const connected = nextStatus(bus, "connected");
    server.connections[0]!.end();
    expect(await disconnected).toEqual({ kind: "disconnected", reason: "connection closed by the NATS server" });
    await waitForAttempt();
    expect(await connected).toEqual({ kind: "connected", url: server.url });
    await changed;
    expect(logger.lines).toEqual([
      'ERR connection "test" has been disconnected: connection closed by the NATS server',
      `INF connection "test" reconnected to NATS Server at "nats://[REDACTED]@127.0.0.1:${server.port}"`,
    ]);
  });

  it("gives the reason that the server gave", async () => {
    const bus = await connect();
    const disconnected = nextStatus(bus, "disconnected");
    server.connections[0]!.send("-ERR 'Stale Connection'\r\n");
    server.connections[0]!.end();
    expect(await disconnected).toEqual({ kind: "disconnected", reason: "'Stale Connection'" });

    // It says nothing about the next loss.
    const connected = nextStatus(bus, "connected");
    await waitForAttempt();
    await connected;
    const again = nextStatus(bus, "disconnected");
    server.connections[1]!.end();
    expect(await again).toEqual({ kind: "disconnected", reason: "connection closed by the NATS server" });
  });

  it("follows the server's new maximum payload", async () => {
    const bus = await connect();
    expect(bus.maxPayload).toBe(1_048_576);
    server.info = { max_payload: 100 };
    await loseConnection(bus, server.connections[0]!);
    expect(bus.maxPayload).toBe(100);
    expect(() => bus.publish("foo", new Uint8Array(101))).toThrow(
      expect.objectContaining({ code: "max_payload", message: "payload of 101 bytes is over the limit of 100" }),
    );
    expect(() => bus.publish("foo", new Uint8Array(200), "", 50, 150)).not.toThrow();
  });

  it("goes on trying when the credentials are refused for a while", async () => {
    const bus = await connect({ user: "me", pass: "x" });
    const disconnected = nextStatus(bus, "disconnected");
    server.answersPings = false;
    server.connections[0]!.cut();
    await disconnected;
    for (let i = 0; i < 4; i++) {
      const next = server.nextConnection();
      await waitForAttempt();
      const refused = await next;
      await refused.receives("PING\r\n");
      refused.send("-ERR 'Authorization Violation'\r\n");
      refused.end();
      await refused.closed;
    }
    server.answersPings = true;
    const connected = nextStatus(bus, "connected");
    await waitForAttempt();
    await connected;
  });
});

describe("a server that announces others", () => {
  it("reports a change of the network for a server that was added, not for one that went", async () => {
    const bus = await connect();
    let changes = 0;
    bus.onTopologyChange(() => changes++);
    const connection = server.connections[0]!;
    const announce = (...connect_urls: string[]) =>
      connection.send(
        `INFO ${JSON.stringify({ server_id: "x", max_payload: 1_048_576, headers: true, connect_urls })}\r\n`,
      );
    announce("127.0.0.1:7001");
    await bus.flush();
    expect(changes).toBe(1);
    announce("127.0.0.1:7001");
    await bus.flush();
    expect(changes).toBe(1);
    announce();
    await bus.flush();
    expect(changes).toBe(1);
    announce("127.0.0.1:7001", "127.0.0.1:7002");
    await bus.flush();
    expect(changes).toBe(2);
  });
});

describe("a server that does not read", () => {
  it("is left when too much waits for it, and what waits is dropped", async () => {
    const bus = await connect();
    const first = server.connections[0]!;
    first.pause();
    const disconnected = nextStatus(bus, "disconnected");
    const connected = nextStatus(bus, "connected");
    const payload = new Uint8Array(1_000_000);
    let lost = false;
    void disconnected.then(() => {
      lost = true;
    });
    for (let i = 0; i < 200 && !lost; i++) {
      bus.publish("foo", payload);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await disconnected;
    await waitForAttempt();
    await connected;
    expect(logger.lines[0]).toBe(
      'ERR connection "test" does not take what is sent: 67108864 bytes wait, connecting anew',
    );
    await bus.flush();
    expect(server.connections[1]!.received).not.toContain("PUB foo");
  });
});

describe("handlers", () => {
  it("see subject, reply and payload, without headers", async () => {
    const bus = await connect();
    const inbox = new Inbox(bus, "foo.*");
    await bus.flush();
    const connection = server.connections[0]!;
    connection.send("MSG foo.a 2 5\r\nhello\r\nMSG foo.b 2 _INBOX.1 0\r\n\r\n");
    connection.send("HMSG foo.c 2 22 27\r\nNATS/1.0\r\nKey: v\r\n\r\n\x00\x01\xff\r\n..\r\n".replace("22 27", "20 25"));
    await inbox.has(3);
    expect(inbox.messages).toEqual(["foo.a||hello", "foo.b|_INBOX.1|", "foo.c||\x00\x01\xff\r\n"]);
  });

  it("get one object again and again", async () => {
    const bus = await connect();
    const seen = new Set<unknown>();
    const inbox = new Inbox(bus, "foo");
    bus.subscribe("foo", (message) => seen.add(message));
    await bus.flush();
    server.connections[0]!.send("MSG foo 3 1\r\na\r\nMSG foo 3 1\r\nb\r\nMSG foo 2 1\r\nc\r\n");
    await inbox.has(1);
    expect(seen.size).toBe(1);
  });

  it("get subjects byte for byte", async () => {
    const bus = await connect();
    const inbox = new Inbox(bus, "f\xc3\xa9.>");
    await bus.flush();
    expect(server.connections[0]!.received).toContain("SUB f\xc3\xa9.> 2\r\n");
    server.connections[0]!.send("MSG f\xc3\xa9.\xff 2 r\xfe 1\r\nx\r\n");
    await inbox.has(1);
    expect(inbox.messages).toEqual(["f\xc3\xa9.\xff|r\xfe|x"]);
  });

  it("are not called after unsubscribe, not even for what is under way", async () => {
    const bus = await connect();
    const received: string[] = [];
    const subscription = bus.subscribe("foo", (message) => {
      received.push(message.subject);
      subscription.unsubscribe();
    });
    const other = new Inbox(bus, "bar");
    await bus.flush();
    server.connections[0]!.send("MSG foo 2 1\r\na\r\nMSG foo 2 1\r\nb\r\nMSG bar 3 1\r\nc\r\n");
    await other.has(1);
    expect(received).toEqual(["foo"]);
    subscription.unsubscribe();
  });

  it("that throw do not silence the connection; the error is reported", async () => {
    const errors: unknown[] = [];
    const bus = await connect({ onHandlerError: (error) => errors.push(error) });
    const failure = new Error("a bug");
    bus.subscribe("foo", () => {
      throw failure;
    });
    const other = new Inbox(bus, "bar");
    await bus.flush();
    server.connections[0]!.send("MSG foo 2 1\r\na\r\nMSG bar 3 1\r\nc\r\n");
    await other.has(1);
    expect(errors).toEqual([failure]);
  });
});

describe("order on the wire", () => {
  it("is the order of the calls, of publishes, subscriptions and their ends", async () => {
    const bus = await connect();
    bus.publish("one", ascii("1"));
    const subscription = bus.subscribe("two", () => {});
    bus.publish("three", ascii("3"));
    subscription.unsubscribe();
    bus.publish("four", ascii("4"));
    await bus.flush();
    const lines = server.connections[0]!.received.split("\r\n").filter((line) => /^(PUB|SUB [^_]|UNSUB)/.test(line));
    expect(lines).toEqual(["PUB one 1", "SUB two 2", "PUB three 1", "UNSUB 2", "PUB four 1"]);
  });
});

describe("requests", () => {
  it("share one subscription, and end with 503 when nobody listens", async () => {
    const bus = await connect();
    await bus.flush();
    const connection = server.connections[0]!;
    const [one, two] = [bus.request("foo", ascii("q1"), 60_000), bus.request("bar", ascii("q2"), 60_000)];
    await connection.receives("q2");
    const [inboxOne, inboxTwo] = [...connection.received.matchAll(/PUB \w+ (_INBOX\S+)/g)].map((match) => match[1]);
    const sid = /SUB _INBOX\.\S+\.\* (\d+)/.exec(connection.received)?.[1];
    const header = "NATS/1.0 503\r\n\r\n";
    connection.send(`HMSG ${inboxTwo} ${sid} ${header.length} ${header.length}\r\n${header}\r\n`);
    connection.send(`MSG ${inboxOne} ${sid} 2\r\nok\r\n`);
    expect(await two).toEqual({ kind: "no_responders" });
    expect(await one).toEqual({ kind: "reply", payload: ascii("ok") });
    expect(connection.received.match(/SUB _INBOX/g)).toHaveLength(1);
  });

  it("fail for a subject that cannot be sent to", async () => {
    const bus = await connect();
    expect(await bus.request("a b", ascii("x"), 1_000)).toMatchObject({
      kind: "failed",
      reason: expect.stringContaining('invalid subject "a b"'),
    });
  });
});

describe("close", () => {
  it("sends what was published before, once, and is final", async () => {
    const bus = await connect();
    const closed = nextStatus(bus, "closed");
    const statuses: string[] = [];
    bus.onStatus((status) => statuses.push(status.kind));
    bus.publish("last", ascii("words"));
    await Promise.all([bus.close(), bus.close()]);
    await bus.close();
    await closed;
    expect(server.connections[0]!.received).toContain("PUB last 5\r\nwords\r\n");
    expect(statuses).toEqual(["closed"]);
    expect(logger.lines).toEqual(['DBG connection "test" has been closed']);
    expect(() => bus.publish("foo", ascii("x"))).toThrow(expect.objectContaining({ code: "closed" }));
    expect(() => bus.subscribe("foo", () => {})).toThrow(expect.objectContaining({ code: "closed" }));
    await expect(bus.flush()).rejects.toMatchObject({ code: "closed" });
    expect(await bus.request("foo", ascii("x"), 1)).toEqual({ kind: "failed", reason: "bus is closed" });
  });

  it("ends requests that are under way", async () => {
    const bus = await connect();
    const reply = bus.request("foo", ascii("x"), 3_600_000);
    await bus.close();
    expect(await reply).toEqual({ kind: "failed", reason: "bus is closed" });
  });

  it("ends the attempts to reconnect", async () => {
    const bus = await connect();
    const disconnected = nextStatus(bus, "disconnected");
    server.connections[0]!.cut();
    await disconnected;
    await bus.close();
    await vi.advanceTimersByTimeAsync(10 * RECONNECT_WAIT_MILLIS);
    // What comes now is the first to come.
    await connect({ name: "another" });
    expect(server.connections).toHaveLength(2);
    expect(server.connections[1]!.received).toContain('"name":"another"');
  });
});
