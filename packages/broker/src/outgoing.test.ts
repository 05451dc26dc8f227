import { FakeClock, seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { ChunkPool, LARGE_CHUNK_BYTES } from "./chunk-pool.ts";
import { Outgoing, type OutgoingListener, type Sink } from "./outgoing.ts";
import { Turn } from "./turn.ts";

/** A sink that takes writes at once, or holds them until it is told. What it has been given, it copies only then. */
class TestSink implements Sink {
  received = "";
  writes = 0;
  isSlow = false;
  writableLength = 0;
  #held: { readonly bytes: Uint8Array; readonly done: (() => void) | undefined }[] = [];
  #corked = 0;
  #later: (() => void)[] = [];

  write(bytes: Uint8Array, done?: () => void): boolean {
    if (this.#corked === 0) this.writes++;
    if (this.isSlow || this.#held.length > 0) {
      this.#held.push({ bytes, done });
      this.writableLength += bytes.length;
      return false;
    }
    this.#take(bytes);
    // Node reports a write that was done at once a little later, too.
    if (done !== undefined) this.#later.push(done);
    return true;
  }

  cork(): void {
    this.#corked++;
  }

  uncork(): void {
    this.#corked--;
    this.writes++;
  }

  /** Reports writes that were done at once. */
  report(): void {
    for (const done of this.#later.splice(0)) done();
  }

  /** Takes all that is held. */
  drain(): void {
    this.report();
    for (const { bytes, done } of this.#held.splice(0)) {
      this.#take(bytes);
      this.writableLength -= bytes.length;
      done?.();
    }
  }

  #take(bytes: Uint8Array): void {
    this.received += Buffer.from(bytes).toString("latin1");
  }
}

function setup(pendingMax = 1_000_000) {
  const clock = new FakeClock();
  const turn = new Turn(clock);
  const sink = new TestSink();
  const events: string[] = [];
  const listener: OutgoingListener = {
    onOverflow: () => {
      events.push("overflow");
      outgoing.discard();
    },
    onWriteStarted: () => events.push("started"),
    onWriteFinished: () => events.push("finished"),
  };
  const outgoing: Outgoing = new Outgoing(new ChunkPool(), turn, sink, listener, pendingMax);
  return { clock, turn, sink, events, outgoing };
}

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

describe("Outgoing", () => {
  it("sends everything of a turn in one write at its end", () => {
    const { clock, sink, outgoing } = setup();
    outgoing.append(bytesOf("one "));
    outgoing.append(bytesOf("two"));
    expect(sink.received).toBe("");
    clock.runDeferred();
    expect(sink.received).toBe("one two");
    expect(sink.writes).toBe(1);
    expect(outgoing.pendingBytes).toBe(0);
  });

  it("starts no second write while one is under way, and sends what has gathered after it", () => {
    const { clock, sink, events, outgoing } = setup();
    sink.isSlow = true;
    outgoing.append(bytesOf("a"));
    clock.runDeferred();
    outgoing.append(bytesOf("b"));
    clock.runDeferred();
    outgoing.append(bytesOf("c"));
    clock.runDeferred();
    expect(sink.writes).toBe(1);
    expect(outgoing.pendingBytes).toBe(3);
    sink.isSlow = false;
    sink.drain();
    expect(sink.received).toBe("abc");
    expect(sink.writes).toBe(2);
    expect(events).toEqual(["started", "finished"]);
  });

  it("does not take the late report of an earlier write for that of the one under way", () => {
    const { clock, sink, outgoing } = setup();
    outgoing.append(bytesOf("a"));
    clock.runDeferred();
    sink.isSlow = true;
    outgoing.append(bytesOf("b"));
    clock.runDeferred();
    sink.report();
    expect(outgoing.pendingBytes).toBe(1);
    outgoing.append(bytesOf("c"));
    clock.runDeferred();
    sink.isSlow = false;
    sink.drain();
    expect(sink.received).toBe("abc");
  });

  it("hands full chunks over within a turn when they are many", () => {
    const { sink, outgoing } = setup(10_000_000);
    for (let i = 0; i < 9; i++) outgoing.append(new Uint8Array(LARGE_CHUNK_BYTES));
    expect(sink.received.length).toBeGreaterThanOrEqual(8 * LARGE_CHUNK_BYTES);
  });

  it("reports an overflow once and takes nothing more in", () => {
    const { clock, sink, events, outgoing } = setup(3 * LARGE_CHUNK_BYTES);
    sink.isSlow = true;
    for (let i = 0; i < 10; i++) outgoing.append(new Uint8Array(LARGE_CHUNK_BYTES));
    clock.runDeferred();
    expect(events).toEqual(["started", "overflow"]);
    expect(outgoing.pendingBytes).toBe(0);
    expect(outgoing.reserve(1)).toBeUndefined();
  });

  it("reports no overflow when the sink takes what there is too much of", () => {
    const { events, outgoing } = setup(LARGE_CHUNK_BYTES);
    for (let i = 0; i < 20; i++) outgoing.append(new Uint8Array(LARGE_CHUNK_BYTES / 2));
    expect(events).toEqual([]);
  });

  it("notes a receiver that is far behind, and calls back when it has caught up", () => {
    const { clock, turn, sink, outgoing } = setup(4 * LARGE_CHUNK_BYTES);
    sink.isSlow = true;
    for (let i = 0; i < 4; i++) outgoing.append(new Uint8Array(LARGE_CHUNK_BYTES));
    clock.runDeferred();
    expect(turn.takePressed()).toBe(outgoing);
    expect(turn.takePressed()).toBeUndefined();
    let relieved = 0;
    outgoing.onRelief(() => relieved++);
    sink.isSlow = false;
    sink.drain();
    expect(relieved).toBe(1);
  });

  it("calls back who waits for a receiver that is closed", () => {
    const { outgoing } = setup();
    let relieved = 0;
    outgoing.onRelief(() => relieved++);
    outgoing.discard();
    outgoing.discard();
    expect(relieved).toBe(1);
  });

  it("hands everything over when it finishes, behind the write under way", () => {
    const { clock, sink, outgoing } = setup();
    sink.isSlow = true;
    outgoing.append(bytesOf("a"));
    clock.runDeferred();
    outgoing.append(bytesOf("b"));
    outgoing.finish();
    outgoing.append(bytesOf("c"));
    outgoing.finish();
    sink.drain();
    clock.runDeferred();
    expect(sink.received).toBe("ab");
  });

  it("loses and changes no byte, whatever comes in whichever pieces and however fast the sink is", () => {
    const random = seededRandom(17);
    for (let round = 0; round < 40; round++) {
      const { clock, sink, outgoing } = setup(100_000_000);
      let expected = "";
      for (let i = 0; i < 60; i++) {
        const size = Math.floor(random.next() ** 4 * 200_000);
        const text = String.fromCharCode(97 + (i % 26)).repeat(size);
        expected += text;
        if (size > 0 && size <= LARGE_CHUNK_BYTES && random.next() < 0.5) {
          const chunk = outgoing.reserve(size);
          chunk?.bytes.set(bytesOf(text), chunk.length);
          if (chunk !== undefined) chunk.length += size;
        } else {
          outgoing.append(bytesOf(text));
        }
        if (random.next() < 0.3) clock.runDeferred();
        sink.isSlow = random.next() < 0.3;
        if (random.next() < 0.3) sink.report();
        if (!sink.isSlow && random.next() < 0.5) sink.drain();
      }
      sink.isSlow = false;
      clock.runDeferred();
      sink.drain();
      clock.runDeferred();
      expect(sink.received === expected).toBe(true);
      expect(outgoing.pendingBytes).toBe(0);
    }
  });
});
