import { timestampNanos } from "@nats-streaming/kernel";
import { encodeMsgProto } from "@nats-streaming/protocol/stan";
import { LOOKUP_COLD, LOOKUP_FOUND } from "@nats-streaming/store";
import { describe, expect, it } from "vitest";
import { append, appendMany, figures, hex, millis, newPlace, type Place, read } from "../../test-support/place.ts";
import { checksum, IEEE_POLYNOMIAL } from "../format/crc32.ts";
import { indexEntry, readIndexRecord, writeIndexRecord } from "../format/index-record.ts";
import { encodeRecord, FILE_HEADER } from "../format/record.ts";
import { defaultFileStoreOptions } from "../options.ts";
import { sliceLimits } from "./slice-limits.ts";

const slices = (place: Place, suffix = ".dat"): string[] =>
  place
    .names()
    .filter((name) => name.startsWith("foo/msgs.") && name.endsWith(suffix))
    .map((name) => name.slice("foo/msgs.".length, -suffix.length))
    .sort((one, other) => Number(one) - Number(other));

/** Sequences in the index of a slice. */
function indexed(place: Place, slice: number): number[] {
  const bytes = place.bytes(`foo/msgs.${slice}.idx`);
  const entry = indexEntry();
  const found: number[] = [];
  for (let at = 4; at + 32 <= bytes.length; at += 32) {
    readIndexRecord(bytes, at, entry);
    found.push(entry.sequence);
  }
  return found;
}

describe("slices", () => {
  it("FS-MS2 are written to once the buffer is full, and at once by what is larger than it", async () => {
    const place = newPlace({ options: { bufferBytes: 50 } });
    const { channel } = await place.open();
    const log = channel("foo").messages;
    append(place, log, "1");
    expect(place.size("foo/msgs.1.dat")).toBeUndefined();
    append(place, log, "2");
    expect(indexed(place, 1)).toContain(1);
    append(place, log, "x".repeat(100));
    expect(indexed(place, 1)).toEqual([1, 2, 3]);
  });

  it("FS-MS10 hold the same whatever the size of the buffer, of which no more waits in memory", async () => {
    const written = new Map<number, Uint8Array>();
    for (const bufferBytes of [0, 500, 512, 1792]) {
      const place = newPlace({ options: { bufferBytes } });
      const { store, channel } = await place.open();
      const log = channel("foo").messages;
      // A burst of large messages, then small ones: what the burst has needed is not kept waiting.
      for (let i = 1; i <= 40; i++) {
        append(place, log, "x".repeat(i < 20 ? (i * 97) % 700 : i % 9));
        const inFile = place.size("foo/msgs.1.dat") ?? 4;
        // What a message counts has 32 bytes of its index record in it.
        expect(log.bytes - 32 * log.count - (inFile - 4)).toBeLessThanOrEqual(bufferBytes);
        if (i % 8 !== 0) continue;
        await store.flush();
        expect(place.size("foo/msgs.1.dat")).toBe(4 + log.bytes - 32 * log.count);
        expect(indexed(place, 1).length).toBe(i);
      }
      await store.close();
      written.set(bufferBytes, place.bytes("foo/msgs.1.dat"));
    }
    for (const bytes of written.values()) expect(bytes).toEqual(written.get(0));
  });

  it("FS-MS16 give back the memory that a message of a megabyte took, once it is flushed", async () => {
    const place = newPlace({ options: { bufferBytes: 2_000_000 } });
    const { store, channel } = await place.open({ cacheBytes: 10_000 });
    const log = channel("foo").messages;
    append(place, log, "x".repeat(1_048_576));
    expect(store.cachedBytes).toBeGreaterThan(1_048_576);
    expect(place.size("foo/msgs.1.dat")).toBeUndefined();
    await store.flush();
    append(place, log, "small");
    expect(store.cachedBytes).toBeLessThan(10_000);
    expect((await read(log, 1))?.length).toBe(1_048_576);
  });

  it("FS-G14 never hold a part of a record: a write that fails takes its message back", async () => {
    const place = newPlace({ options: { bufferBytes: 0 } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    append(place, log, "1");
    for (const path of ["msgs.1.dat", "msgs.1.idx"]) {
      place.disk.inject({ operation: "write", kind: "no_space", path: (name) => name.endsWith(path) });
      expect(() => append(place, log, "refused")).toThrow("no space left on device");
      expect([log.lastSequence, log.count]).toEqual([1, 1]);
    }
    append(place, log, "2");
    await store.close();
    const again = await place.open();
    expect(await read(again.channel("foo").messages, 2)).toBe("2");
    expect(place.logger.lines.filter((line) => line.startsWith("ERR"))).toEqual([]);
  });

  it("take back a whole batch when it cannot be written, with what limits had removed for it", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 2 }, limits: { maxMessages: 4 } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    appendMany(place, log, 4);
    await store.flush();
    appendMany(place, log, 5);
    expect(figures(log).slice(0, 3)).toEqual([6, 9, 4]);
    place.disk.inject({ operation: "write", kind: "no_space", path: (name) => name.endsWith("msgs.4.idx") });
    await expect(store.flush()).rejects.toThrow("no space left on device");
    expect(figures(log).slice(0, 3)).toEqual([1, 4, 4]);
    for (const s of [1, 2, 3, 4]) expect(await read(log, s)).toBe(`message ${s}`);
    expect(await read(log, 5)).toBeUndefined();
    appendMany(place, log, 1);
    await store.close();
    expect(slices(place)).toEqual(["1", "2", "3"]);
    const again = await place.open({ limits: { maxMessages: 0 } });
    expect(figures(again.channel("foo").messages).slice(0, 3)).toEqual([1, 5, 5]);
  });

  it("FS-MS3 have one message each, and the last of them is gone on with after a restart", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 1 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 2);
    await store.close();
    expect(slices(place)).toEqual(["1", "2"]);
    const { store: again, channel: recovered } = await place.open();
    appendMany(place, recovered("foo").messages, 1);
    await again.close();
    expect(slices(place)).toEqual(["1", "2", "3"]);
  });

  it("FS-MS4 are cut down to a lower limit at a restart", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 50);
    await store.close();
    const { channel: recovered } = await place.open({ limits: { maxMessages: 10 } });
    const log = recovered("foo").messages;
    expect(figures(log).slice(0, 3)).toEqual([41, 50, 10]);
    appendMany(place, log, 10);
    expect(figures(log).slice(0, 3)).toEqual([51, 60, 10]);
  });

  it("FS-MS8 go when all their messages are gone", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 1 }, limits: { maxMessages: 3 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 7);
    await store.close();
    expect(slices(place)).toEqual(["5", "6", "7"]);
    expect(slices(place, ".idx")).toEqual(["5", "6", "7"]);
    const { channel: recovered } = await place.open();
    expect(figures(recovered("foo").messages).slice(0, 3)).toEqual([5, 7, 3]);
  });

  it("FS-MS9 stay when they are the only one, and go when the next one is made", async () => {
    const place = newPlace({ options: { sliceMaxAge: millis(2000) }, limits: { maxAge: millis(1000) } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    appendMany(place, log, 5);
    await store.flush();
    await place.clock.advanceAsync(3000);
    expect([figures(log), slices(place)]).toEqual([[6, 5, 0, 0], ["1"]]);
    appendMany(place, log, 1);
    await store.flush();
    expect([figures(log).slice(0, 3), slices(place)]).toEqual([[6, 6, 1], ["2"]]);
  });

  it("FS-MS12 are one for ever without any limit", async () => {
    const place = newPlace({ options: { sliceMaxBytes: 0 }, limits: { maxMessages: 0, maxBytes: 0 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 1000);
    await store.close();
    expect(slices(place)).toEqual(["1"]);
  });

  it("FS-MS13 recover when limits removed messages that were not written yet", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 3 }, limits: { maxMessages: 2 } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    appendMany(place, log, 20);
    expect(figures(log).slice(0, 3)).toEqual([19, 20, 2]);
    await store.close();
    const { channel: recovered } = await place.open();
    expect(figures(recovered("foo").messages).slice(0, 3)).toEqual([19, 20, 2]);
  });

  it("FS-MS14 have a quarter of the channel's limits when none of their own are given", () => {
    const options = { ...defaultFileStoreOptions, sliceMaxBytes: 0 };
    const limits = { maxSubscriptions: 0, maxInactivity: millis(0) };
    const small = { ...limits, maxMessages: 3, maxBytes: 3, maxAge: millis(3000) };
    expect(sliceLimits(options, small)).toEqual({ messages: 1, bytes: 1, ageMillis: 1000 });
    const large = { ...limits, maxMessages: 100, maxBytes: 100, maxAge: millis(20_000) };
    expect(sliceLimits(options, large)).toEqual({ messages: 25, bytes: 25, ageMillis: 5000 });
    const own = sliceLimits(defaultFileStoreOptions, small);
    expect(own).toEqual({ messages: Infinity, bytes: 67_108_864, ageMillis: Infinity });
  });

  it("FS-MS11 are handed to the archive script under other names, which stay when it fails", async () => {
    const place = newPlace({
      options: { sliceMaxMessages: 1, sliceArchiveScript: "script" },
      limits: { maxMessages: 1 },
    });
    const calls: string[][] = [];
    const outcomes = [{ output: "done" }, { output: "why", error: "exit status 3" }];
    const { store, channel } = await place.open({
      runScript: async (script, args) => {
        calls.push([script, ...args]);
        if (calls.length === 1) for (const path of args.slice(1)) place.disk.removeNow(path);
        return outcomes[calls.length - 1]!;
      },
    });
    const log = channel("foo").messages;
    appendMany(place, log, 3);
    await store.flush();
    await store.close();
    const archived = (slice: number) => ["dat", "idx"].map((suffix) => `/data/foo/msgs.${slice}.${suffix}.bak`);
    expect(calls).toEqual([
      ["script", "foo", ...archived(1)],
      ["script", "foo", ...archived(2)],
    ]);
    expect(place.names().filter((name) => name.startsWith("foo/msgs"))).toEqual([
      "foo/msgs.2.dat.bak",
      "foo/msgs.2.idx.bak",
      "foo/msgs.3.dat",
      "foo/msgs.3.idx",
    ]);
    const lines = place.logger.lines.filter((line) => line.includes("archive script"));
    expect(lines).toEqual([
      `INF Output of archive script for foo (${archived(1)[0]} and ${archived(1)[1]}): done`,
      'ERR Error invoking archive script "script": exit status 3 (output=why)',
    ]);
  });
});

describe("gaps", () => {
  it.each([0, 2_000_000])("FS-MS24 are filled with empty messages (buffer of %i bytes)", async (bufferBytes) => {
    const place = newPlace({ options: { bufferBytes } });
    const { store, channel } = await place.open();
    for (const s of [1, 2, 5]) append(place, channel0(channel), `${s}`, s);
    await store.close();
    const { channel: recovered } = await place.open();
    const log = recovered("foo").messages;
    expect(figures(log).slice(0, 3)).toEqual([1, 5, 5]);
    expect(await Promise.all([1, 2, 3, 4, 5].map((s) => read(log, s)))).toEqual(["1", "2", "", "", "5"]);
  });

  it("FS-MS25 count for max_msgs", async () => {
    const place = newPlace({ limits: { maxMessages: 3 } });
    const { store, channel } = await place.open();
    for (const s of [1, 2, 5]) append(place, channel0(channel), `${s}`, s);
    await store.close();
    const { channel: recovered } = await place.open();
    const log = recovered("foo").messages;
    expect(figures(log).slice(0, 3)).toEqual([3, 5, 3]);
    appendMany(place, log, 3);
    expect(figures(log).slice(0, 3)).toEqual([6, 8, 3]);
  });

  it("FS-MS26 expire with the others", async () => {
    const place = newPlace({ limits: { maxAge: millis(1000) } });
    const { store, channel } = await place.open();
    for (const s of [1, 2, 5]) append(place, channel0(channel), `${s}`, s);
    await store.flush();
    await place.clock.advanceAsync(3000);
    const log = channel0(channel);
    expect(figures(log)).toEqual([6, 5, 0, 0]);
    append(place, log, "next");
    expect(log.count).toBe(1);
  });

  it("FS-MS27 go into the slice that is there, whatever its limit", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 3 } });
    const { store, channel } = await place.open();
    for (const s of [1, 4, 5, 7, 8]) append(place, channel0(channel), `${s}`, s);
    await store.close();
    expect([1, 2, 3].map((slice) => indexed(place, slice))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8],
    ]);
  });

  const cached = new Map<unknown, ReturnType<Awaited<ReturnType<Place["open"]>>["channel"]>>();
  const channel0 = (channel: Awaited<ReturnType<Place["open"]>>["channel"]) => {
    const made = cached.get(channel) ?? channel("foo");
    cached.set(channel, made);
    return made.messages;
  };

  /** Writes a slice of the original's older releases, which left gaps. */
  function putSlice(place: Place, slice: number, sequences: readonly number[]): void {
    const sum = checksum(IEEE_POLYNOMIAL);
    const data: Uint8Array[] = [FILE_HEADER];
    const index = new Uint8Array(4 + 32 * sequences.length);
    index.set(FILE_HEADER);
    let offset = 4;
    for (const [i, s] of sequences.entries()) {
      const time = { millis: 1_700_000_000_000 + s, nanos: 0 };
      const timestamp = timestampNanos(BigInt(time.millis) * 1_000_000n);
      const payload = encodeMsgProto({ sequence: BigInt(s), subject: "foo", data: Buffer.from(`${s}`), timestamp });
      const record = encodeRecord(0, payload, sum);
      data.push(record);
      writeIndexRecord(index, 4 + 32 * i, s, offset, time, payload.length, sum);
      offset += record.length;
    }
    place.put(`foo/msgs.${slice}.dat`, new Uint8Array(Buffer.concat(data)));
    place.put(`foo/msgs.${slice}.idx`, index);
  }

  async function withGaps(): Promise<Place> {
    const place = newPlace({ options: { sliceMaxMessages: 4 } });
    const { store, channel } = await place.open();
    channel("foo");
    await store.close();
    putSlice(place, 1, [2, 3, 7, 9]);
    putSlice(place, 2, [20, 30]);
    return place;
  }

  it("FS-MS36 that are real are found as such, and limits and expiry go over them", async () => {
    const place = await withGaps();
    place.clock.setWall(1_700_000_000_100);
    const { channel } = await place.open();
    const log = channel("foo").messages;
    expect(figures(log).slice(0, 3)).toEqual([2, 30, 6]);
    for (const s of [1, 4, 8, 10, 25, 31]) expect([s, await read(log, s)]).toEqual([s, undefined]);
    for (const s of [2, 3, 7, 9, 20, 30]) expect([s, await read(log, s)]).toEqual([s, `${s}`]);
    const at = (s: number): number | Promise<number> =>
      log.sequenceFromTimestamp(timestampNanos(BigInt(1_700_000_000_000 + s) * 1_000_000n));
    expect(await Promise.all([1, 2, 5, 7, 8, 10, 25, 30, 31].map(at))).toEqual([2, 2, 7, 7, 9, 20, 30, 30, 31]);

    const limited = await (await withGaps()).open({ limits: { maxMessages: 3 } });
    expect(figures(limited.channel("foo").messages).slice(0, 3)).toEqual([9, 30, 3]);
    const expiring = await withGaps();
    expiring.clock.setWall(1_700_000_000_000);
    const { store, channel: aging } = await expiring.open({ limits: { maxAge: millis(1000) } });
    const aged = aging("foo").messages;
    await expiring.clock.advanceAsync(2000);
    expect(slices(expiring)).toEqual(["2"]);
    expect(figures(aged)).toEqual([31, 30, 0, 0]);
    await store.close();
  });

  it("FS-MS28 between slices do not stop expiry", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 5 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 8);
    await store.close();
    const data = place.bytes("foo/msgs.1.dat");
    place.put("foo/msgs.1.dat", data.slice(0, data.length - 5));
    place.clock.advance(5000);
    const again = await place.open({ limits: { maxAge: millis(1000) }, options: { truncateUnexpectedEof: true } });
    expect(figures(again.channel("foo").messages)).toEqual([9, 8, 0, 0]);
  });
});

describe("expiry", () => {
  it("FS-MS19 FS-MS20 does no harm to a channel without slices, nor to a store that is closing", async () => {
    const place = newPlace({ limits: { maxAge: millis(10) } });
    const { store, channel } = await place.open();
    channel("empty");
    appendMany(place, channel("foo").messages, 100);
    await place.clock.advanceAsync(1000);
    const closing = store.close();
    place.clock.advance(5000);
    await closing;
    expect(place.clock.timerCount).toBe(0);
  });

  it("FS-MS21 FS-MS37 over an index replaced by garbage says so, and tries again five seconds later", async () => {
    const place = newPlace({ limits: { maxAge: millis(1000) } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 10);
    await store.close();
    const { channel: recovered } = await place.open({ cacheBytes: 0 });
    const log = recovered("foo").messages;
    const index = place.bytes("foo/msgs.1.idx");
    place.put("foo/msgs.1.idx", new Uint8Array(index.length).fill(0xab));
    const errors = (): number =>
      place.logger.lines.filter((line) => line.startsWith("ERR Error during expiration: ")).length;
    await place.clock.advanceAsync(2000);
    expect([log.count, errors()]).toEqual([10, 1]);
    await place.clock.advanceAsync(3000);
    expect(errors()).toBe(1);
    place.put("foo/msgs.1.idx", index);
    await place.clock.advanceAsync(3000);
    expect([log.count, errors()]).toEqual([0, 1]);
  });

  it("FS-MS33 of max_msgs over a damaged index says so, and takes the message", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 10);
    await store.close();
    const { channel: recovered } = await place.open({ limits: { maxMessages: 10 } });
    const log = recovered("foo").messages;
    place.put("foo/msgs.1.idx", new Uint8Array(place.size("foo/msgs.1.idx")!).fill(0xab));
    append(place, log, "taken");
    expect(log.lastSequence).toBe(11);
    expect(place.logger.lines.some((line) => line.startsWith("ERR Unable to remove first message: "))).toBe(true);
  });
});

describe("reading", () => {
  const warm = (log: { lookup(s: number, out: never): number }, sequences: readonly number[]): number[] =>
    sequences.filter((s) => log.lookup(s, { bytes: new Uint8Array(0), start: 0, end: 0 } as never) === LOOKUP_FOUND);

  it.each([
    [0, [3]],
    [1024 * 1024, [3, 4, 5, 6, 7, 8, 9, 10]],
    [10, [3]],
    [110, [3, 4, 5]],
  ])(
    "FS-MS34 FS-MS17 brings what follows, as far as a read buffer of %i bytes goes",
    async (readBufferBytes, expected) => {
      const place = newPlace({ options: { readBufferBytes } });
      const { store, channel } = await place.open();
      appendMany(place, channel("foo").messages, 10);
      await store.close();
      const { channel: recovered } = await place.open();
      const log = recovered("foo").messages;
      expect(warm(log, [1, 2, 3])).toEqual([]);
      await log.load(3, 100);
      expect(warm(log, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual(expected);
    },
  );

  it("FS-MS18 keeps no more in memory than the cache has room for", async () => {
    const place = newPlace({ limits: { maxMessages: 0 } });
    const { store, channel } = await place.open({ cacheBytes: 5000 });
    const log = channel("foo").messages;
    for (let i = 0; i < 20; i++) {
      appendMany(place, log, 50);
      await store.flush();
    }
    expect(store.cachedBytes).toBeLessThanOrEqual(5000);
    expect(warm(log, [1, 1000])).toEqual([1000]);
    for (let s = 1; s <= 1000; s++) expect(await read(log, s)).toBe(`message ${s}`);
    expect(store.cachedBytes).toBeLessThanOrEqual(5000);
    const other = channel("bar").messages;
    appendMany(place, other, 80);
    await store.flush();
    expect(store.cachedBytes).toBeLessThanOrEqual(5000);
    expect(warm(other, [80])).toEqual([80]);
  });

  it("FS-MS35 tells of short data, a wrong checksum and another size, for that message only", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 5);
    await store.close();
    const { channel: recovered } = await place.open();
    const log = recovered("foo").messages;
    const data = place.bytes("foo/msgs.1.dat");
    const second = 4 + (data.length - 4) / 5;
    for (const [at, value, text] of [
      [second + 12, 0xff, /^corrupted data, expected crc to be 0x/],
      [second, 1, /^expected size to be \d+, got \d+$/],
    ] as const) {
      const damaged = data.slice();
      damaged[at] = damaged[at]! ^ value;
      place.put("foo/msgs.1.dat", damaged);
      await expect(log.load(2, 1)).rejects.toThrow(text);
      await log.load(3, 10);
      expect(warm(log, [2, 3, 4, 5])).toEqual([3, 4, 5]);
      place.disk.inject({ operation: "read", kind: "io" });
      await expect(log.load(1, 10)).rejects.toMatchObject({ code: "read_failed" });
    }
    place.put("foo/msgs.1.dat", data.slice(0, second + 3));
    await expect(log.load(2, 1)).rejects.toThrow("unexpected EOF");
  });

  it("FS-MS32 finds times over several slices, in memory and on disk", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 3 } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    const times: bigint[] = [];
    for (let i = 0; i < 10; i++) {
      times.push(BigInt(1_700_000_000_000 + place.clock.monotonicMillis()) * 1_000_000n);
      append(place, log, `${i}`);
      place.clock.advance(10);
    }
    const ask = (of: typeof log) =>
      Promise.all(
        [...times, times[0]! - 1n, times[9]! + 1n, times[4]! + 1n].map((time) =>
          of.sequenceFromTimestamp(timestampNanos(time)),
        ),
      );
    const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 11, 6];
    expect(await ask(log)).toEqual(expected);
    await store.close();
    const { channel: recovered } = await place.open();
    expect(await ask(recovered("foo").messages)).toEqual(expected);
  });

  it("is cold after a restart, and finds everything when asked to load it", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 3);
    await store.close();
    const { channel: recovered } = await place.open();
    const log = recovered("foo").messages;
    expect(log.lookup(2, { bytes: new Uint8Array(0), start: 0, end: 0 })).toBe(LOOKUP_COLD);
    expect(await read(log, 2)).toBe("message 2");
  });
});

describe("empty()", () => {
  it("FS-MS31 removes slices, indexes and what was archived, and begins with slice 1", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 2 } });
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    appendMany(place, log, 5);
    await store.flush();
    place.put("foo/msgs.9.idx", hex("01000000"));
    place.put("foo/msgs.8.dat.bak", hex("01000000"));
    log.empty();
    expect(place.names().filter((name) => name.startsWith("foo/"))).toEqual(["foo/subs.dat"]);
    append(place, log, "twentieth", 20);
    await store.close();
    expect(slices(place)).toEqual(["1"]);
    const { channel: recovered } = await place.open();
    expect(figures(recovered("foo").messages).slice(0, 3)).toEqual([20, 20, 1]);
  });

  it("is not undone by a commit log that still knows of the messages", async () => {
    const place = newPlace({ options: { sync: true } });
    const { store, channel } = await place.open({ recovery: "quarantine" });
    const log = channel("foo").messages;
    appendMany(place, log, 5);
    await store.flush();
    log.empty();
    append(place, log, "anew", 1);
    await store.flush();
    const after = newPlace();
    const crashed = place.disk.crash("power");
    const recovered = await after.open({ fileSystem: crashed, recovery: "quarantine", options: { sync: true } });
    const found = recovered.state!.channels.get("foo")!.messages;
    expect([found.lastSequence, await read(found, 1)]).toEqual([1, "anew"]);
  });
});
