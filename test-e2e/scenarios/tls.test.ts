import { freePort } from "@nats-streaming/kernel/testing";
import { connect, StringCodec } from "nats";
import { describe, expect, it } from "vitest";
import { CLIENT_PAIR, PLAIN_PAIR, STRANGER_PAIR } from "../../packages/broker/testing/tls.ts";
import { connectRaw } from "../harness/raw-client.ts";
import type { Stage } from "../harness/stage.ts";
import { type ClientOptions, connectStan, untilServed } from "../harness/stan.ts";
import { configFile, launchServer, READY, readLog, runServer, startListening } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { clientTls, type TlsFiles, tlsFiles } from "./tls-files.ts";

/** Flags of an embedded broker with TLS. */
function tlsFlags({ server, ca }: TlsFiles, verify: boolean): string[] {
  const flags = ["--tls", "--tlscert", server.cert, "--tlskey", server.key];
  return verify ? [...flags, "--tlsverify", "--tlscacert", ca] : flags;
}

function tlsBlock({ server, ca }: TlsFiles, more = ""): string {
  return `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", timeout: 5, ${more} }\n`;
}

async function expectServed(stage: Stage, clientId: string, options: ClientOptions): Promise<void> {
  const client = await connectStan(stage, clientId, options);
  await client.publish("foo", `from ${clientId}`);
  const subscription = await client.subscribe("foo");
  const messages = [await subscription.messages.take({ where: ({ text }) => text === `from ${clientId}` })];
  expect(messages).toHaveLength(1);
  await client.close();
}

describe("TLS of the embedded broker", () => {
  it.each([
    ["by flags", (files: TlsFiles) => ({ flags: tlsFlags(files, false), config: "" })],
    ["by a tls block", (files: TlsFiles) => ({ flags: [], config: tlsBlock(files) })],
  ])("OPS 6: given %s, clients of both libraries are served over TLS and refused without", async (_title, given) => {
    const stage = testStage();
    const { flags, config } = given(await tlsFiles(stage));
    const { port } = await startListening(stage, flags, config);

    await expectServed(stage, "over-tls", { port, nats: { tls: clientTls() } });
    const nats = await connect({ port, tls: clientTls() });
    stage.defer(() => nats.close());
    const subscription = nats.subscribe("plain.>", { max: 1 });
    nats.publish("plain.one", StringCodec().encode("hello"));
    for await (const { data } of subscription) expect(StringCodec().decode(data)).toBe("hello");

    const plain = await connectRaw(stage, { port, connect: false });
    expect(plain.info).toMatchObject({ tls_required: true });
    plain.write('CONNECT {"verbose":true}\r\nPING\r\n');
    await plain.untilClosed();
    expect(plain.oks.all).toEqual([]);
    // A client that does not know the authority is the one to refuse.
    await expect(connectStan(stage, "unknowing", { port })).rejects.toThrow(/certificate/);
  });

  it.each([
    ["by flags", (files: TlsFiles) => ({ flags: tlsFlags(files, true), config: "" })],
    ["by a tls block", (files: TlsFiles) => ({ flags: [], config: tlsBlock(files, "verify: true") })],
  ])("OPS 6: with client certificates demanded %s, only those of the authority are let in", async (_title, given) => {
    const stage = testStage();
    const { flags, config } = given(await tlsFiles(stage));
    const { port, child } = await startListening(stage, flags, config);
    await expectServed(stage, "certified", { port, nats: { tls: clientTls(CLIENT_PAIR) } });
    for (const [clientId, pair] of [
      ["without", undefined],
      ["stranger", STRANGER_PAIR],
    ] as const) {
      await expect(connect({ port, tls: clientTls(pair), reconnect: false, timeout: 2_000 })).rejects.toThrow();
      expect(child.stderr, clientId).toContain("TLS handshake error");
    }
    // Whoever is turned away harms nobody.
    await expectServed(stage, "after", { port, nats: { tls: clientTls(CLIENT_PAIR) } });
  });

  it("OPS 6: with verify_and_map the certificate names the user, whose permissions hold", async () => {
    const stage = testStage();
    const users = 'authorization { users: [ { user: "ada@example.com", permissions: { publish: "ada.>" } } ] }';
    const { port } = await startListening(
      stage,
      [],
      `${tlsBlock(await tlsFiles(stage), "verify_and_map: true")}${users}`,
    );
    const ada = await connect({ port, tls: clientTls(CLIENT_PAIR), reconnect: false });
    stage.defer(() => ada.close());
    const refused = (async () => {
      for await (const status of ada.status()) if (status.type === "error") return String(status.data);
      return "no error";
    })();
    const subscription = ada.subscribe(">", { max: 1 });
    ada.publish("other");
    ada.publish("ada.one");
    for await (const { subject } of subscription) expect(subject).toBe("ada.one");
    expect(await refused).toMatch(/permission/i);
    await expect(connect({ port, tls: clientTls(PLAIN_PAIR), reconnect: false })).rejects.toThrow(/authorization/i);
  });

  it("OPS 6: routes with TLS carry the streaming protocol between two servers, and keep out who has no certificate", async () => {
    const stage = testStage();
    const files = await tlsFiles(stage);
    const routePort = await freePort();
    const routes = (listen: number, others: string, tls: boolean): string =>
      `cluster { name: secured, listen: "127.0.0.1:${listen}", routes: [${others}], ${tls ? tlsBlock(files, "verify: true") : ""} }`;
    const one = await startListening(stage, [], routes(routePort, "", true));
    const url = `"nats-route://127.0.0.1:${routePort}"`;
    const two = await startListening(stage, ["-cid", "other"], routes(await freePort(), url, true));
    const plain = await startListening(stage, ["-cid", "third"], routes(await freePort(), url, false));
    // The client is on the second server's broker; the first server serves it.
    const options = { port: two.port, requestMillis: 500 };
    await untilServed(stage, two.port);
    await expectServed(stage, "over-route", options);
    await one.child.line("TLS route handshake error");
    await expect(connectStan(stage, "far", { port: plain.port, requestMillis: 500 })).rejects.toThrow("timeout");
  });
});

describe("TLS towards an external NATS server", () => {
  const lastLines = async (stage: Stage, args: readonly string[], config: string): Promise<readonly string[]> => {
    const end = await runServer(stage, [...args, "-sc", await configFile(stage, config)]);
    expect(end.code).toBe(1);
    return readLog(end.stderr.trimEnd().split("\n"))
      .slice(-2)
      .map(({ level, text }) => `${level} ${text.replace(/^STREAM: /, "")}`);
  };
  const outside = (port: number): string[] => ["-cid", "outside", "-ns", `nats://127.0.0.1:${port}`];

  it("OPS-14 with the authority's certificate it connects, by file and by flag", async () => {
    const stage = testStage();
    const files = await tlsFiles(stage);
    const { port } = await startListening(stage, tlsFlags(files, false));
    for (const [cluster, args] of [
      ["by-file", ["-sc", await configFile(stage, `streaming { tls { client_ca: "${files.ca}" } }`)]],
      ["by-flag", ["-tls_client_cacert", files.ca]],
    ] as const) {
      const child = await launchServer(stage, cluster, ["-cid", cluster, "-ns", `nats://127.0.0.1:${port}`, ...args]);
      await child.line(READY);
      await expectServed(stage, "over-tls", { port, cluster, nats: { tls: clientTls() } });
    }
  });

  it("OPS-14 says why it does not connect in the original's words, and the remedy", async () => {
    const stage = testStage();
    const files = await tlsFiles(stage);
    const { port } = await startListening(stage, tlsFlags(files, false));
    const cases = [
      ["", "x509: certificate signed by unknown authority", "client_ca"],
      ["secure: true", "x509: certificate signed by unknown authority", "client_ca"],
      [
        `tls { client_ca: "${files.ca}", server_name: nope }`,
        "x509: certificate is valid for localhost, 127.0.0.1, not nope",
        "server_name",
      ],
    ] as const;
    for (const [config, reason, remedy] of cases) {
      const [detail, last] = await lastLines(stage, outside(port), `streaming { ${config} }`);
      expect(last).toBe(`FTL Failed to start: ${reason}`);
      expect(detail).toMatch(new RegExp(`^ERR cannot connect to NATS at 127\\.0\\.0\\.1:${port}: .*${remedy}`));
    }
  });

  it("OPS-14 with insecure it connects to anything, and warns", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, tlsFlags(await tlsFiles(stage), false));
    const config = await configFile(stage, "streaming { tls { insecure: true } }");
    const child = await launchServer(stage, "insecure", [...outside(port), "-sc", config]);
    await child.line(
      "[WRN] STREAM: TLS certificate chain and hostname will not be verified. DO NOT USE IN PRODUCTION!",
    );
    await child.line(READY);
  });

  it("OPS-14 refuses a NATS server that has no TLS when TLS is asked for", async () => {
    const stage = testStage();
    const { port } = await startListening(stage, []);
    const [detail, last] = await lastLines(stage, outside(port), "streaming { secure: true }");
    expect(last).toBe("FTL Failed to start: nats: secure connection not available");
    expect(detail).toContain("the NATS server has no TLS");
  });

  it("OPS-14 shows its certificate to a NATS server that demands one, and is refused without", async () => {
    const stage = testStage();
    const files = await tlsFiles(stage);
    const { port } = await startListening(stage, tlsFlags(files, true));
    const [detail, last] = await lastLines(stage, outside(port), `streaming { tls { client_ca: "${files.ca}" } }`);
    expect(last).toBe("FTL Failed to start: nats: no servers available for connection");
    expect(detail).toContain("-tls_client_cert");
    const { cert, key } = files.client;
    const config = `streaming { tls { client_ca: "${files.ca}", client_cert: "${cert}", client_key: "${key}" } }`;
    const child = await launchServer(stage, "certified", [...outside(port), "-sc", await configFile(stage, config)]);
    await child.line(READY);
  });
});
