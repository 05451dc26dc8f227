import { describe, expect, it } from "vitest";
import { leaveOutNatsServer, startNatsServer } from "../harness/nats-server.ts";
import { openEmbeddedNetwork } from "../harness/networks.ts";
import { connectRaw, newInbox, pub } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, SUBJECTS } from "../harness/raw-stan.ts";
import type { Stage } from "../harness/stage.ts";
import { encodePubMsg } from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";

interface Case {
  readonly title: string;
  readonly bytes: string | Uint8Array;
  /** The `-ERR` that must come; undefined where nats-server closes without a word and any error text is welcome. */
  readonly error?: string;
}

// Observed on nats-server 2.9.10, which runs the same cases here.
const UNKNOWN = "'Unknown Protocol Operation'";
const FATAL: readonly Case[] = [
  { title: "an unknown operation", bytes: "FOO bar\r\n", error: UNKNOWN },
  { title: "an operation that breaks off in the middle of its name", bytes: "PIx\r\n", error: UNKNOWN },
  { title: "an HTTP request", bytes: "GET / HTTP/1.1\r\n\r\n", error: UNKNOWN },
  { title: "empty lines", bytes: "\r\n\r\n", error: UNKNOWN },
  { title: "binary noise", bytes: Buffer.from([0, 1, 2, 255, 254, 10, 13, 10]), error: UNKNOWN },
  { title: "an operation of the server's", bytes: "MSG foo 1 0\r\n\r\n", error: UNKNOWN },
  { title: "PUB without arguments", bytes: "PUB\r\n", error: UNKNOWN },
  { title: "SUB without arguments", bytes: "SUB\r\n", error: UNKNOWN },
  { title: "UNSUB without arguments", bytes: "UNSUB\r\n", error: UNKNOWN },
  { title: "a payload longer than announced", bytes: "PUB foo 2\r\nabcd\r\n", error: UNKNOWN },
  { title: "PUB without a size", bytes: "PUB foo\r\n" },
  { title: "PUB with a size that is no number", bytes: "PUB foo abc\r\n" },
  { title: "PUB with a negative size", bytes: "PUB foo -1\r\n" },
  { title: "PUB with a size of eleven digits", bytes: "PUB foo 99999999999\r\n" },
  { title: "PUB with too many arguments", bytes: "PUB a b c d 1\r\n" },
  { title: "SUB without an ID", bytes: "SUB foo\r\n" },
  { title: "SUB with too many arguments", bytes: "SUB a b c d\r\n" },
  { title: "a payload above the limit", bytes: "PUB foo 2000000\r\n", error: "'Maximum Payload Violation'" },
  {
    title: "a line that is too long",
    bytes: `PUB ${"x".repeat(5000)} 1\r\n`,
    error: "'maximum control line exceeded'",
  },
  { title: "a line that never ends", bytes: `PUB ${"x".repeat(5000)}`, error: "'maximum control line exceeded'" },
];

const brokers: readonly {
  readonly name: string;
  readonly open: (stage: Stage) => Promise<{ readonly port: number }>;
}[] = [
  {
    name: "the embedded broker",
    open: async (stage) => {
      const network = await openEmbeddedNetwork(stage);
      await network.startServer();
      return network;
    },
  },
  ...(leaveOutNatsServer ? [] : [{ name: "nats-server", open: (stage: Stage) => startNatsServer(stage) }]),
];

describe.each(brokers)("hostile lines to $name", ({ open }) => {
  const suite = suiteStage();
  const started = suite.once(() => open(suite));

  for (const { title, bytes, error } of FATAL) {
    it(`HOSTILE: ${title} ends that connection with the right error and harms no other`, async () => {
      const stage = testStage();
      const { port } = await started();
      const bystander = await connectRaw(stage, { port });
      const heard = await bystander.subscribe("foo");
      const offender = await connectRaw(stage, { port });
      offender.write(bytes);
      await offender.untilClosed();
      if (error !== undefined) expect(offender.errors.all).toEqual([error]);
      bystander.publish("foo", "still here");
      expect((await heard.messages.take()).payload.toString()).toBe("still here");
      expect(bystander.errors.all).toEqual([]);
    });
  }

  it("HOSTILE: an invalid subscription subject is refused and the connection goes on", async () => {
    const stage = testStage();
    const { port } = await started();
    const client = await connectRaw(stage, { port });
    client.write("SUB foo..bar 1\r\n");
    expect(await client.errors.take()).toBe("'Invalid Subject'");
    await client.flush();
  });

  it("HOSTILE: a pedantic client is told of an invalid publish subject, and the connection goes on", async () => {
    const stage = testStage();
    const { port } = await started();
    const client = await connectRaw(stage, { port, connect: { pedantic: true, verbose: true } });
    client.publish("foo.*", "x");
    expect(await client.errors.take()).toBe("'Invalid Publish Subject'");
    await client.flush();
  });

  it("HOSTILE: lower-case operations, UNSUB of an unknown ID and +OK are taken as they are", async () => {
    const stage = testStage();
    const { port } = await started();
    const client = await connectRaw(stage, { port });
    client.write("UNSUB 99\r\n+OK\r\npub foo 2\r\nhi\r\nsub bar 77\r\nping\r\n");
    await client.flush();
    expect(client.errors.all).toEqual([]);
  });

  it("HOSTILE: a client that vanishes in the middle of a message leaves nothing of it behind", async () => {
    const stage = testStage();
    const { port } = await started();
    const bystander = await connectRaw(stage, { port });
    const heard = await bystander.subscribe("vanishing");
    const offender = await connectRaw(stage, { port });
    await offender.writePieces([Buffer.from("PUB vanishing 100\r\nonly a part of it")]);
    offender.vanish();
    await offender.closed;
    bystander.publish("vanishing", "the next");
    expect((await heard.messages.take()).payload.toString()).toBe("the next");
  });

  it("HOSTILE: lines and payloads may come in pieces of any size", async () => {
    const stage = testStage();
    const { port } = await started();
    const client = await connectRaw(stage, { port });
    const heard = await client.subscribe("pieces.>");
    const bytes = Buffer.concat(
      Array.from({ length: 20 }, (_, index) =>
        pub(`pieces.${index}`, "p".repeat(index), index % 2 === 0 ? "re.ply" : ""),
      ),
    );
    for (const size of [1, 2, 3, 7]) {
      await client.writePieces(slices(bytes, size));
      const messages = await heard.messages.takeMany(20);
      expect(messages.map(({ subject, payload }) => [subject, payload.length])).toEqual(
        Array.from({ length: 20 }, (_, index) => [`pieces.${index}`, index]),
      );
    }
  });
});

describe("hostile lines to the embedded broker while a stream runs", () => {
  it("HOSTILE: nothing of a stream is lost while twenty clients misbehave", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    await network.startServer();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "steady");
    const subscription = await session.subscribe("steady", { ackWaitSeconds: 30, maxInFlight: 10_000 });

    const misbehave = FATAL.map(async ({ bytes }, index) => {
      const offender = await connectRaw(stage, { port: network.port });
      const half = pub(
        "_STAN.pub.test-cluster.steady",
        encodePubMsg({ clientId: "steady", guid: newGuid(), channel: "steady", connectionId: session.connectionId }),
      ).subarray(0, 40 + index);
      await offender.writePieces([half]);
      offender.vanish();
      const second = await connectRaw(stage, { port: network.port });
      second.write(bytes);
      await second.untilClosed();
    });
    const publish = async (): Promise<void> => {
      for (let index = 0; index < 500; index++) {
        expect((await session.publish("steady", String(index))).error).toBe("");
      }
    };
    await Promise.all([publish(), ...misbehave]);
    const received = await subscription.messages.takeMany(500);
    expect(received.map(({ sequence, data }) => [sequence, data.toString()])).toEqual(
      Array.from({ length: 500 }, (_, index) => [index + 1, String(index)]),
    );
    await session.close();
  });

  it("HOSTILE: a publish that comes byte by byte is stored and acknowledged", async () => {
    const stage = testStage();
    const network = await openEmbeddedNetwork(stage);
    await network.startServer();
    const raw = await connectRaw(stage, { port: network.port });
    const session = await connectRawStan(raw, "drip");
    const acks = await raw.subscribe(newInbox());
    const message = encodePubMsg({
      clientId: "drip",
      guid: newGuid(),
      channel: "drip",
      data: "drop by drop",
      connectionId: session.connectionId,
    });
    await raw.writePieces(slices(pub(`${SUBJECTS.publish}.drip`, message, acks.subject), 1));
    await acks.messages.take();
    const subscription = await session.subscribe("drip");
    expect((await subscription.messages.take()).data.toString()).toBe("drop by drop");
    await session.close();
  });
});

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}
