/*
 * Messages that the SQL store makes durable per second on real database servers of this machine, every commit synced:
 *
 *   tsx packages/store-sql/bench/servers.bench.ts [postgres] [mariadb]
 *
 * One row per batch: so many messages per channel, so many channels, then one flush, the next batch when it has settled.
 * The synchronous publisher is the row of one message.
 */
import { performance } from "node:perf_hooks";
import { sequence, silentLogger, systemClock } from "@nats-streaming/kernel";
import { defaultStoreLimits } from "@nats-streaming/store";
import { createSqlStore } from "../src/sql-store.ts";
import { startMariaDb } from "../test-support/servers/mariadb-server.ts";
import { startPostgres } from "../test-support/servers/postgres-server.ts";
import { fullSchema } from "../test-support/servers/schemas.ts";
import type { SqlServer } from "../test-support/servers/server-process.ts";

interface Shape {
  readonly channels: number;
  readonly messages: number;
}

const SHAPES: readonly Shape[] = [
  { channels: 1, messages: 1 },
  { channels: 1, messages: 16 },
  { channels: 1, messages: 128 },
  { channels: 1, messages: 1024 },
  { channels: 64, messages: 16 },
  { channels: 512, messages: 2 },
];
const PAYLOAD_BYTES = 128;
const MILLIS_PER_SHAPE = 3000;

const SERVER_INFO = {
  clusterId: "bench",
  discovery: "_STAN.discover.bench",
  publish: "_STAN.pub.bench",
  subscribe: "_STAN.sub.bench",
  unsubscribe: "_STAN.unsub.bench",
  close: "_STAN.close.bench",
  subClose: "_STAN.subclose.bench",
  acksSubs: "_STAN.ack.bench",
};

async function measure(server: SqlServer, driver: "postgres" | "mysql", shape: Shape): Promise<void> {
  const database = `bench_${shape.channels}_${shape.messages}`;
  await server.createDatabase(database, fullSchema(driver));
  const store = createSqlStore({
    driver,
    source: server.source(database),
    clock: systemClock(),
    logger: silentLogger,
    limits: { ...defaultStoreLimits, maxChannels: 0 },
  });
  await store.recover();
  await store.init(SERVER_INFO);
  const logs = Array.from({ length: shape.channels }, (_, i) => store.createChannel(`bench.${i}`).messages);
  await store.flush();

  const bytes = Buffer.alloc(PAYLOAD_BYTES, 0x61);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: PAYLOAD_BYTES };
  let next = 0;
  const batch = async (): Promise<void> => {
    const timestamp = { millis: Date.now(), nanos: 0 };
    for (let i = 0; i < shape.messages; i++) {
      next++;
      for (const log of logs) log.append(sequence(next), message, timestamp);
    }
    await store.flush();
  };
  for (let i = 0; i < 10; i++) await batch();
  const before = next;
  const usage = process.cpuUsage();
  const start = performance.now();
  while (performance.now() - start < MILLIS_PER_SHAPE) await batch();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(usage);
  const count = (next - before) * shape.channels;
  const cpu = (user + system) / count;
  console.log(
    `${driver.padEnd(9)} ${`${shape.channels} channel(s) x ${shape.messages}`.padEnd(22)}` +
      `${Math.round(count / seconds)
        .toString()
        .padStart(
          8,
        )} messages/s ${(count / shape.channels / shape.messages / seconds).toFixed(0).padStart(6)} flushes/s ` +
      `${cpu.toFixed(1).padStart(7)} us of CPU per message`,
  );
  await store.close();
  await server.dropDatabase(database);
}

const chosen = process.argv.slice(2);
const servers = [
  ["postgres", startPostgres, "postgres"],
  ["mariadb", startMariaDb, "mysql"],
] as const;
for (const [name, start, driver] of servers) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const server = await start({ durable: true, synced: true });
  try {
    for (const shape of SHAPES) await measure(server, driver, shape);
  } finally {
    await server.close();
  }
}
