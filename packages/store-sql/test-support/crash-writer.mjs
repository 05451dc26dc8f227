// A process that stores messages until it is killed. It says on standard output what has been flushed, a line each:
// `<channel> <last sequence>`. Runs on the build. Arguments: database file, seed.
import { writeSync } from "node:fs";
import { silentLogger, systemClock } from "@nats-streaming/kernel";
import { defaultStoreLimits } from "@nats-streaming/store";
import { createSqlStore } from "../dist/index.js";

const [source = "", seed = "1"] = process.argv.slice(2);
const CHANNELS = 5;
const MESSAGES_KEPT = 400;

let state = Number(seed) >>> 0;
const random = () => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
};

const clock = systemClock();
const limits = { ...defaultStoreLimits, maxMessages: MESSAGES_KEPT };
const store = createSqlStore({ driver: "sqlite", source, clock, logger: silentLogger, limits });
const info = { clusterId: "crash", discovery: "d", publish: "p", subscribe: "s", unsubscribe: "u" };
const found = await store.recover();
if (found === undefined) await store.init({ ...info, close: "c", subClose: "sc", acksSubs: "a" });

const channels = [];
for (let i = 0; i < CHANNELS; i++) {
  const name = `c${i}`;
  const channel = found?.channels.get(name) ?? store.createChannel(name);
  const [subscription] = found?.channels.get(name)?.subscriptionStates ?? [];
  const subState = { clientId: "me", qGroup: "", inbox: name, ackInbox: "a", maxInFlight: 1, ackWaitInSecs: 1 };
  const id =
    subscription?.state.id ??
    channel.subscriptions.create({
      ...subState,
      id: 0,
      durableName: "d",
      lastSent: 0,
      isDurable: true,
      isClosed: false,
    });
  channels.push({ name, id, ...channel });
}
await store.flush();
writeSync(1, "ready 0\n");

const stamp = { millis: 0, nanos: 0 };
for (;;) {
  const touched = new Set();
  for (let n = Math.floor(random() * 200); n >= 0; n--) {
    const channel = channels[Math.floor(random() * CHANNELS)];
    const log = channel.messages;
    const sequence = log.lastSequence + 1;
    const bytes = new TextEncoder().encode(`${channel.name} ${sequence} ${"x".repeat(sequence % 500)}`);
    clock.read(stamp);
    log.append(sequence, { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length }, stamp);
    touched.add(channel);
    if (random() < 0.3) channel.subscriptions.addPending(channel.id, sequence);
    if (random() < 0.3) channel.subscriptions.ackPending(channel.id, sequence - 3);
  }
  await store.flush();
  for (const { name, messages } of touched) writeSync(1, `${name} ${messages.lastSequence}\n`);
}
