/** What parsing costs by itself: nanoseconds per publish, the best of several rounds. Run with `tsx`. */
import { createLineParser, type LineHandler, type MessageFrame } from "@nats-streaming/protocol/nats";
import { encodeBlocks } from "./load.ts";

const ROUNDS = 15;
const REPEATS = 200;

let seen = 0;
const ignore = (): void => {};
const handler: LineHandler = {
  onConnect: ignore,
  onMessage: (frame: MessageFrame) => {
    seen += frame.payloadEnd - frame.payloadStart;
  },
  onSubscribe: ignore,
  onUnsubscribe: ignore,
  onPing: ignore,
  onPong: ignore,
  onOk: ignore,
  onError: ignore,
  onInfo: ignore,
};

function measure(what: string, subjects: readonly string[], reply: string, cut: number): void {
  const blocks = encodeBlocks({ subjects, reply, size: 128 });
  const parser = createLineParser({ side: "client", handler });
  const buffer = new Uint8Array(65_536);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    let messages = 0;
    let nanos = 0;
    for (let i = 0; i < REPEATS; i++) {
      const block = blocks[i % blocks.length]!;
      messages += block.messages;
      for (let at = 0; at < block.bytes.length; at += cut) {
        const length = Math.min(cut, block.bytes.length - at);
        buffer.set(block.bytes.subarray(at, at + length));
        const start = process.hrtime.bigint();
        parser.feed(buffer, 0, length);
        nanos += Number(process.hrtime.bigint() - start);
      }
    }
    best = Math.min(best, nanos / messages);
  }
  console.log(`${what.padEnd(40)} ${best.toFixed(0).padStart(5)} ns per publish`);
}

const CHANNEL = "_STAN.pub.test-cluster.orders";
const ACKS = "_STAN.acks.oVq3pOpUaB2WgqZ9kPmXfT";
const thousand = Array.from({ length: 1_000 }, (_, i) => `${CHANNEL}.${i}`);

measure("1 subject, chunks of 64 KiB", [CHANNEL], ACKS, 65_536);
measure("1,000 subjects, chunks of 64 KiB", thousand, ACKS, 65_536);
measure("1 subject, chunks of 4 KiB", [CHANNEL], ACKS, 4_096);
measure("1 subject, chunks of 100 bytes", [CHANNEL], ACKS, 100);
if (seen === 0) throw new Error("nothing was parsed");
