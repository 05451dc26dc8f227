import type { Job } from "../job.ts";
import { LoadConnection } from "./connection.ts";
import type { Load } from "./load.ts";
import { Publisher, WINDOW } from "./publisher.ts";
import { answerOther, createScanner } from "./scanner.ts";

/**
 * The same PUB commands as in the streaming load, but nobody stores them: a NATS server relays each to its plain
 * subscribers. The window is kept by what has arrived there; with no subscriber, TCP alone holds the publisher back.
 */
export async function openRelayLoad(job: Job, fail: (error: Error) => void): Promise<Load> {
  const connections: LoadConnection[] = [];
  const channels: Channel[] = [];
  const messages = Math.floor(job.messages / job.publishers);
  let progress = (): void => {};

  for (let index = 0; index < job.publishers; index++) {
    // As long as the subjects of the streaming load, but none of a streaming server's.
    const channel = `${job.tag}.channel${index}`;
    const pubPrefix = "_RLAY.pub.test-cluster";
    const subject = `${pubPrefix}.${channel}`;
    const reply = `_RLAY.acks.${String(index).padStart(22, "0")}`;
    const counts: number[] = [];
    for (let number = 0; number < job.subscribersPerChannel; number++) {
      const connection = new LoadConnection(job.port, fail);
      connections.push(connection);
      const sid = connection.subscribe(subject);
      await connection.flush();
      counts.push(0);
      const scan = createScanner(
        `MSG ${subject} ${sid} ${reply} `,
        () => {
          counts[number]!++;
        },
        answerOther(connection, fail),
      );
      connection.stream((bytes, end) => {
        const consumed = scan(bytes, end);
        publisher.countArrived(minimum(counts));
        publisher.pump();
        progress();
        return consumed;
      });
    }
    const connection = new LoadConnection(job.port, fail);
    connections.push(connection);
    await connection.flush();
    const publisher = new Publisher({
      connection,
      messages,
      payloadBytes: job.payloadBytes,
      clientId: `${job.tag}-p${index}`,
      connectionId: `${job.tag}xp${index}`.padEnd(22, "z").slice(0, 22),
      channel,
      pubPrefix,
      reply,
      window: job.subscribersPerChannel === 0 ? Number.POSITIVE_INFINITY : WINDOW,
    });
    connection.stream(createScanner("MSG _", () => {}, answerOther(connection, fail)));
    channels.push({ connection, publisher, counts });
  }

  return {
    run: () =>
      new Promise((resolve) => {
        progress = () => {
          if (channels.every(({ publisher }) => publisher.isDone)) resolve();
        };
        for (const channel of channels) {
          channel.publisher.pump();
          if (channel.counts.length === 0) void untilHandled(channel, progress);
        }
      }),
    settle: async () => {
      await Promise.all(connections.map((connection) => connection.flush()));
    },
    published: () => channels.reduce((sum, { publisher }) => sum + publisher.sent, 0),
    delivered: () => channels.reduce((sum, { counts }) => sum + counts.reduce((all, count) => all + count, 0), 0),
    async close(): Promise<void> {
      for (const connection of connections) connection.close();
    },
  };
}

interface Channel {
  readonly connection: LoadConnection;
  readonly publisher: Publisher;
  /** What each subscriber has received. */
  readonly counts: number[];
}

/** Without subscribers: when the last PING is answered, the server has handled everything before it. */
async function untilHandled({ connection, publisher }: Channel, progress: () => void): Promise<void> {
  await publisher.allSent;
  await connection.flush();
  publisher.countArrived(publisher.sent);
  progress();
}

function minimum(counts: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const count of counts) if (count < least) least = count;
  return least;
}
