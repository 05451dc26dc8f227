import { SUBJECTS } from "../../harness/raw-stan.ts";
import {
  decodeConnectResponse,
  decodeSubscriptionResponse,
  encodeCloseRequest,
  encodeConnectRequest,
  encodeSubscriptionRequest,
  START_POSITION,
} from "../../harness/stan-wire.ts";
import type { Job } from "../job.ts";
import { LoadConnection } from "./connection.ts";
import type { Load } from "./load.ts";
import { Publisher, readPubAck, WINDOW } from "./publisher.ts";
import { answerOther, createScanner } from "./scanner.ts";
import { Subscriber } from "./subscriber.ts";

/** Publishers and subscribers that speak the streaming protocol, connected and registered. */
export async function openStanLoad(job: Job, fail: (error: Error) => void): Promise<Load> {
  const connections: LoadConnection[] = [];
  const publishers: Publisher[] = [];
  const subscribers: Subscriber[] = [];
  const clientIds: string[] = [];
  let progress = (): void => {};
  const guard = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };

  for (let index = 0; index < job.publishers; index++) {
    const channel = `${job.tag}.channel${index}`;
    for (let number = 0; number < job.subscribersPerChannel; number++) {
      const client = await register(job, `${job.tag}-s${index}-${number}`, fail);
      connections.push(client.connection);
      clientIds.push(client.clientId);
      const { connection } = client;
      const inbox = `_INBOX.${client.connectionId}`;
      const sid = connection.subscribe(inbox);
      const answer = decodeSubscriptionResponse(
        await connection.request(
          SUBJECTS.subscribe,
          encodeSubscriptionRequest({
            clientId: client.clientId,
            channel,
            inbox,
            maxInFlight: WINDOW,
            startPosition: START_POSITION.first,
          }),
        ),
      );
      if (answer.error !== "") throw new Error(`subscribing failed: ${answer.error}`);
      const subscriber = new Subscriber(connection, channel, answer.ackInbox);
      subscribers.push(subscriber);
      const scan = createScanner(
        `MSG ${inbox} ${sid} `,
        (bytes, start) => subscriber.take(bytes, start),
        answerOther(connection, fail),
      );
      connection.stream((bytes, end) => {
        let consumed = end;
        guard(() => {
          consumed = scan(bytes, end);
          subscriber.flush();
          progress();
        });
        return consumed;
      });
    }
    const client = await register(job, `${job.tag}-p${index}`, fail);
    connections.push(client.connection);
    clientIds.push(client.clientId);
    const { connection } = client;
    const reply = `_STAN.acks.${client.connectionId}`;
    const sid = connection.subscribe(reply);
    await connection.flush();
    const publisher = new Publisher({
      connection,
      messages: Math.floor(job.messages / job.publishers),
      payloadBytes: job.payloadBytes,
      clientId: client.clientId,
      connectionId: client.connectionId,
      channel,
      pubPrefix: client.pubPrefix,
      channels: job.channelsPerPublisher,
      window: job.window,
      reply,
    });
    publishers.push(publisher);
    const scan = createScanner(
      `MSG ${reply} ${sid} `,
      (bytes, start, end) => publisher.countAck(readPubAck(bytes, start, end)),
      answerOther(connection, fail),
    );
    connection.stream((bytes, end) => {
      let consumed = end;
      guard(() => {
        consumed = scan(bytes, end);
        publisher.pump();
        progress();
      });
      return consumed;
    });
  }

  const perChannel = Math.floor(job.messages / job.publishers);
  return {
    run: () =>
      new Promise((resolve) => {
        progress = () => {
          if (!publishers.every((publisher) => publisher.isDone)) return;
          if (subscribers.every(({ delivered }) => delivered === perChannel)) resolve();
        };
        for (const publisher of publishers) publisher.pump();
      }),
    settle: async () => {
      await Promise.all(connections.map((connection) => connection.flush()));
    },
    published: () => publishers.reduce((sum, { sent }) => sum + sent, 0),
    delivered: () => subscribers.reduce((sum, { delivered }) => sum + delivered, 0),
    async close(): Promise<void> {
      for (const connection of connections) connection.close();
      const last = new LoadConnection(job.port, fail);
      for (const clientId of clientIds) await last.request(SUBJECTS.close, encodeCloseRequest(clientId));
      last.close();
    },
  };
}

interface RegisteredClient {
  readonly connection: LoadConnection;
  readonly clientId: string;
  /** 22 characters, as the libraries have it; also the unique part of the client's inboxes. */
  readonly connectionId: string;
  readonly pubPrefix: string;
}

async function register(job: Job, clientId: string, fail: (error: Error) => void): Promise<RegisteredClient> {
  const connection = new LoadConnection(job.port, fail);
  const connectionId = clientId.replaceAll("-", "x").padEnd(22, "z").slice(0, 22);
  // The first letter tells a heartbeat from everything else that this connection hears.
  const heartbeatInbox = `HB.${connectionId}`;
  connection.subscribe(heartbeatInbox);
  const request = { clientId, heartbeatInbox, protocol: 1, connectionId, pingIntervalSeconds: 5, pingMaxOut: 88 };
  const answer = decodeConnectResponse(await connection.request(SUBJECTS.connect, encodeConnectRequest(request)));
  if (answer.error !== "") throw new Error(`connecting failed: ${answer.error}`);
  return { connection, clientId, connectionId, pubPrefix: answer.pubPrefix };
}
