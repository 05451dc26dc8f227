import { sequence as asSequence, type Timestamp } from "@nats-streaming/kernel";
import { LOOKUP_COLD, LOOKUP_FOUND, type MessageLog, type StoredMessage } from "@nats-streaming/store";
import { expect } from "vitest";
import { countedSize, type ExpectedMessage, encodedMessage } from "./encoded-message.ts";
import type { Scene } from "./scene.ts";

export interface MessageOptions {
  readonly data?: string | Uint8Array;
  /** Byte string. */
  readonly reply?: string;
  /** Nanoseconds since 1970; the present time of the scene's clock when left out. */
  readonly timestamp?: bigint;
}

/**
 * Appends a message out of the middle of a buffer, and overwrites that buffer afterwards: a log that did not copy what it
 * keeps, or that looks beyond the ranges, fails the test. Every other message brings its channel's name.
 */
export function append(scene: Scene, log: MessageLog, sequence: number, options: MessageOptions = {}): ExpectedMessage {
  const data = typeof options.data === "string" ? Buffer.from(options.data) : (options.data ?? Buffer.from("message"));
  const reply = options.reply ?? "";
  const timestamp = options.timestamp ?? scene.now();
  const junk = Buffer.from("junk");
  const name = Buffer.from(log.channel, "latin1");
  const bytes = new Uint8Array(Buffer.concat([junk, Buffer.from(reply, "latin1"), junk, data, junk, name, junk]));
  const dataStart = 2 * junk.length + reply.length;
  const subjectStart = dataStart + data.length + junk.length;
  const incoming = {
    bytes,
    ...(sequence % 2 === 0 ? {} : { subjectStart, subjectEnd: subjectStart + name.length }),
    replyStart: junk.length,
    replyEnd: junk.length + reply.length,
    dataStart,
    dataEnd: dataStart + data.length,
  };
  log.append(asSequence(sequence), incoming, toTimestamp(timestamp));
  bytes.fill(0xee);
  return { sequence, channel: log.channel, reply, data: new Uint8Array(data), timestamp };
}

/** Appends messages `from` to `to` with different data, all at the present time. */
export function appendRange(scene: Scene, log: MessageLog, from: number, to: number): ExpectedMessage[] {
  const messages: ExpectedMessage[] = [];
  for (let s = from; s <= to; s++) messages.push(append(scene, log, s, { data: `message ${s}` }));
  return messages;
}

/** The encoded message at `sequence`, brought to memory if it has to be; undefined when there is none. */
export async function read(log: MessageLog, sequence: number): Promise<Uint8Array | undefined> {
  const out: StoredMessage = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = log.lookup(sequence, out);
  if (found === LOOKUP_COLD) {
    await log.load(sequence, 1);
    found = log.lookup(sequence, out);
    expect(found, `lookup of ${sequence} right after its load`).not.toBe(LOOKUP_COLD);
  }
  return found === LOOKUP_FOUND ? out.bytes.slice(out.start, out.end) : undefined;
}

/** Checks that the log holds exactly these messages, which are in order, byte for byte. */
export async function expectMessages(
  scene: Scene,
  log: MessageLog,
  messages: readonly ExpectedMessage[],
): Promise<void> {
  const { firstSequence, lastSequence, count, bytes } = log;
  const first = messages[0]?.sequence ?? (lastSequence === 0 ? 0 : lastSequence + 1);
  const last = messages.at(-1)?.sequence ?? lastSequence;
  expect({ firstSequence, lastSequence, count, bytes }).toEqual({
    firstSequence: first,
    lastSequence: last,
    count: messages.length,
    bytes: sizeOf(scene, messages),
  });
  for (const message of messages) await expectMessage(log, message);
  expect(await read(log, first - 1)).toBeUndefined();
  expect(await read(log, last + 1)).toBeUndefined();
}

export async function expectMessage(log: MessageLog, message: ExpectedMessage): Promise<void> {
  const found = await read(log, message.sequence);
  const hex = found === undefined ? undefined : Buffer.from(found).toString("hex");
  expect(hex, `message ${message.sequence}`).toBe(Buffer.from(encodedMessage(message)).toString("hex"));
}

/** What the store must count for these messages. */
export function sizeOf(scene: Scene, messages: readonly ExpectedMessage[]): number {
  const { bytesPerMessageOverhead, encrypted } = scene.capabilities;
  return messages.reduce((sum, message) => sum + countedSize(message, encrypted) + bytesPerMessageOverhead, 0);
}

/** What is left of `messages` when limits act after each of them; at least one is kept. */
export function keptBy(
  scene: Scene,
  messages: readonly ExpectedMessage[],
  limits: { readonly maxMessages: number; readonly maxBytes: number },
): ExpectedMessage[] {
  const kept: ExpectedMessage[] = [];
  for (const message of messages) {
    kept.push(message);
    const over = () =>
      (limits.maxMessages > 0 && kept.length > limits.maxMessages) ||
      (limits.maxBytes > 0 && sizeOf(scene, kept) > limits.maxBytes);
    while (kept.length > 1 && over()) kept.shift();
  }
  return kept;
}

function toTimestamp(nanos: bigint): Timestamp {
  return { millis: Number(nanos / 1_000_000n), nanos: Number(nanos % 1_000_000n) };
}
