import { sequence, silentLogger } from "@nats-streaming/kernel";
import { FakeClock, TestNetwork } from "@nats-streaming/kernel/testing";
import { encodeAck } from "@nats-streaming/protocol/stan";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { describe, expect, it } from "vitest";
import { type AckInboxes, createAckHandler } from "./acks.ts";
import { createChannels } from "./channels.ts";
import { createClients } from "./clients.ts";
import { createDelivery } from "./delivery.ts";
import { createRedelivery } from "./redelivery.ts";
import { createSender } from "./sender.ts";
import { newStatistics } from "./statistics.ts";
import { begin, type Subscription } from "./subscription.ts";
import { createSubscriptionMaker } from "./subscription-maker.ts";

/** The parts around one subscription, put together without a server. */
function oneSubscription() {
  const clock = new FakeClock();
  const bus = new TestNetwork(clock).connect();
  const logger = silentLogger;
  const store = createMemoryStore({ clock, logger });
  const channels = createChannels({
    store,
    clock,
    logger,
    scope: undefined,
    redeliveryRule: () => undefined,
    onCreated: () => {},
  });
  const found = channels.findOrCreate("foo");
  if (found.kind === "refused") throw new Error(found.message);
  const inboxes: AckInboxes = new Map();
  const maker = createSubscriptionMaker({ inboxes, newAckInbox: () => "ack" });
  const info = { id: "me", hbInbox: "hb", connId: new Uint8Array(0), protocol: 1, pingInterval: 0, pingMaxOut: 0 };
  const request = {
    clientId: "me",
    subject: "foo",
    qGroup: "",
    inbox: "in",
    maxInFlight: 10,
    ackWaitInSecs: 1,
    durableName: "",
    startPosition: 4,
    startSequence: 0n,
    startTimeDelta: 0n,
  };
  const client = createClients().add(info);
  const { subscription } = maker.make(request, found.channel, client, { lastSent: 0, description: "" });
  const onTimer = (one: Subscription): void => redelivery.onTimer(one);
  const sender = createSender({ bus, clock, logger, statistics: newStatistics(), onTimer });
  const delivery = createDelivery({ clock, logger, sender });
  const redelivery = createRedelivery({
    clock,
    logger,
    sender,
    delivery,
    deadLetters: { take: () => {} },
    honourMaxInFlightOnResume: false,
  });
  const acknowledge = createAckHandler({ logger, channels, delivery, redelivery, inboxes });
  const { messages } = found.channel.store;
  const empty = { bytes: new Uint8Array(0), replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: 0 };
  for (let i = 1; i <= 3; i++) messages.append(sequence(i), empty, { millis: 1, nanos: 0 });
  return { clock, bus, channel: found.channel, subscription, delivery, acknowledge };
}

describe("redelivery counts", () => {
  it("DLV 7.3.2 are forgotten when a client acknowledges, and when a message is gone", () => {
    const { clock, channel, subscription, delivery, acknowledge } = oneSubscription();
    begin(subscription);
    channel.flushedSequence = 3;
    delivery.toSubscription(subscription);
    clock.advance(1000);
    expect([...subscription.redeliveries]).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
    const bytes = encodeAck({ subject: "foo", sequence: 2n });
    acknowledge({ subject: "ack", reply: "", bytes, start: 0, end: bytes.length });
    expect([...subscription.redeliveries.keys()]).toEqual([1, 3]);
    channel.store.messages.empty();
    clock.advance(1000);
    expect([subscription.redeliveries.size, subscription.pending.size]).toEqual([0, 0]);
  });
});
