// What the engine costs by itself: publishes handed over turn by turn on a bus that only counts, into the memory store.
import {
  type Bus,
  type BusHandler,
  type BusMessage,
  durationNanos,
  silentLogger,
  systemClock,
  systemRandom,
} from "@nats-streaming/kernel";
import {
  decodeSubscriptionResponse,
  encodeAck,
  encodeConnectRequest,
  encodePubMsg,
  encodeSubscriptionRequest,
  StartPosition,
} from "@nats-streaming/protocol/stan";
import { createMemoryStore } from "@nats-streaming/store-memory";
import { startEngine } from "../src/index.ts";

const MESSAGES = 2_000_000;
const PER_TURN = 256;
const ROUNDS = 3;

interface CountingBus extends Bus {
  readonly handlers: Map<string, BusHandler>;
  sent: number;
  lastReply: Uint8Array | undefined;
  /** Sequences delivered in this turn, when somebody subscribes. */
  delivered: number;
}

function countingBus(inbox: string): CountingBus {
  const handlers = new Map<string, BusHandler>();
  return {
    handlers,
    sent: 0,
    lastReply: undefined,
    delivered: 0,
    maxPayload: 1_048_576,
    url: "bench://",
    subscribe(subject, handler) {
      handlers.set(subject, handler);
      return { subject, unsubscribe: () => handlers.delete(subject) };
    },
    publish(subject, bytes, _reply, start = 0, end = bytes.length) {
      this.sent++;
      if (subject === inbox) this.delivered++;
      else if (subject === "answer") this.lastReply = bytes.slice(start, end);
    },
    request: async () => ({ kind: "no_responders" }),
    flush: async () => {},
    onTopologyChange: () => {},
    onStatus: () => {},
    close: async () => {},
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

async function measure(subscribers: number, channels: number): Promise<number> {
  const inbox = "_INBOX.subscriber";
  const bus = countingBus(inbox);
  const clock = systemClock();
  const store = createMemoryStore({
    clock,
    logger: silentLogger,
    limits: {
      maxChannels: 0,
      maxMessages: 0,
      maxBytes: 256 * 1024 * 1024,
      maxAge: durationNanos(0n),
      maxSubscriptions: 0,
      maxInactivity: durationNanos(0n),
      channels: new Map(),
    },
  });
  const started = await startEngine({
    bus,
    store,
    clock,
    random: systemRandom(),
    logger: silentLogger,
    clusterId: "bench",
    probe: false,
    replaceDurable: false,
    heartbeatIntervalMillis: 30_000,
    heartbeatTimeoutMillis: 10_000,
    heartbeatFailCount: 10,
    batchSize: 1024,
    batchSleepMillis: 0,
    onFatal: (error) => {
      throw error;
    },
  });
  if (started.kind === "refused") throw new Error(started.message);

  const message: { -readonly [K in keyof BusMessage]: BusMessage[K] } = {
    subject: "",
    reply: "",
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
  };
  const hand = (handler: BusHandler, subject: string, reply: string, bytes: Uint8Array): void => {
    message.subject = subject;
    message.reply = reply;
    message.bytes = bytes;
    message.start = 0;
    message.end = bytes.length;
    handler(message);
  };
  const handlerOf = (subject: string): BusHandler => {
    const handler = bus.handlers.get(subject);
    if (handler === undefined) throw new Error(`nobody listens on ${subject}`);
    return handler;
  };

  const connId = Buffer.from("CONNID0000000000000001");
  hand(
    handlerOf("_STAN.discover.bench"),
    "_STAN.discover.bench",
    "",
    encodeConnectRequest({ clientId: "bench", heartbeatInbox: "_INBOX.hb", protocol: 1, connId }),
  );
  await turn();
  const names = Array.from({ length: channels }, (_, i) => `channel.${i}`);
  let ackInbox = "";
  for (const subject of subscribers > 0 ? names : []) {
    const request = encodeSubscriptionRequest({
      clientId: "bench",
      subject,
      inbox,
      maxInFlight: 16_384,
      ackWaitInSecs: 30,
      startPosition: StartPosition.newOnly,
    });
    hand(handlerOf("_STAN.sub.bench"), "_STAN.sub.bench", "answer", request);
    await turn();
    const response = decodeSubscriptionResponse(bus.lastReply ?? new Uint8Array(0));
    if (response.kind === "ok") ackInbox = response.value.ackInbox;
  }

  const publish = handlerOf("_STAN.pub.bench.>");
  const ack = [...bus.handlers].find(([subject]) => /^_INBOX\..*\*$/.test(subject))?.[1];
  const payloads = names.map((subject) =>
    encodePubMsg({ clientId: "bench", guid: "G".repeat(22), subject, data: new Uint8Array(128), connId }),
  );
  const subjects = names.map((subject) => `_STAN.pub.bench.${subject}`);
  let sequence = 0;
  const started0 = process.cpuUsage();
  for (let sent = 0; sent < MESSAGES; sent += PER_TURN) {
    for (let i = 0; i < PER_TURN; i++) {
      const at = (sent + i) % channels;
      hand(publish, subjects[at]!, "_STAN.acks.bench", payloads[at]!);
    }
    await turn();
    if (ack === undefined || channels !== 1) continue;
    for (; bus.delivered > 0; bus.delivered--) {
      sequence++;
      hand(ack, ackInbox, "", encodeAck({ subject: names[0]!, sequence: BigInt(sequence) }));
    }
  }
  const used = process.cpuUsage(started0);
  await started.engine.close();
  return (used.user + used.system) / MESSAGES;
}

const cases: readonly (readonly [string, number, number])[] = [
  ["publish, 1 channel", 0, 1],
  ["publish, 1,000 channels in turn", 0, 1_000],
  ["publish, 1 acknowledging subscriber (the ack's own encoding included)", 1, 1],
];
for (const [name, subscribers, channels] of cases) {
  const figures: number[] = [];
  for (let round = 0; round < ROUNDS; round++) figures.push(await measure(subscribers, channels));
  figures.sort((a, b) => a - b);
  process.stdout.write(`${name}: ${figures[0]!.toFixed(3)} CPU seconds per million (best of ${ROUNDS})\n`);
}
