import { freePort } from "@nats-streaming/kernel/testing";
import {
  type ConnectionOptions,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  nkeys,
} from "nats";
import { describe, expect, it } from "vitest";
import { AUTHORITY, SERVER_PAIR } from "../../packages/broker/testing/tls.ts";
import { type NatsHalf, startNatsPair } from "../harness/nats-pair.ts";
import { leaveOutNatsServer, type NatsServer } from "../harness/nats-server.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import { type Stage, tempFile } from "../harness/stage.ts";
import { decodeConnectResponse, decodePubAck, encodeConnectRequest, encodePubMsg } from "../harness/stan-wire.ts";
import { launchServer, runServer, untilReady } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { decentralised } from "./nats-jwt.ts";

const REQUEST_MILLIS = 5_000;

describe.skipIf(leaveOutNatsServer)("a streaming server on an external NATS cluster", () => {
  it("goes on at the other nats-server when its own one dies, and comes back to either", async () => {
    const stage = testStage();
    const [one, other] = await startNatsPair(stage);
    const urls = ["-ns", `${one.nats.url},${other.nats.url}`];
    const server = await untilReady(await launchServer(stage, "streaming server on two", urls));
    const [near, far] = (await isServedBy(one)) ? [one, other] : [other, one];
    expect(await publishThrough(stage, far.nats, "before")).toBe("");

    near.nats.child.signal("SIGKILL");
    await near.nats.child.exit();
    await server.child.line(reconnected(far.nats));
    expect(await publishThrough(stage, far.nats, "between")).toBe("");

    const again = await near.restart();
    far.nats.child.signal("SIGKILL");
    await far.nats.child.exit();
    await server.child.line(reconnected(again));
    expect(await publishThrough(stage, again, "after")).toBe("");
    const raw = await connectRaw(stage, { port: again.port });
    const reader = await connectRawStan(raw, "reader");
    const subscription = await reader.subscribe("foo");
    const texts = (await subscription.messages.takeMany(3)).map(({ data }) => data.toString());
    expect(texts).toEqual(["before", "between", "after"]);
  }, 60_000);

  it("says which servers it cannot reach", async () => {
    const stage = testStage();
    const [port, otherPort] = [await freePort(), await freePort()];
    const end = await runServer(stage, ["-ns", `nats://127.0.0.1:${port},nats://127.0.0.1:${otherPort}`]);
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining("no servers available")]);
  });
});

/** A way of showing a nats-server who one is. */
interface Login {
  readonly name: string;
  /** Of nats-server. */
  readonly config: string;
  /** Flags of the streaming server that are right, and some that are not. */
  readonly right: readonly string[];
  readonly wrong: readonly string[];
  /** The same for a client. */
  readonly client: ConnectionOptions;
}

describe.skipIf(leaveOutNatsServer)("a streaming server that shows the nats-server who it is", () => {
  const logins: readonly { readonly title: string; readonly make: (stage: Stage) => Promise<Login> }[] = [
    {
      title: "user and password",
      make: async () => ({
        name: "user",
        config: "authorization { user: stan, password: secret }\n",
        right: ["-user", "stan", "-pass", "secret"],
        wrong: ["-user", "stan", "-pass", "guess"],
        client: { user: "stan", pass: "secret" },
      }),
    },
    {
      title: "user and password in a configuration file",
      make: async (stage) => ({
        name: "file",
        config: "authorization { user: stan, password: secret }\n",
        right: ["-sc", await tempFile(stage, "stan.conf", "username: stan\npassword: secret\n")],
        wrong: [],
        client: { user: "stan", pass: "secret" },
      }),
    },
    {
      title: "token",
      make: async () => ({
        name: "token",
        config: "authorization { token: s3cr3t }\n",
        right: ["-auth", "s3cr3t"],
        wrong: ["-auth", "guess"],
        client: { token: "s3cr3t" },
      }),
    },
    {
      title: "nkey seed file",
      make: async (stage) => {
        const pair = nkeys.createUser();
        const stranger = nkeys.createUser();
        const file = async (seed: Uint8Array): Promise<string[]> => {
          const path = await tempFile(stage, "user.nk", `${Buffer.from(seed).toString()}\n`);
          return ["-sc", await tempFile(stage, "stan.conf", `nkey_seed_file: "${path}"\n`)];
        };
        return {
          name: "nkey",
          config: `authorization { users: [ { nkey: ${pair.getPublicKey()} } ] }\n`,
          right: await file(pair.getSeed()),
          wrong: await file(stranger.getSeed()),
          client: { authenticator: nkeyAuthenticator(pair.getSeed()) },
        };
      },
    },
    {
      title: "credentials file of an operator's account",
      make: async (stage) => {
        const { config, credentials } = decentralised();
        const stranger = decentralised();
        const file = async (text: string): Promise<string[]> => {
          const path = await tempFile(stage, "stan.creds", text);
          return ["-sc", await tempFile(stage, "stan.conf", `credentials: "${path}"\n`)];
        };
        return {
          name: "creds",
          config,
          right: await file(credentials),
          wrong: await file(stranger.credentials),
          client: { authenticator: credsAuthenticator(Buffer.from(credentials)) },
        };
      },
    },
    {
      title: "TLS, with a certificate of its own",
      make: async (stage) => {
        const [ca, cert, key] = [
          await tempFile(stage, "ca.pem", AUTHORITY),
          await tempFile(stage, "server.pem", SERVER_PAIR.certificate),
          await tempFile(stage, "server.key", SERVER_PAIR.key),
        ];
        const tls = `cert_file: "${cert}", key_file: "${key}", ca_file: "${ca}", verify: true`;
        const files = ["-tls_client_cert", cert, "-tls_client_key", key];
        return {
          name: "tls",
          config: `tls { ${tls} }\n`,
          right: [...files, "-tls_client_cacert", ca],
          // Whoever signed the server's certificate is nobody that the system knows.
          wrong: [...files, "-secure"],
          client: { tls: { ca: AUTHORITY, cert: SERVER_PAIR.certificate, key: SERVER_PAIR.key } },
        };
      },
    },
  ];

  for (const { title, make } of logins) {
    it(`is let in by ${title}, over a reconnect as well, and is refused otherwise`, async () => {
      const stage = testStage();
      const login = await make(stage);
      const [one, other] = await startNatsPair(stage, login.config);
      const urls = ["-ns", `${one.nats.url},${other.nats.url}`];
      const refused = await runServer(stage, [...urls, ...login.wrong]);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/\[FTL\] STREAM: Failed to start: /)]);
      expect(refused.stderr).not.toMatch(/secret|s3cr3t|guess/);

      const server = await untilReady(await launchServer(stage, `server by ${login.name}`, [...urls, ...login.right]));
      const [near, far] = (await isServedBy(one)) ? [one, other] : [other, one];
      near.nats.child.signal("SIGKILL");
      await near.nats.child.exit();
      await server.child.line(reconnected(far.nats));
      const client = await connect({ servers: far.nats.url, ...login.client });
      stage.defer(() => client.close());
      expect(await storeOne(client)).toBe("");
      expect(server.child.stderr).not.toMatch(/secret|s3cr3t/);
    }, 60_000);
  }
});

/** Whether the streaming server's connection is one to this nats-server. */
async function isServedBy({ monitorPort }: NatsHalf): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${monitorPort}/connz`);
  return (await response.text()).includes('"_NSS-test-cluster-general"');
}

function reconnected({ url }: NatsServer): string {
  return `connection "_NSS-test-cluster-general" reconnected to NATS Server at "${url}"`;
}

/** Publishes one message to `foo` as a client of this nats-server; the error of its PubAck, empty for none. */
async function publishThrough(stage: Stage, nats: NatsServer, text: string): Promise<string> {
  const raw = await connectRaw(stage, { port: nats.port });
  const stan = await connectRawStan(raw, `client-${text}`);
  const { error } = await stan.publish("foo", text);
  await (await stan.close()).take();
  return error;
}

/** Registers a client and stores one message; the first error of either, empty for none. */
async function storeOne(client: NatsConnection): Promise<string> {
  const inbox = `_INBOX.${newGuid()}`;
  client.subscribe(inbox, { callback: (_error, message) => void message.respond() });
  const request = { clientId: "client", heartbeatInbox: inbox, protocol: 1, connectionId: "CONN" };
  const options = { timeout: REQUEST_MILLIS };
  const connected = await client.request(SUBJECTS.connect, encodeConnectRequest(request), options);
  const { error } = decodeConnectResponse(connected.data);
  if (error !== "") return error;
  const message = encodePubMsg({
    clientId: "client",
    guid: newGuid(),
    channel: "foo",
    connectionId: "CONN",
    data: "x",
  });
  return decodePubAck((await client.request(`${SUBJECTS.publish}.foo`, message, options)).data).error;
}
