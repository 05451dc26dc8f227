import type { RawClient } from "./raw-client.ts";
import { newInbox } from "./raw-client.ts";
import type { RawStan } from "./raw-stan.ts";
import { decodePubAck, encodePubMsg } from "./stan-wire.ts";

/** Messages of one channel under way at most. */
const WINDOW = 200;

/**
 * Publishes ascending numbers to several channels without end, and remembers which were acknowledged: what a store must
 * still have after any crash. Refused ones are remembered as well: what it must not have.
 */
export interface NumberPublisher {
  /** Acknowledged numbers by channel, ascending. */
  readonly acknowledged: ReadonlyMap<string, readonly number[]>;
  /** Error texts of refused publishes by channel and number. */
  readonly refused: ReadonlyMap<string, ReadonlyMap<number, string>>;
  /** The highest number ever sent to a channel; 0 for none. */
  lastSent(channel: string): number;
  /** Publishes on a connection until it breaks or {@link stop} is called; numbers go on where they were. */
  run(client: RawClient, stan: RawStan): Promise<void>;
  /** Takes what is under way for lost: the server that had it is gone. Its numbers are not sent again. */
  again(): void;
  /** Sends nothing more on the present connection. */
  stop(): void;
  /** Settles when `count` more messages have been answered, from now on. */
  answers(count: number): Promise<void>;
}

/** @param size bytes of each message at least */
export function numberPublisher(channels: readonly string[], size = 64): NumberPublisher {
  const sent = new Map(channels.map((channel) => [channel, 0]));
  const acknowledged = new Map<string, number[]>(channels.map((channel) => [channel, []]));
  const refused = new Map<string, Map<number, string>>(channels.map((channel) => [channel, new Map()]));
  let waiters: { left: number; readonly resolve: () => void }[] = [];
  let isStopped = false;
  let again = (): void => {};

  const answered = (): void => {
    for (const waiter of waiters) if (--waiter.left === 0) waiter.resolve();
    waiters = waiters.filter(({ left }) => left > 0);
  };

  return {
    acknowledged,
    refused,
    lastSent: (channel) => sent.get(channel) ?? 0,
    again: () => again(),
    stop: () => {
      isStopped = true;
    },
    answers: (count) =>
      new Promise((resolve) => {
        waiters.push({ left: count, resolve });
      }),
    async run(client, stan): Promise<void> {
      isStopped = false;
      const inbox = await client.subscribe(newInbox());
      let first = new Map(sent);
      const underWay = new Map(channels.map((channel) => [channel, 0]));
      const pump = (channel: string): void => {
        for (let free = WINDOW - (underWay.get(channel) ?? 0); free > 0 && !isStopped; free--) {
          const number = (sent.get(channel) ?? 0) + 1;
          sent.set(channel, number);
          underWay.set(channel, (underWay.get(channel) ?? 0) + 1);
          const { clientId, connectionId } = stan;
          const data = `${number} `.padEnd(size, "x");
          const message = encodePubMsg({ clientId, connectionId, guid: `${channel}:${number}`, channel, data });
          client.publish(`${stan.response.pubPrefix}.${channel}`, message, inbox.subject);
        }
      };
      inbox.messages.forward((message) => {
        const { guid, error } = decodePubAck(message.payload);
        const colon = guid.lastIndexOf(":");
        const [channel, number] = [guid.slice(0, colon), Number(guid.slice(colon + 1))];
        if (error === "") acknowledged.get(channel)?.push(number);
        else refused.get(channel)?.set(number, error);
        // What was taken for lost may have been answered all the same, late.
        if (number > (first.get(channel) ?? 0)) underWay.set(channel, (underWay.get(channel) ?? 0) - 1);
        answered();
        pump(channel);
      });
      again = () => {
        first = new Map(sent);
        for (const channel of channels) {
          underWay.set(channel, 0);
          pump(channel);
        }
      };
      for (const channel of channels) pump(channel);
      await client.closed;
    },
  };
}

/** The number in a message. */
export function numberOf(data: Uint8Array): number {
  return Number.parseInt(Buffer.from(data).toString("latin1"), 10);
}
