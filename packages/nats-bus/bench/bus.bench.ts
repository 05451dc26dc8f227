import { type Bus, silentLogger, systemClock } from "@nats-streaming/kernel";
import { connect, type NatsConnection } from "nats";
import { connectNatsBus } from "../src/index.ts";
import { startNatsServer } from "../test-support/nats-server.ts";

/*
 * The bus beside the bare `nats` client in one run, against a real nats-server: CPU of this process per message, the two
 * taking turns, the best round of each. Read the ratio.
 */

const ROUNDS = 5;
const MESSAGES = 100_000;
/** Published in one go, as the server does with a batch. */
const BATCH = 500;
const payload = new Uint8Array(128).fill(0x61);

/** Microseconds of CPU per message. */
async function cost(run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MESSAGES;
}

async function race(name: string, ours: () => Promise<void>, theirs: () => Promise<void>): Promise<void> {
  let [mine, other] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    mine = Math.min(mine, await cost(ours));
    other = Math.min(other, await cost(theirs));
  }
  const columns = [mine, other, other / mine].map((value) => value.toFixed(2).padStart(8));
  console.log(`${name.padEnd(44)}${columns.join("")}`);
}

async function publishAll(publish: (subject: string) => void, flush: () => Promise<void>): Promise<void> {
  for (let sent = 0; sent < MESSAGES; sent += BATCH) {
    for (let i = 0; i < BATCH; i++) publish(SUBJECTS[i % SUBJECTS.length]!);
    await flush();
  }
}

const SUBJECTS = Array.from({ length: 100 }, (_, i) => `_INBOX.SUBSCRIPTION00000000${i}`);

const server = await startNatsServer();
const bus: Bus = await connectNatsBus({
  servers: server.url,
  name: "bench",
  clock: systemClock(),
  logger: silentLogger,
});
const client: NatsConnection = await connect({ servers: server.url });

console.log(`${"microseconds of CPU per message".padEnd(44)}     bus  client   ratio`);

await race(
  "publish 128 bytes to one of 100 inboxes",
  () =>
    publishAll(
      (subject) => bus.publish(subject, payload),
      () => bus.flush(),
    ),
  // The bus copies the payload, so the client has to be given a copy.
  () =>
    publishAll(
      (subject) => client.publish(subject, payload.slice()),
      () => client.flush(),
    ),
);

{
  let sink = 0;
  let [received, wanted] = [0, 0];
  let done = (): void => {};
  const count = (): void => {
    if (++received === wanted) done();
  };
  bus.subscribe("bench.bus", (message) => {
    sink += message.reply.length + message.end - message.start;
    count();
  });
  client.subscribe("bench.client", {
    callback: (_error, message) => {
      sink += (message.reply ?? "").length + message.data.length;
      count();
    },
  });
  await Promise.all([bus.flush(), client.flush()]);
  const publisher = await connectNatsBus({
    servers: server.url,
    name: "publisher",
    clock: systemClock(),
    logger: silentLogger,
  });
  const receiveAll = async (subject: string): Promise<void> => {
    received = 0;
    wanted = MESSAGES;
    const all = new Promise<void>((resolve) => {
      done = resolve;
    });
    await publishAll(
      () => publisher.publish(subject, payload, "_STAN.acks.0000000000000000000000"),
      () => publisher.flush(),
    );
    await all;
  };
  await race(
    "receive 128 bytes with a reply (and publish it)",
    () => receiveAll("bench.bus"),
    () => receiveAll("bench.client"),
  );
  await publisher.close();
  if (sink < 0) console.log(sink);
}

await bus.close();
await client.close();
await server.close();
