import { expect, it } from "vitest";
import { onBothBuses } from "../harness/networks.ts";
import { connectRaw, pub, type RawClient } from "../harness/raw-client.ts";
import { connectRawStan, newGuid, type RawStan, SUBJECTS } from "../harness/raw-stan.ts";
import { connectStan, StartPosition } from "../harness/stan.ts";
import {
  decodeErrorOnly,
  decodeMsgProto,
  decodePubAck,
  decodeSubscriptionResponse,
  encodeAck,
  encodeCloseRequest,
  encodePubMsg,
  encodeSubscriptionRequest,
  encodeUnsubscribeRequest,
  START_POSITION,
} from "../harness/stan-wire.ts";
import { suiteStage, testStage } from "../harness/test-stage.ts";
import { openWireLog, type WireLog } from "../harness/wire-log.ts";

/** Deliveries that nobody acknowledges stay below this. */
const UNLIMITED = 100_000;

const KINDS = [
  { kind: "plain", request: {} },
  { kind: "durable", request: { durableName: "place" } },
  { kind: "queue", request: { queueGroup: "group" } },
  { kind: "durable-queue", request: { queueGroup: "group", durableName: "place" } },
] as const;

const numbers = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

/** PUB commands for `texts`, in one piece. */
function burst(session: RawStan, channel: (index: number) => string, texts: readonly number[], reply: string): Buffer {
  const { clientId, connectionId } = session;
  return Buffer.concat(
    texts.map((text, index) => {
      const name = channel(index);
      const message = { clientId, guid: String(text), channel: name, data: String(text), connectionId };
      return pub(`${SUBJECTS.publish}.${name}`, encodePubMsg(message), reply);
    }),
  );
}

/** What came on one inbox, in the order of the wire. */
function arrivals<T>(wire: WireLog, name: string, decode: (bytes: Uint8Array) => T): T[] {
  const subject = wire.inbox(name);
  return wire.all.filter((message) => message.subject === subject).map(({ payload }) => decode(payload));
}

onBothBuses("the order of messages on the wire", (openNetwork) => {
  const suite = suiteStage();
  const started = suite.once(async () => {
    const network = await openNetwork(suite);
    return { network, server: await network.startServer() };
  });
  const client = async (clientId: string): Promise<{ raw: RawClient; session: RawStan }> => {
    const { network } = await started();
    const raw = await connectRaw(testStage(), { port: network.port });
    const session = await connectRawStan(raw, clientId);
    expect(session.response.error).toBe("");
    return { raw, session };
  };

  it("PROTO 13.1, 13.8, DLV-G11: the response precedes the first message, first and resumed, with publishes racing", async () => {
    const { raw } = await client("responses");
    const publisher = await client("racing");
    const acks = await openWireLog(publisher.raw);
    const wire = await openWireLog(raw);
    const rounds = 25;
    let isRacing = true;
    const racing = (async () => {
      for (let published = 0; isRacing; published += 100) {
        publisher.raw.write(burst(publisher.session, () => "racing", numbers(published, 100), acks.inbox("acks")));
        await acks.until("PubAcks of the racing publisher", () => acks.count("acks") >= published + 100);
      }
    })();
    try {
      await acks.until("the first publishes", () => acks.count("acks") >= 100);
      for (const round of numbers(0, rounds)) {
        const startPosition = round % 2 === 0 ? START_POSITION.newOnly : START_POSITION.first;
        const requests = KINDS.map(({ kind, request }) => {
          const inbox = wire.inbox(`${kind}.${round}`);
          const common = { clientId: "responses", channel: "racing", inbox, maxInFlight: 10, startPosition };
          return pub(
            SUBJECTS.subscribe,
            encodeSubscriptionRequest({ ...common, ...request }),
            wire.inbox(`${kind}.${round}.response`),
          );
        });
        raw.write(Buffer.concat(requests));
        await wire.until(`the first messages of round ${round}`, () =>
          KINDS.every(
            ({ kind }) => wire.count(`${kind}.${round}`) > 0 && wire.count(`${kind}.${round}.response`) === 1,
          ),
        );
        // A durable that resumes has messages pending: they are there at once, and have to wait for the response too.
        raw.write(
          Buffer.concat(
            KINDS.map(({ kind }) =>
              pub(
                SUBJECTS.subscriptionClose,
                encodeUnsubscribeRequest("responses", "racing", wire.inbox(`${kind}.${round}`)),
                wire.inbox(`${kind}.${round}.closed`),
              ),
            ),
          ),
        );
        await wire.until(`the ends of round ${round}`, () =>
          KINDS.every(({ kind }) => wire.count(`${kind}.${round}.closed`) === 1),
        );
      }
    } finally {
      isRacing = false;
    }
    await racing;
    const subjects = wire.all.map(({ subject }) => subject);
    for (const { kind } of KINDS) {
      for (const round of numbers(0, rounds)) {
        expect(arrivals(wire, `${kind}.${round}.response`, decodeSubscriptionResponse)).toMatchObject([{ error: "" }]);
        expect(arrivals(wire, `${kind}.${round}.closed`, decodeSubscriptionResponse)).toMatchObject([{ error: "" }]);
        const response = subjects.indexOf(wire.inbox(`${kind}.${round}.response`));
        expect(subjects.indexOf(wire.inbox(`${kind}.${round}`))).toBeGreaterThan(response);
        // DLV-V7: and nothing comes after the end.
        const closed = subjects.indexOf(wire.inbox(`${kind}.${round}.closed`));
        expect(subjects.lastIndexOf(wire.inbox(`${kind}.${round}`))).toBeLessThan(closed);
      }
      const resumed = arrivals(wire, `${kind}.${rounds - 1}`, decodeMsgProto)[0];
      expect(resumed?.redelivered).toBe(kind.startsWith("durable"));
    }
  });

  it("PROTO 13.2, 9.1.7: each of 3,000 messages of a burst is delivered before its PubAck, all in order", async () => {
    const { raw, session } = await client("burst");
    const wire = await openWireLog(raw);
    const inbox = wire.inbox("messages");
    await raw.request(
      SUBJECTS.subscribe,
      encodeSubscriptionRequest({ clientId: "burst", channel: "burst", inbox, maxInFlight: UNLIMITED }),
    );
    const texts = numbers(1, 3000);
    raw.write(burst(session, () => "burst", texts, wire.inbox("acks")));
    await wire.until("all PubAcks", () => wire.count("acks") === texts.length);
    const place = new Map<string, number>();
    for (const [index, { subject, payload }] of wire.all.entries()) {
      if (subject === inbox) place.set(`message ${decodeMsgProto(payload).sequence}`, index);
      else place.set(`ack ${decodePubAck(payload).guid}`, index);
    }
    const late = texts.filter((n) => !((place.get(`message ${n}`) ?? UNLIMITED) < (place.get(`ack ${n}`) ?? -1)));
    expect(late).toEqual([]);
    expect(arrivals(wire, "messages", decodeMsgProto).map(({ sequence }) => sequence)).toEqual(texts);
    expect(arrivals(wire, "acks", decodePubAck)).toEqual(texts.map((n) => ({ guid: String(n), error: "" })));
  });

  it("PROTO 13.3: 3,000 publishes over five channels are stored and acknowledged in their order", async () => {
    const { raw, session } = await client("several");
    const wire = await openWireLog(raw);
    const texts = numbers(0, 3000);
    raw.write(burst(session, (index) => `several.${index % 5}`, texts, wire.inbox("acks")));
    await wire.until("all PubAcks", () => wire.count("acks") === texts.length);
    expect(arrivals(wire, "acks", decodePubAck)).toEqual(texts.map((n) => ({ guid: String(n), error: "" })));
    for (const channel of numbers(0, 5)) {
      const { messages } = await session.subscribe(`several.${channel}`, { maxInFlight: UNLIMITED });
      const stored = await messages.takeMany(600);
      expect(stored.map(({ sequence }) => sequence)).toEqual(numbers(1, 600));
      expect(stored.map(({ data }) => Number(data))).toEqual(texts.filter((n) => n % 5 === channel));
    }
  });

  it("PROTO 13.4, DLV-G5: 5,000 publishes and a close behind them: all are accepted, stored and in order", async () => {
    const { raw, session } = await client("closing");
    const witness = await client("witness");
    const stored = await witness.session.subscribe("closing", { maxInFlight: UNLIMITED });
    const wire = await openWireLog(raw);
    const texts = numbers(1, 5000);
    raw.write(
      Buffer.concat([
        burst(session, () => "closing", texts, wire.inbox("acks")),
        pub(SUBJECTS.close, encodeCloseRequest("closing"), wire.inbox("closed")),
      ]),
    );
    await wire.until("all answers", () => wire.count("acks") === texts.length && wire.count("closed") === 1);
    expect(arrivals(wire, "closed", decodeErrorOnly)).toEqual([""]);
    expect(arrivals(wire, "acks", decodePubAck).filter(({ error }) => error !== "")).toEqual([]);
    const received = await stored.messages.takeMany(texts.length);
    expect(received.map(({ data }) => Number(data))).toEqual(texts);
    expect((await session.publish("closing", "too late")).error).toBe("stan: invalid publish request");
  });

  it("PROTO 13.4: 5,000 publishes and a close of the client library, which waits for none of them", async () => {
    const stage = testStage();
    const { network } = await started();
    const { session } = await client("library-witness");
    const stored = await session.subscribe("library", { maxInFlight: UNLIMITED });
    const library = await connectStan(stage, "library", { port: network.port });
    // The library drops the PubAcks that come after the answer to its close request.
    for (const text of numbers(1, 5000)) library.publish("library", String(text)).catch(() => {});
    await library.close();
    const received = await stored.messages.takeMany(5000);
    expect(received.map(({ data }) => Number(data))).toEqual(numbers(1, 5000));
  });

  it("PROTO 13.5, 13.6, DLV-G6, DLV-G13: acks sent before a close, of a durable or of its client, count; fifty times", async () => {
    const { raw, session } = await client("ack-publisher");
    let owner = await connectRawStan(raw, "acking");
    for (const round of numbers(1, 50)) {
      expect((await session.publish("acked", String(round))).error).toBe("");
      const durable = await owner.subscribe("acked", { durableName: "place" });
      const message = await durable.messages.take();
      expect([message.sequence, message.redelivered]).toEqual([round, false]);
      const wire = await openWireLog(raw);
      const { ackInbox } = durable.response;
      const closesClient = round % 5 === 0;
      raw.write(
        Buffer.concat([
          pub(ackInbox, encodeAck("acked", round)),
          pub(
            SUBJECTS.subscriptionClose,
            encodeUnsubscribeRequest("acking", "acked", ackInbox),
            wire.inbox("subscription"),
          ),
          ...(closesClient ? [pub(SUBJECTS.close, encodeCloseRequest("acking"), wire.inbox("client"))] : []),
        ]),
      );
      const ends = closesClient ? ["subscription", "client"] : ["subscription"];
      await wire.until("the answers", () => ends.every((name) => wire.count(name) === 1));
      expect(wire.all.map(({ subject, payload }) => [subject, payload.length])).toEqual(
        ends.map((name) => [wire.inbox(name), 0]),
      );
      if (closesClient) {
        owner = await connectRawStan(raw, "acking");
        expect(owner.response.error).toBe("");
      }
    }
  });

  it("PROTO 13.5: acks sent before a connection close that closes the durable count", async () => {
    const { raw, session } = await client("ack-publisher-2");
    const texts = numbers(1, 500);
    for (const text of texts) await session.publish("acked.many", String(text));
    const owner = await connectRawStan(raw, "acking-2");
    const durable = await owner.subscribe("acked.many", { durableName: "place" });
    await durable.messages.takeMany(texts.length);
    const wire = await openWireLog(raw);
    const acks = texts.map((sequence) => pub(durable.response.ackInbox, encodeAck("acked.many", sequence)));
    raw.write(Buffer.concat([...acks, pub(SUBJECTS.close, encodeCloseRequest("acking-2"), wire.inbox("closed"))]));
    await wire.until("the close", () => wire.count("closed") === 1);
    const again = await connectRawStan(raw, "acking-2");
    const resumed = await again.subscribe("acked.many", { durableName: "place" });
    await session.publish("acked.many", "the next");
    await resumed.messages.take();
    expect(resumed.messages.all).toMatchObject([{ sequence: 501, redelivered: false }]);
  });

  it("PROTO 13.7, DLV-G7: a NewOnly subscription between two acknowledged publishes gets the second only", async () => {
    const stage = testStage();
    const { network } = await started();
    const { session } = await client("between");
    const library = await connectStan(stage, "between-library", { port: network.port });
    for (const round of numbers(0, 50)) {
      await session.publish("between", "before");
      const own = await session.subscribe("between", { startPosition: START_POSITION.newOnly });
      const theirs = await library.subscribe("between", { startPosition: StartPosition.NEW_ONLY });
      await session.publish("between", "after");
      const expected = [{ sequence: 2 * round + 2 }];
      await own.messages.take();
      await theirs.messages.take();
      expect(own.messages.all).toMatchObject(expected);
      expect(theirs.messages.all).toMatchObject(expected);
      expect(await session.unsubscribe("between", own.response.ackInbox)).toBe("");
      await theirs.unsubscribe();
    }
    await library.close();
  });

  it("PROTO 13.9, DLV-Q14: 3,000 messages reach each subscription ascending, each one member of a queue group", async () => {
    const { raw } = await client("ascending");
    const publisher = await client("ascending-publisher");
    const inFlight = 7;
    const ackInboxes = new Map<string, string>();
    const held = new Map<string, number[]>();
    // The plain subscription acknowledges backwards, when it may not have more: what was sent last first.
    const wire = await openWireLog(raw, (name, { payload }) => {
      const sequences = held.get(name);
      if (sequences === undefined) return;
      sequences.push(decodeMsgProto(payload).sequence);
      if (name !== "plain" || sequences.length === inFlight || wire.count(name) === 3000) acknowledge(name);
    });
    const acknowledge = (name: string): void => {
      for (const sequence of (held.get(name) ?? []).splice(0).toReversed()) {
        raw.publish(ackInboxes.get(name) ?? "", encodeAck("ascending", sequence));
      }
    };
    for (const [name, request] of [
      ["plain", {}],
      ["durable", { durableName: "place" }],
      ["member-1", { queueGroup: "group" }],
      ["member-2", { queueGroup: "group" }],
      ["member-3", { queueGroup: "group", maxInFlight: 1 }],
    ] as const) {
      held.set(name, []);
      const common = { clientId: "ascending", channel: "ascending", inbox: wire.inbox(name), maxInFlight: inFlight };
      const answer = await raw.request(SUBJECTS.subscribe, encodeSubscriptionRequest({ ...common, ...request }));
      ackInboxes.set(name, decodeSubscriptionResponse(answer.payload).ackInbox);
    }
    publisher.raw.write(burst(publisher.session, () => "ascending", numbers(1, 3000), newGuid()));
    const members = ["member-1", "member-2", "member-3"];
    const inGroup = (): number => members.reduce((sum, name) => sum + wire.count(name), 0);
    await wire.until(
      "all deliveries",
      () => wire.count("plain") === 3000 && wire.count("durable") === 3000 && inGroup() === 3000,
    );
    const sequencesOf = (name: string): number[] =>
      arrivals(wire, name, decodeMsgProto).map(({ sequence, redelivered }) => (redelivered ? -1 : sequence));
    expect(sequencesOf("plain")).toEqual(numbers(1, 3000));
    expect(sequencesOf("durable")).toEqual(numbers(1, 3000));
    const shares = members.map(sequencesOf);
    for (const share of shares) expect(share).toEqual(share.toSorted((a, b) => a - b));
    expect(shares.flat().toSorted((a, b) => a - b)).toEqual(numbers(1, 3000));
  });
});
