import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { recordingLogger } from "@nats-streaming/kernel/testing";
import { connect, type NatsConnection, StringCodec } from "nats";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../testing/cluster.ts";
import { LiveClock } from "../testing/live-clock.ts";
import { RawClient } from "../testing/raw-client.ts";
import { AUTHORITY, CLIENT_PAIR, PLAIN_PAIR, SERVER_PAIR, STRANGER_PAIR } from "../testing/tls.ts";
import { type Broker, createBroker } from "./broker.ts";
import type { BrokerOptions } from "./options.ts";
import type { ClientTlsOptions } from "./tls-options.ts";

const running: Broker[] = [];
const clients: NatsConnection[] = [];
const sockets: { destroy(): unknown }[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const broker of running.splice(0)) await broker.close();
});

const TLS: ClientTlsOptions = { ...SERVER_PAIR, authorities: AUTHORITY };

async function start(options: BrokerOptions = {}): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = createBroker({ host: "127.0.0.1", port: 0, drainMillis: 200, tls: TLS, ...options });
  running.push(broker);
  const { port } = await broker.listen();
  return { broker, port };
}

async function client(port: number, tls: object = {}, options: object = {}): Promise<NatsConnection> {
  const connection = await connect({
    servers: `localhost:${port}`,
    tls: { ca: AUTHORITY, ...tls },
    reconnect: false,
    ...options,
  });
  clients.push(connection);
  return connection;
}

/** A client that has read the greeting in clear and goes on encrypted. */
async function raw(port: number, options: object = {}): Promise<{ readonly info: string; readonly socket: TLSSocket }> {
  const plain = await RawClient.open(port);
  plain.socket.removeAllListeners("data");
  const socket = connectTls({
    socket: plain.socket,
    ca: AUTHORITY,
    host: "localhost",
    servername: "localhost",
    ...options,
  });
  sockets.push(plain.socket, socket);
  await once(socket, "secureConnect");
  return { info: plain.info, socket };
}

const codec = StringCodec();

describe("a broker with TLS", () => {
  it("says so in INFO, and serves clients encrypted", async () => {
    const { broker, port } = await start();
    const plain = await RawClient.open(port);
    sockets.push(plain.socket);
    expect(JSON.parse(plain.info.slice(5))).toMatchObject({ tls_required: true });
    expect(JSON.parse(plain.info.slice(5))).not.toHaveProperty("tls_verify");
    const [one, two] = [await client(port), await client(port)];
    const subscription = one.subscribe("greet");
    await one.flush();
    two.publish("greet", codec.encode("x".repeat(300_000)));
    for await (const message of subscription) {
      expect(message.data.length).toBe(300_000);
      break;
    }
    const bus = broker.localBus("b");
    bus.subscribe("ask", (message) => bus.publish(message.reply, Buffer.from("answer")));
    expect(codec.decode((await one.request("ask")).data)).toBe("answer");
    expect(broker.statistics().connections).toBe(2);
  });

  it("reads what comes in the same packet as the end of the handshake", async () => {
    const { port } = await start();
    const { socket } = await raw(port);
    socket.write('CONNECT {"verbose":false}\r\nPING\r\n');
    const [data] = await once(socket, "data");
    expect(String(data)).toBe("PONG\r\n");
  });

  it("closes on whoever goes on in clear, and on whoever says nothing in time", async () => {
    const clock = new LiveClock();
    const logger = recordingLogger();
    const { broker, port } = await start({ clock, logger });
    const clear = await RawClient.open(port);
    clear.send("CONNECT {}\r\nPING\r\n");
    await clear.rest();
    expect(clear.text).not.toContain("PONG");
    await until(() => logger.lines.some((line) => line.includes("TLS handshake error: ")));
    const silent = await RawClient.open(port);
    clock.advance(2_000);
    await silent.rest();
    expect(logger.lines.some((line) => line.endsWith("TLS handshake error: i/o timeout"))).toBe(true);
    expect(broker.statistics().connections).toBe(0);
  });

  it("closes handshakes under way when it is closed", async () => {
    const { broker, port } = await start();
    const silent = await RawClient.open(port);
    await broker.close();
    await silent.rest();
    expect(silent.isClosed).toBe(true);
  });

  it("lets in only who shows a certificate of the authority, when it is to verify", async () => {
    const { port } = await start({ tls: { ...TLS, verify: true } });
    const plain = await RawClient.open(port);
    sockets.push(plain.socket);
    expect(JSON.parse(plain.info.slice(5))).toMatchObject({ tls_required: true, tls_verify: true });
    const pair = { cert: CLIENT_PAIR.certificate, key: CLIENT_PAIR.key };
    const good = await client(port, pair);
    await good.flush();
    await expect(client(port)).rejects.toThrow();
    const stranger = { cert: STRANGER_PAIR.certificate, key: STRANGER_PAIR.key };
    await expect(client(port, stranger)).rejects.toThrow();
  });

  it("takes users' names from certificates, with their permissions, when it is to map", async () => {
    const { broker, port } = await start({
      tls: { ...TLS, verifyAndMap: true },
      authorization: {
        kind: "users",
        users: [
          { user: "ada@example.com", password: "x", permissions: { publish: { allow: ["ada.>"] } } },
          { user: "O=Example,CN=plain", password: "x" },
        ],
      },
    });
    const ada = await client(port, { cert: CLIENT_PAIR.certificate, key: CLIENT_PAIR.key }, { reconnect: false });
    await ada.flush();
    const plain = await client(port, { cert: PLAIN_PAIR.certificate, key: PLAIN_PAIR.key });
    await plain.flush();
    expect([...broker.connections()].map(({ user }) => user)).toEqual(["ada@example.com", "O=Example,CN=plain"]);
    const server = { cert: SERVER_PAIR.certificate, key: SERVER_PAIR.key };
    await expect(client(port, server, { user: "ada@example.com", pass: "x" })).rejects.toThrow(
      "Authorization Violation",
    );
  });

  it("speaks the ciphers and curves that it is told to", async () => {
    const { port } = await start({
      tls: { ...TLS, cipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"], curves: ["CurveP384"] },
    });
    const { socket } = await raw(port, { maxVersion: "TLSv1.2", ecdhCurve: "P-384:P-256" });
    expect(socket.getCipher().standardName).toBe("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    await expect(raw(port, { maxVersion: "TLSv1.2", ecdhCurve: "X25519:P-256" })).rejects.toThrow();
    await expect(raw(port, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).rejects.toThrow();
  });

  it("is not made with certificates, ciphers or curves that cannot be used", () => {
    const cases: readonly ClientTlsOptions[] = [
      { certificate: "x", key: SERVER_PAIR.key },
      { certificate: SERVER_PAIR.certificate, key: CLIENT_PAIR.key },
      { ...TLS, cipherSuites: ["TLS_NO_SUCH"] },
      { ...TLS, curves: ["P-256"] },
      { ...TLS, timeoutMillis: 0 },
    ];
    for (const tls of cases) {
      expect(() => createBroker({ tls })).toThrow(expect.objectContaining({ code: "bad_option" }));
    }
  });
});
