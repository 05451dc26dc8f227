import { encodeMsgProto } from "@nats-streaming/protocol/stan";
import { describe, expect, it } from "vitest";
import {
  append,
  appendMany,
  client,
  figures,
  hex,
  millis,
  newPlace,
  type Place,
  read,
  subState,
} from "../../test-support/place.ts";
import { checksum, IEEE_POLYNOMIAL } from "../format/crc32.ts";
import { encodeRecord } from "../format/record.ts";

/** A place with one channel of eight messages, a subscription and two clients, everything closed. */
async function filled(): Promise<Place> {
  const place = newPlace();
  const { store, channel } = await place.open();
  const foo = channel("foo");
  appendMany(place, foo.messages, 8);
  foo.subscriptions.create(subState());
  store.addClient(client("one"));
  store.addClient(client("two"));
  await store.flush();
  await store.close();
  return place;
}

async function refusal(place: Place): Promise<string> {
  const store = place.make();
  try {
    await store.recover();
    return "recovered";
  } catch (error) {
    return (error as Error).message;
  } finally {
    await store.close();
  }
}

const cut = (bytes: Uint8Array, length: number): Uint8Array => bytes.slice(0, bytes.length - length);
const joined = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = bytes.slice();
  copy[at]! ^= 0xff;
  return copy;
};

describe("strict recovery", () => {
  it.each([
    ["clients.dat", 'unable to recover client file "clients.dat"'],
    ["foo/msgs.1.dat", 'unable to recover message store for [foo](file: "foo/msgs.1.dat")'],
    ["foo/msgs.1.idx", 'unable to recover message store for [foo](file: "foo/msgs.1.idx")'],
    ["foo/subs.dat", "unable to recover subscription store for [foo]"],
    ["server.dat", 'unable to recover server file "server.dat"'],
  ])("FS-G4 FS-G23 FS-MS38 FS-SS10 refuses version 2, and an empty file, of %s", async (name, where) => {
    const place = await filled();
    const former = place.bytes(name);
    place.put(name, joined(hex("02000000"), former.slice(4)));
    expect(await refusal(place)).toBe(`${where}: unsupported file version: 2 (supports [1..1])`);
    place.put(name, new Uint8Array(0));
    expect(await refusal(place)).toBe(`${where}: unable to verify file version: EOF`);
    place.put(name, former.slice(0, 3));
    expect(await refusal(place)).toBe(`${where}: unable to verify file version: unexpected EOF`);
    place.put(name, former);
    expect(await refusal(place)).toBe("recovered");
  });

  it("FS-G7 refuses clients.dat with a wrong checksum, undecodable records and unknown types", async () => {
    const place = await filled();
    const good = place.bytes("clients.dat");
    const where = 'unable to recover client file "/data/clients.dat": ';
    for (const [bytes, what] of [
      [flipped(good, 13), "corrupted data, expected crc to be"],
      [joined(good, hex("05000001 86a61036 68656c6c6f")), "proto: ClientInfo: "],
      [joined(good, hex("05000002 86a61036 68656c6c6f")), "proto: ClientDelete: "],
      [joined(good, hex("04000063 48d37352 0a026331")), "invalid client record type: 99"],
    ] as const) {
      place.put("clients.dat", bytes);
      expect(await refusal(place)).toContain(where + what);
    }
  });

  it("FS-G8 refuses server.dat with two records, a wrong size, surplus bytes and an undecodable record", async () => {
    const place = await filled();
    const good = place.bytes("server.dat");
    const record = good.slice(4);
    const where = 'unable to recover server file "/data/server.dat": ';
    const sized = (size: number): Uint8Array => joined(good.slice(0, 4), Uint8Array.of(size), good.slice(5));
    for (const [bytes, what] of [
      [
        joined(good, record),
        `incorrect file size, expected ${good.length} bytes, got ${good.length + record.length} bytes`,
      ],
      [sized(good[4]! + 1), "unexpected EOF"],
      [sized(good[4]! - 1), "corrupted data, expected crc to be"],
      [joined(good, hex("01")), `incorrect file size, expected ${good.length} bytes, got ${good.length + 1} bytes`],
      [joined(hex("01000000 05000000 86a61036 68656c6c6f")), "proto: ServerInfo: "],
    ] as const) {
      place.put("server.dat", bytes);
      expect(await refusal(place)).toContain(where + what);
    }
  });

  it("FS-SS1 refuses subs.dat without version, with a cut record, undecodable payloads and unknown types", async () => {
    const place = await filled();
    const good = place.bytes("foo/subs.dat");
    const where = "unable to recover subscription store for [foo]: ";
    const undecodable = hex("86a61036 68656c6c6f");
    for (const [bytes, what] of [
      [good.slice(0, 2), "unable to verify file version: unexpected EOF"],
      [joined(good, hex("0400")), "unexpected EOF"],
      ...[1, 2].map((type) => [joined(good, hex(`0500000${type}`), undecodable), "proto: SubState: "] as const),
      [joined(good, hex("05000003"), undecodable), "proto: SubStateDelete: "],
      ...[4, 5].map((type) => [joined(good, hex(`0500000${type}`), undecodable), "proto: SubStateUpdate: "] as const),
      [joined(good, hex("04000009 1a7b9adf 08011005")), "unexpected record type: 9"],
    ] as const) {
      place.put("foo/subs.dat", bytes);
      expect(await refusal(place)).toContain(where + what);
    }
  });

  it("FS-G19 FS-SS9 cuts zeros behind the last record, and goes on there", async () => {
    const place = await filled();
    for (const name of ["clients.dat", "foo/subs.dat"]) place.put(name, joined(place.bytes(name), new Uint8Array(20)));
    const { store, state, channel } = await place.open();
    expect(state?.clients.map(({ id }) => id).sort()).toEqual(["one", "two"]);
    store.addClient(client("three"));
    channel("foo").subscriptions.create(subState({ inbox: "second" }));
    await store.flush();
    await store.close();
    const again = await place.open();
    expect(again.state?.clients.map(({ id }) => id).sort()).toEqual(["one", "three", "two"]);
    const { subscriptionStates } = again.state!.channels.get("foo")!;
    expect(subscriptionStates.map(({ state: { inbox } }) => inbox)).toEqual(["in", "second"]);
  });

  it("cuts a record of which nothing but its header is there, before it goes on", async () => {
    const place = await filled();
    for (const name of ["clients.dat", "foo/subs.dat"])
      place.put(name, joined(place.bytes(name), hex("09000001 01020304")));
    const { store, channel } = await place.open();
    store.addClient(client("three"));
    channel("foo").subscriptions.create(subState({ inbox: "second" }));
    await store.flush();
    await store.close();
    const again = await place.open();
    expect(again.state?.clients.length).toBe(3);
    expect(again.state?.channels.get("foo")?.subscriptionStates.length).toBe(2);
  });

  it("FS-MS22 FS-MS23 cuts zeros behind the last record of index and data, and goes on there", async () => {
    for (const withIndex of [true, false]) {
      const place = await filled();
      const name = withIndex ? "foo/msgs.1.idx" : "foo/msgs.1.dat";
      place.put(name, joined(place.bytes(name), new Uint8Array(64)));
      if (!withIndex) place.remove("foo/msgs.1.idx");
      const { store, channel } = await place.open();
      appendMany(place, channel("foo").messages, 2);
      await store.close();
      const { channel: again } = await place.open();
      expect(again("foo").messages.count).toBe(10);
      for (const s of [1, 8, 9, 10]) expect(await read(again("foo").messages, s)).toBe(`message ${s}`);
    }
  });

  it("FS-MS1 ignores a bad index in favour of the data, and refuses bad data and bad names", async () => {
    const place = await filled();
    const data = place.bytes("foo/msgs.1.dat");
    const index = place.bytes("foo/msgs.1.idx");
    place.put("foo/msgs.1.idx", flipped(index, 40));
    expect(await refusal(place)).toBe("recovered");
    expect(place.bytes("foo/msgs.1.idx")).toEqual(index);
    place.put("foo/msgs.1.dat", cut(data, 5));
    expect(await refusal(place)).toContain("unexpected EOF");
    place.put("foo/msgs.1.dat", joined(data.slice(0, 4), hex("deadbeef00112233445566")));
    expect(await refusal(place)).toContain('unable to recover message store for [foo](file: "foo/msgs.1.idx")');
    place.put("foo/msgs.1.dat", joined(data, hex("05000000 86a61036 68656c6c6f")));
    expect(await refusal(place)).toContain("proto: MsgProto: ");
    place.put("foo/msgs.1.dat", data);
    for (const name of ["msgs.a.dat", "msgs.dat", "msgs.0.dat"]) {
      place.put(`foo/${name}`, hex("01000000"));
      expect(await refusal(place)).toContain(`message log has an invalid name: ${name}`);
      place.remove(`foo/${name}`);
    }
    expect(await refusal(place)).toBe("recovered");
  });

  it("FS-MS6 FS-MS29 FS-MS30 rebuilds an index that is missing, empty, or tells of another record", async () => {
    const place = await filled();
    const index = place.bytes("foo/msgs.1.idx");
    for (const damage of [undefined, hex("01000000"), flipped(index, 50)]) {
      if (damage === undefined) place.remove("foo/msgs.1.idx");
      else place.put("foo/msgs.1.idx", damage);
      expect(await refusal(place)).toBe("recovered");
      expect(place.bytes("foo/msgs.1.idx")).toEqual(index);
    }
    const data = place.bytes("foo/msgs.1.dat");
    const other = { sequence: 8n, subject: "foo", data: Buffer.from("another size") };
    const record = encodeRecord(0, encodeMsgProto(other), checksum(IEEE_POLYNOMIAL));
    place.put("foo/msgs.1.dat", joined(cut(data, (data.length - 4) / 8), record));
    const { channel } = await place.open();
    expect(await read(channel("foo").messages, 8)).toBe("another size");
    expect(place.bytes("foo/msgs.1.idx")).not.toEqual(index);
  });

  it("FS-MS29 takes data and index without records for an empty channel", async () => {
    const place = await filled();
    for (const name of ["foo/msgs.1.dat", "foo/msgs.1.idx"]) place.put(name, hex("01000000"));
    const { store, channel } = await place.open();
    const log = channel("foo").messages;
    expect(figures(log)).toEqual([0, 0, 0, 0]);
    append(place, log, "first");
    await store.close();
    expect(place.names().filter((name) => name.startsWith("foo/msgs"))).toEqual(["foo/msgs.1.dat", "foo/msgs.1.idx"]);
    const { channel: again } = await place.open();
    expect(await read(again("foo").messages, 1)).toBe("first");
  });

  it("FS-MS7 is not disturbed by a further slice without messages", async () => {
    const place = await filled();
    place.put("foo/msgs.2.dat", hex("01000000"));
    const { store, channel } = await place.open({ options: { sliceMaxMessages: 8 } });
    const log = channel("foo").messages;
    append(place, log, "ninth");
    await store.close();
    const { channel: again } = await place.open();
    expect(await read(again("foo").messages, 9)).toBe("ninth");
    expect(place.size("foo/msgs.2.dat")).toBeGreaterThan(4);
  });

  it("FS-MS15 puts slices in the order of their numbers, whatever that of the directory", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 1 }, limits: { maxMessages: 0 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 200);
    await store.close();
    const { store: again, channel: recovered } = await place.open();
    const log = recovered("foo").messages;
    expect([log.firstSequence, log.lastSequence, log.count]).toEqual([1, 200, 200]);
    append(place, log, "next");
    await again.flush();
    expect(place.size("foo/msgs.201.dat")).toBeGreaterThan(4);
    for (const s of [1, 2, 99, 100, 200, 201]) expect(await read(log, s)).toBeDefined();
  });

  it("FS-G17 recovers a hundred channels ten at a time, and fails when some are bad, with everything closed", async () => {
    const place = newPlace({ options: { parallelRecovery: 10 }, limits: { maxChannels: 0 } });
    const { store, channel } = await place.open();
    for (let i = 0; i < 100; i++) appendMany(place, channel(`c${i}`).messages, 3);
    await store.close();
    const again = await place.open();
    expect(again.state?.channels.size).toBe(100);
    // Those of the root directory.
    expect(again.store.openFiles).toBe(2);
    await again.store.close();
    for (const i of [30, 31, 77]) place.put(`c${i}/msgs.1.dat`, hex("02000000"));
    const failing = place.make();
    await expect(failing.recover()).rejects.toThrow("unsupported file version: 2");
    await failing.close();
    expect(failing.openFiles).toBe(0);
  });

  it("FS-G18 leaves no channel's file open, even when messages expired on the way", async () => {
    const place = newPlace({ options: { sliceMaxMessages: 3 } });
    const { store, channel } = await place.open();
    appendMany(place, channel("foo").messages, 8);
    await store.close();
    place.clock.advance(10_000);
    const again = await place.open({ limits: { maxAge: millis(1000) } });
    expect(figures(again.channel("foo").messages)).toEqual([9, 8, 0, 0]);
    // Those of the root directory.
    expect(again.store.openFiles).toBe(2);
  });

  it("FS-G6 applies lower limits to what it finds, and refuses what would exceed them", async () => {
    const place = newPlace();
    const { store, channel } = await place.open();
    for (const name of ["a", "b", "c", "d", "e"]) {
      const made = channel(name);
      appendMany(place, made.messages, 50);
      for (let i = 0; i < 3; i++) made.subscriptions.create(subState({ inbox: `${i}` }));
    }
    await store.close();
    const limits = { maxChannels: 2, maxSubscriptions: 1, maxMessages: 4 };
    const { store: again, state, channel: recovered } = await place.open({ limits, options: { sliceMaxMessages: 3 } });
    expect(state?.channels.size).toBe(5);
    const log = recovered("a").messages;
    expect([log.firstSequence, log.lastSequence, log.count]).toEqual([47, 50, 4]);
    expect(recovered("a").subscriptions.count).toBe(3);
    expect(() => recovered("a").subscriptions.create(subState())).toThrow("too many subscriptions per channel");
    expect(() => again.createChannel("f")).toThrow("too many channels");
    append(place, log, "one more");
    await again.flush();
    expect([log.firstSequence, log.count, place.size("a/msgs.2.dat") !== undefined]).toEqual([48, 4, true]);
    await again.close();
    place.clock.advance(1000);
    const aged = await place.open({ limits: { ...limits, maxAge: millis(1) } });
    expect(figures(aged.channel("a").messages).slice(2)).toEqual([0, 0]);
  });

  it("tells that the root cannot be listed", async () => {
    const place = await filled();
    place.disk.inject({ operation: "list", kind: "io" });
    expect(await refusal(place)).toContain("input/output error");
  });
});

describe("quarantine", () => {
  it("answers for a damaged channel with its reason and remedy, and serves the others", async () => {
    const place = await filled();
    const damaged = flipped(place.bytes("foo/subs.dat"), 20);
    place.put("foo/subs.dat", damaged);
    const { store, state } = await place.open({ recovery: "quarantine" });
    expect([...(state?.channels.keys() ?? [])]).toEqual([]);
    expect(store.quarantined).toMatchObject([{ channel: "foo" }]);
    expect(() => store.createChannel("foo")).toThrow(
      /^channel foo is in quarantine: unable to recover subscription store for \[foo\]: corrupted data.*file_recovery "salvage"/,
    );
    append(place, store.createChannel("bar").messages, "served");
    await store.flush();
    expect(place.logger.lines.filter((line) => /channel foo/i.test(line))).toEqual([
      expect.stringMatching(/^ERR channel foo is in quarantine/),
    ]);
    expect(store.damage).toMatchObject([{ kind: "quarantined", channel: "foo" }]);
    expect(place.bytes("foo/subs.dat")).toEqual(damaged);
  });

  it("indexes messages that an index does not know of, and never gives their sequences away", async () => {
    const place = await filled();
    const index = place.bytes("foo/msgs.1.idx");
    place.put("foo/msgs.1.idx", cut(index, 64));
    const { store, channel } = await place.open({ recovery: "quarantine" });
    const log = channel("foo").messages;
    expect([log.lastSequence, log.count]).toEqual([8, 8]);
    for (const s of [6, 7, 8]) expect(await read(log, s)).toBe(`message ${s}`);
    await store.close();
    expect(place.bytes("foo/msgs.1.idx")).toEqual(index);
  });

  it("mends torn ends of all files without being asked", async () => {
    const place = await filled();
    for (const name of ["foo/msgs.1.dat", "foo/subs.dat", "clients.dat"]) place.put(name, cut(place.bytes(name), 3));
    const { store, state } = await place.open({ recovery: "quarantine" });
    expect(state?.channels.get("foo")?.messages.lastSequence).toBe(7);
    expect(state?.clients.map(({ id }) => id)).toEqual(["one"]);
    expect(store.damage.map(({ kind, file }) => [kind, file])).toEqual([
      ["mended", "/data/clients.dat"],
      ["mended", "/data/foo/msgs.1.dat"],
      ["mended", "/data/foo/subs.dat"],
    ]);
    await store.close();
    expect(await refusal(place)).toBe("recovered");
  });

  it("keeps a copy of a damaged clients.dat, and every client that it can read", async () => {
    const place = await filled();
    const damaged = flipped(place.bytes("clients.dat"), 14);
    place.put("clients.dat", damaged);
    const { store, state } = await place.open({ recovery: "quarantine" });
    expect(state?.clients.map(({ id }) => id)).toEqual(["two"]);
    expect(store.damage).toMatchObject([
      { kind: "salvaged", file: "/data/clients.dat", copy: "/data/damaged-1-clients.dat", placeCount: 1 },
    ]);
    await store.close();
    expect(place.bytes("damaged-1-clients.dat")).toEqual(damaged);
    expect(await refusal(place)).toBe("recovered");
  });

  it("puts the later of two records with one sequence into a rebuilt index", async () => {
    const place = await filled();
    const data = place.bytes("foo/msgs.1.dat");
    const record = data.slice(-((data.length - 4) / 8));
    place.put("foo/msgs.1.dat", joined(data, record));
    place.remove("foo/msgs.1.idx");
    const { channel } = await place.open();
    const log = channel("foo").messages;
    expect([log.lastSequence, log.count]).toEqual([8, 8]);
    expect(await read(log, 8)).toBe("message 8");
  });
});
