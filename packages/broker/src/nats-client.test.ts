/*
 * The `nats` client of today against the broker: what it relies on works, and it never has a reason to complain.
 */
import { connect, Events, headers, type NatsConnection, nkeyAuthenticator, nkeys, StringCodec } from "nats";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Broker, createBroker } from "./broker.ts";

const text = StringCodec();

let broker: Broker;
let port: number;
const connections: NatsConnection[] = [];

beforeEach(async () => {
  broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200 });
  ({ port } = await broker.listen());
});

afterEach(async () => {
  for (const connection of connections.splice(0)) await connection.close();
  await broker.close();
});

async function client(options: object = {}): Promise<NatsConnection> {
  const connection = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...options });
  connections.push(connection);
  return connection;
}

describe("the nats client", () => {
  it("connects and is told of version, payload and headers", async () => {
    const connection = await client({ name: "shop" });
    expect(connection.info).toMatchObject({ version: "2.9.10", max_payload: 1_048_576, headers: true, client_id: 1 });
    expect([...broker.connections()][0]).toMatchObject({ name: "shop", language: "nats.js" });
    expect(await connection.rtt()).toBeGreaterThanOrEqual(0);
  });

  it("publishes and subscribes", async () => {
    const connection = await client({ verbose: true, pedantic: true });
    const subscription = connection.subscribe("orders.*", { max: 100 });
    for (let i = 0; i < 100; i++) connection.publish(`orders.${i}`, text.encode(`order ${i}`));
    const heard: string[] = [];
    for await (const message of subscription) heard.push(`${message.subject} ${text.decode(message.data)}`);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => `orders.${i} order ${i}`));
  });

  it("sends requests, with headers both ways", async () => {
    const server = await client();
    server.subscribe("ask", {
      callback: (_error, message) => {
        const answer = headers();
        answer.set("seen", message.headers?.get("question") ?? "");
        message.respond(text.encode(`${text.decode(message.data)}!`), { headers: answer });
      },
    });
    await server.flush();
    const asking = await client();
    const question = headers();
    question.set("question", "why");
    const reply = await asking.request("ask", text.encode("hello"), { timeout: 5_000, headers: question });
    expect(text.decode(reply.data)).toBe("hello!");
    expect(reply.headers?.get("seen")).toBe("why");
  });

  it("knows at once that nobody answers", async () => {
    const connection = await client();
    await expect(connection.request("nobody", undefined, { timeout: 60_000 })).rejects.toMatchObject({ code: "503" });
  });

  it("shares the work of a queue group", async () => {
    const workers = await Promise.all([client(), client(), client()]);
    const counts = workers.map(() => 0);
    for (const [i, worker] of workers.entries()) {
      worker.subscribe("work", {
        queue: "workers",
        callback: () => {
          counts[i] = counts[i]! + 1;
        },
      });
      await worker.flush();
    }
    const publisher = await client();
    for (let i = 0; i < 300; i++) publisher.publish("work");
    await publisher.flush();
    for (const worker of workers) await worker.flush();
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    for (const count of counts) expect(count).toBeGreaterThan(50);
  });

  it("drains", async () => {
    const connection = await client();
    const subscription = connection.subscribe("a");
    connection.publish("a", text.encode("1"));
    await connection.drain();
    const heard: string[] = [];
    for await (const message of subscription) heard.push(text.decode(message.data));
    expect(heard).toEqual(["1"]);
    expect(broker.statistics().subscriptions).toBe(0);
  });

  it("is told why it is refused", async () => {
    const closed = createBroker({ host: "127.0.0.1", port: 0, authorization: { kind: "token", token: "t" } });
    const address = await closed.listen();
    const servers = `127.0.0.1:${address.port}`;
    await expect(connect({ servers, reconnect: false })).rejects.toMatchObject({ code: "AUTHORIZATION_VIOLATION" });
    const connection = await connect({ servers, token: "t" });
    await connection.close();
    await closed.close();
  });

  it("is told of a subject that is not valid", async () => {
    const connection = await client();
    const errors = (async () => {
      for await (const status of connection.status()) if (status.type === Events.Error) return status.data;
      return undefined;
    })();
    connection.subscribe("a..b");
    expect(await errors).toBe("NATS_PROTOCOL_ERR");
  });

  it("goes to another server when this one is about to close", async () => {
    const other = createBroker({ host: "127.0.0.1", port: 0 });
    const address = await other.listen();
    const connection = await connect({
      servers: [`127.0.0.1:${port}`, `127.0.0.1:${address.port}`],
      noRandomize: true,
      reconnectTimeWait: 10,
    });
    connections.push(connection);
    const events: string[] = [];
    const moved = (async () => {
      for await (const status of connection.status()) {
        events.push(status.type);
        if (status.type === Events.Reconnect) return;
      }
    })();
    await broker.close();
    await moved;
    expect(events).toContain(Events.LDM);
    expect(connection.getServer()).toBe(`127.0.0.1:${address.port}`);
    await connection.close();
    await other.close();
  });

  it("talks to a local bus", async () => {
    const bus = broker.localBus("b");
    bus.subscribe("ask.>", (message) => bus.publish(message.reply, text.encode(message.subject)));
    const connection = await client();
    const reply = await connection.request("ask.me", undefined, { timeout: 5_000 });
    expect(text.decode(reply.data)).toBe("ask.me");
    connection.subscribe("question", { callback: (_error, message) => message.respond(text.encode("answer")) });
    await connection.flush();
    expect(await bus.request("question", new Uint8Array(0), 5_000)).toEqual({
      kind: "reply",
      payload: new Uint8Array(text.encode("answer")),
    });
  });
});

describe("the nats client, who has to say who it is,", () => {
  const HASH = "$2a$04$P/.bd.7unw9Ew7yWJqXsl.f4oNRLQGvadEL2YnqQXbbb.IVQajRdK";

  it("signs with its key, or gives a password whose hash takes time to check", async () => {
    const pair = nkeys.createUser();
    const guarded = createBroker({
      host: "127.0.0.1",
      port: 0,
      authorization: {
        kind: "users",
        users: [
          { nkey: pair.getPublicKey() },
          { user: "a", password: HASH, permissions: { publish: { deny: ["no"] } } },
        ],
      },
      bcrypt: async (password, hash) => {
        await new Promise((resolve) => setImmediate(resolve));
        return password === "right" && hash === HASH;
      },
    });
    try {
      const address = await guarded.listen();
      const servers = `127.0.0.1:${address.port}`;
      const signed = await connect({ servers, reconnect: false, authenticator: nkeyAuthenticator(pair.getSeed()) });
      connections.push(signed);
      expect(signed.info?.nonce).toHaveLength(15);
      const known = await connect({ servers, reconnect: false, user: "a", pass: "right" });
      connections.push(known);
      const statuses = known.status();
      known.publish("no");
      for await (const status of statuses) {
        expect(status).toMatchObject({ type: "error", data: "PERMISSIONS_VIOLATION" });
        break;
      }
      expect([...guarded.connections()].map(({ user }) => user)).toEqual([pair.getPublicKey(), "a"]);
      await expect(connect({ servers, user: "a", pass: "wrong" })).rejects.toThrow("Authorization Violation");
      const stranger = nkeyAuthenticator(nkeys.createUser().getSeed());
      await expect(connect({ servers, authenticator: stranger })).rejects.toThrow("Authorization Violation");
    } finally {
      await guarded.close();
    }
  });
});
