import { expect } from "vitest";
import type { Stage } from "../harness/stage.ts";
import { connectStan, type StanClient, type StanSubscription } from "../harness/stan.ts";
import type { StoreServer } from "../harness/store-server.ts";
import { digestOf, type WrittenChannel, type WrittenSubscription } from "./written-by-original.ts";

/** How many messages a rehearsal publishes in the place of the Go server. */
export const PUBLISHED_HERE = 3;

/** What a durable must get when it comes back: what it had not acknowledged, and what it had not been sent. */
function owed(channel: WrittenChannel, { pending, lastSent }: WrittenSubscription): number[] {
  const stored = pending.filter((sequence) => sequence >= channel.firstSequence);
  const unsent = channel.messages.map(({ sequence }) => sequence).filter((sequence) => sequence > lastSent);
  return [...new Set([...stored, ...unsent])].toSorted((a, b) => a - b);
}

/**
 * The durables of a channel come back, each under its client's ID, on a server that has taken over from the Go server. Each gets what
 * that one still owed it, once, with what had been delivered before marked as redelivered; then what is published now. Durables
 * are closed in the end, so that they stay, and their clients with them.
 */
export async function drainDurables(
  stage: Stage,
  server: StoreServer,
  name: string,
  channel: WrittenChannel,
): Promise<void> {
  const durables = channel.subscriptions.filter(({ durableName }) => durableName !== "");
  expect(durables.length).toBeGreaterThan(0);
  const clients = new Map<string, StanClient>();
  const resumed: { readonly subscription: StanSubscription; readonly durable: WrittenSubscription }[] = [];
  for (const durable of durables) {
    // Of a group that all members have left, nobody is the owner.
    const id = durable.clientId === "" ? `member-of-${durable.queueGroup}` : durable.clientId;
    const client = clients.get(id) ?? (await connectStan(stage, id, { port: server.port, requestMillis: 10_000 }));
    clients.set(id, client);
    const { durableName, queueGroup, maxInFlight } = durable;
    const group = queueGroup === "" ? {} : { queueGroup };
    resumed.push({
      durable,
      subscription: await client.subscribe(name, { durableName, maxInFlight, ...group }),
    });
  }
  for (const { subscription, durable } of resumed) {
    const expected = owed(channel, durable);
    const received = await subscription.messages.takeMany(expected.length);
    const bySequence = received.toSorted((a, b) => a.sequence - b.sequence);
    expect([durable.durableName, bySequence.map(({ sequence }) => sequence)]).toEqual([durable.durableName, expected]);
    for (const { sequence, data, redelivered } of bySequence) {
      const stored = channel.messages.find((message) => message.sequence === sequence);
      expect([sequence, digestOf(data)]).toEqual([sequence, stored?.digest]);
      // A client that has not come back yet is sent what its subscription has room for; so others may be marked as well.
      if (durable.pending.includes(sequence)) expect([sequence, redelivered]).toEqual([sequence, true]);
    }
  }

  const publisher = await connectStan(stage, "publisher", { port: server.port, requestMillis: 10_000 });
  for (let index = 1; index <= PUBLISHED_HERE; index++) await publisher.publish(name, `here-${index}`);
  await publisher.close();
  for (const { subscription } of resumed) {
    const fresh = await subscription.messages.takeMany(PUBLISHED_HERE);
    expect(fresh.map(({ sequence, text, redelivered }) => [sequence, text, redelivered])).toEqual(
      Array.from({ length: PUBLISHED_HERE }, (_, index) => [
        channel.lastSequence + 1 + index,
        `here-${index + 1}`,
        false,
      ]),
    );
    // Nothing came twice, and nothing that had been acknowledged to the Go server.
    expect(subscription.messages.untaken).toEqual([]);
  }
  for (const { subscription } of resumed) await subscription.close();
  for (const client of clients.values()) await client.close();
}
