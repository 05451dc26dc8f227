import { sequence, timestampNanos } from "@nats-streaming/kernel";
import { FakeClock, recordingLogger, seededRandom } from "@nats-streaming/kernel/testing";
import { decodeMsgProto, encodeMsgProto } from "@nats-streaming/protocol/stan";
import type { MessageLog, RecoveredState, Store, StoredMessage, SubState } from "@nats-streaming/store";
import { createMemoryStore } from "@nats-streaming/store-memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseKey, cipherName, EncryptionError, encryptStore } from "./index.ts";
import { channelKey, masterKey } from "./keys.ts";
import { createPayloadCipher } from "./payload-cipher.ts";

const AT = { millis: 1_700_000_000_000, nanos: 5 };
const SUBSCRIPTION: SubState = {
  id: 0,
  clientId: "me",
  qGroup: "",
  inbox: "in",
  ackInbox: "ack",
  maxInFlight: 1,
  ackWaitInSecs: 30,
  durableName: "",
  lastSent: 0,
  isDurable: false,
  isClosed: false,
};

/** The logs of memory stores, as they are under a wrapper. */
const raw = new WeakMap<Store, Map<string, MessageLog>>();

function memoryStore(): Store {
  const store = createMemoryStore({ clock: new FakeClock(), logger: recordingLogger() });
  const logs = new Map<string, MessageLog>();
  const createChannel = store.createChannel.bind(store);
  store.createChannel = (name) => {
    const channel = createChannel(name);
    logs.set(name, channel.messages);
    return channel;
  };
  raw.set(store, logs);
  return store;
}

function rawLog(store: Store, name: string): MessageLog {
  return raw.get(store)!.get(name)!;
}

/** The store under its wrapper, as the next start would find it, had it been a disk. */
function recovered(store: Store, channels: Readonly<Record<string, MessageLog>>): Store {
  const found = Object.entries(channels).map(([name, messages]) => {
    const subscriptions = memoryStore().createChannel(name).subscriptions;
    const subscriptionStates = [{ state: { ...SUBSCRIPTION, id: 3 }, pending: [1] }];
    return [name, { messages, subscriptions, subscriptionStates }] as const;
  });
  const serverInfo = {
    clusterId: "c",
    discovery: "",
    publish: "",
    subscribe: "",
    unsubscribe: "",
    close: "",
    subClose: "",
    acksSubs: "",
  };
  const state: RecoveredState = { serverInfo, clients: [], channels: new Map(found) };
  return Object.assign(Object.create(store), { recover: async () => state, kind: store.kind });
}

function encrypt(store: Store, key = "mykey", cipher = "AES", seed = 1): Store {
  return encryptStore(store, { cipher, key: new Uint8Array(Buffer.from(key)), random: seededRandom(seed) });
}

function append(log: MessageLog, data: string, reply = ""): void {
  const bytes = Buffer.from(`--${reply}${data}--`, "latin1");
  const dataStart = 2 + reply.length;
  const ranges = { replyStart: 2, replyEnd: dataStart, dataStart, dataEnd: dataStart + data.length };
  log.append(sequence(log.lastSequence + 1), { bytes, ...ranges }, AT);
  bytes.fill(0xee);
}

const found = (): StoredMessage => ({ bytes: new Uint8Array(0), start: 0, end: 0 });

async function read(log: MessageLog, at: number): Promise<string> {
  const out = found();
  let lookup = log.lookup(at, out);
  if (lookup === 2) {
    await log.load(at, 10);
    lookup = log.lookup(at, out);
  }
  if (lookup !== 1) return lookup === 0 ? "none" : "cold";
  const message = decodeMsgProto(out.bytes, out.start, out.end);
  return message.kind === "ok" ? Buffer.from(message.value.data).toString("latin1") : "bad";
}

const failure = (log: MessageLog, at: number): Promise<string> =>
  read(log, at).then(String, (error: Error) => `${"code" in error ? String(error.code) : ""}: ${error.message}`);

describe("encryptStore()", () => {
  it("ENC-E1 overwrites the given key", () => {
    const key = new Uint8Array(Buffer.from("secret"));
    encryptStore(memoryStore(), { cipher: "", key, random: seededRandom(1) });
    expect(Buffer.from(key).toString()).toBe("xxxxxx");
  });

  it("ENC-E2 refuses an unknown cipher first, then a missing key", () => {
    const attempt = (cipher: string, key: string) => () => encrypt(memoryStore(), key, cipher);
    expect(attempt("DES", "")).toThrow(new EncryptionError("cipher_not_supported"));
    expect(attempt("DES", "k")).toThrow("encryption cipher not supported");
    expect(attempt("aes", "")).toThrow("encryption key required");
    expect(attempt("ChaCha", "k")).not.toThrow();
  });

  it("ENC-E2 gives nothing readable without the key or with another one, and all with the right one", async () => {
    const inner = memoryStore();
    const { messages } = encrypt(inner).createChannel("foo");
    for (const text of ["first", "middle", "last"]) append(messages, text);
    const raw = recovered(inner, { foo: rawLog(inner, "foo") });
    const other = (await encrypt(raw, "wrong", "AES", 2).recover())!.channels.get("foo")!.messages;
    for (const at of [1, 2, 3])
      expect(await failure(other, at)).toBe("read_failed: cipher: message authentication failed");
    const right = (await encrypt(raw, "mykey", "CHACHA", 3).recover())!.channels.get("foo")!.messages;
    expect(await Promise.all([1, 2, 3, 4].map((at) => read(right, at)))).toEqual(["first", "middle", "last", "none"]);
    expect(await read(rawLog(inner, "foo"), 1)).not.toContain("first");
  });

  it("ENC-E2 reads what was stored in clear, except what begins like something encrypted", async () => {
    const inner = memoryStore();
    const { messages } = inner.createChannel("foo");
    for (const text of ["abcd", "\x01abcd", "\x02abcd", "\x03abcd"]) append(messages, text);
    const log = (await encrypt(recovered(inner, { foo: messages })).recover())!.channels.get("foo")!.messages;
    expect(await read(log, 1)).toBe("abcd");
    expect(await failure(log, 2)).toBe("read_failed: trying to decrypt data that is not (len=5)");
    expect(await failure(log, 3)).toBe("read_failed: trying to decrypt data that is not (len=5)");
    expect(await read(log, 4)).toBe("\x03abcd");
  });

  it("ENC-E3 leaves a message without payload as it is", async () => {
    const inner = memoryStore();
    const { messages } = encrypt(inner).createChannel("foo");
    append(messages, "", "reply");
    append(messages, "x");
    append(messages, "");
    for (const [at, want] of [
      [1, ""],
      [2, "x"],
      [3, ""],
    ] as const)
      expect(await read(messages, at)).toBe(want);
    const out = found();
    rawLog(inner, "foo").lookup(1, out);
    expect(decodeMsgProto(out.bytes, out.start, out.end)).toMatchObject({
      value: { reply: "reply", data: new Uint8Array(0) },
    });
  });

  it("ENC-E4 takes the key of the environment when there is one, in place of a configured one", async () => {
    const variable = "NATS_STREAMING_ENCRYPTION_KEY";
    const text = (configured: string, environment: Record<string, string>) =>
      Buffer.from(chooseKey(configured, environment)).toString();
    expect(text("", { [variable]: "e" })).toBe("e");
    expect(text("c", { [variable]: "e" })).toBe("e");
    expect(text("c", { [variable]: "" })).toBe("c");
    expect(text("c", {})).toBe("c");
    expect(text("ü", {})).toBe("ü");

    const inner = memoryStore();
    const key = chooseKey("", { [variable]: "mykey" });
    const { messages } = encryptStore(inner, { cipher: "AES", key, random: seededRandom(1) }).createChannel("foo");
    append(messages, "find me if you can");
    expect(await read(rawLog(inner, "foo"), 1)).not.toContain("find");
    expect(await read(messages, 1)).toBe("find me if you can");
  });

  it("ENC-E5 goes on with the nonce behind the last sequence, and carries into the next byte", async () => {
    const inner = memoryStore();
    const { messages } = encrypt(inner).createChannel("foo");
    for (let i = 0; i < 200; i++) append(messages, "x");
    const raw = rawLog(inner, "foo");
    const nonce = (at: number) => {
      const out = found();
      raw.lookup(at, out);
      const message = decodeMsgProto(out.bytes, out.start, out.end);
      return message.kind === "ok" ? Buffer.from(message.value.data.subarray(1, 13)).toString("hex") : "";
    };
    expect([nonce(1).slice(8), nonce(200).slice(8)]).toEqual(["0000000000000001", "00000000000000c8"]);
    const again = (await encrypt(recovered(inner, { foo: raw }), "mykey", "AES", 2).recover())!.channels.get("foo")!;
    for (let i = 0; i < 100; i++) append(again.messages, "y");
    expect([nonce(201).slice(8), nonce(300).slice(8)]).toEqual(["00000000000000c9", "000000000000012c"]);
    expect(nonce(201).slice(0, 8)).not.toBe(nonce(200).slice(0, 8));
    append(again.messages, "");
    append(again.messages, "z");
    expect(nonce(302).slice(8)).toBe("000000000000012d");
  });

  it("ENC-E6 leaves subscriptions in clear", async () => {
    const inner = memoryStore();
    const raw = recovered(inner, { foo: inner.createChannel("foo").messages });
    const state = await encrypt(raw).recover();
    expect(state?.channels.get("foo")?.subscriptionStates).toEqual([
      { state: { ...SUBSCRIPTION, id: 3 }, pending: [1] },
    ]);
    expect(state?.serverInfo.clusterId).toBe("c");
    const plain = createMemoryStore({ clock: new FakeClock(), logger: recordingLogger() });
    append(plain.createChannel("foo").messages, "plain");
    const { subscriptions } = encrypt(plain).createChannel("bar");
    expect([subscriptions.create(SUBSCRIPTION), subscriptions.count]).toEqual([1, 1]);
  });

  it("ENC-E7 reads plain, AES and CHACHA messages of one channel, whichever is configured", async () => {
    const inner = memoryStore();
    const { messages } = inner.createChannel("foo");
    append(messages, "plain");
    const raw = recovered(inner, { foo: messages });
    const open = async (cipher: string, seed: number) =>
      (await encrypt(raw, "mykey", cipher, seed).recover())!.channels.get("foo")!.messages;
    append(await open("AES", 1), "aes");
    append(await open("CHACHA", 2), "chacha");
    for (const cipher of ["AES", "CHACHA", ""]) {
      const log = await open(cipher, 3);
      expect([await read(log, 1), await read(log, 2), await read(log, 3)]).toEqual(["plain", "aes", "chacha"]);
    }
  });

  it("ENC-E8 passes everything else on, the store's own work in the background included", async () => {
    const calls: string[] = [];
    const inner = memoryStore();
    const spy: Store = new Proxy(inner, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          calls.push(String(name));
          return name === "flush" ? Promise.reject(new Error("sync failed")) : Reflect.apply(value, target, given);
        };
      },
    });
    const store = encrypt(spy);
    store.createChannel("foo");
    await expect(store.flush()).rejects.toThrow("sync failed");
    await expect(store.acquireLock()).rejects.toThrow("not supported");
    expect(await store.recover()).toBeUndefined();
    store.addClient({ id: "a", hbInbox: "b", connId: new Uint8Array(0), protocol: 1, pingInterval: 5, pingMaxOut: 3 });
    store.deleteClient("a");
    await store.deleteChannel("foo");
    store.setLimits(store.limits);
    expect([store.kind, store.channelLimits("foo"), store.totals()]).toEqual([
      "MEMORY",
      undefined,
      { messages: 0, bytes: 0 },
    ]);
    await store.close();
    expect(calls).toEqual(
      "createChannel flush acquireLock recover addClient deleteClient deleteChannel setLimits channelLimits totals close".split(
        " ",
      ),
    );
  });
});

describe("decrypted messages", () => {
  it("stay as they are however many are looked up after them", () => {
    const { messages } = encrypt(memoryStore()).createChannel("foo");
    for (let i = 1; i <= 3000; i++) append(messages, `message ${i} `.repeat(20));
    const first = found();
    messages.lookup(1, first);
    const before = Buffer.from(first.bytes.subarray(first.start, first.end)).toString("hex");
    for (let round = 0; round < 10; round++) for (let i = 1; i <= 3000; i++) messages.lookup(i, found());
    expect(Buffer.from(first.bytes.subarray(first.start, first.end)).toString("hex")).toBe(before);
  });

  it("are found again without decrypting: the very same bytes", () => {
    const { messages } = encrypt(memoryStore()).createChannel("foo");
    append(messages, "small");
    append(messages, "large".repeat(10_000));
    for (const at of [1, 2]) {
      const [one, two] = [found(), found()];
      messages.lookup(at, one);
      messages.lookup(at, two);
      expect(two.bytes === one.bytes && two.start === one.start && two.end === one.end).toBe(true);
    }
  });

  it("are not mistaken for one another: channels, and messages that took the place of others", async () => {
    const inner = memoryStore();
    const store = encrypt(inner);
    const logs = Array.from({ length: 90 }, (_, i) => store.createChannel(`c${i}`).messages);
    for (let round = 1; round <= 3; round++) {
      for (const [i, log] of logs.entries()) {
        for (let at = 1; at <= 40; at++) append(log, `${i}.${at}.${round}`);
      }
      for (const [i, log] of logs.entries()) {
        for (let at = 1; at <= 40; at++) expect(await read(log, at)).toBe(`${i}.${at}.${round}`);
        log.empty();
      }
    }
  });

  it("are right for any payload, reply and order of look-ups", () => {
    const { messages } = encrypt(memoryStore()).createChannel("any.channel");
    const texts: string[] = [];
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 0, max: 70_000 }).map((size) => new Uint8Array(size).fill(size & 0xff)),
    );
    fc.assert(
      fc.property(payload, fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(1000)), (data, reply, more) => {
        const text = Buffer.from(data).toString("latin1");
        append(messages, text, Buffer.from(reply).toString("latin1"));
        texts.push(text);
        const last = texts.length;
        for (const at of [last, ...more.map((one) => 1 + (one % last)), last]) {
          const out = found();
          expect(messages.lookup(at, out)).toBe(1);
          const message = decodeMsgProto(out.bytes, out.start, out.end);
          expect(message.kind === "ok" && Buffer.from(message.value.data).toString("latin1") === texts[at - 1]).toBe(
            true,
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are what the message was, byte for byte", () => {
    const { messages } = encrypt(memoryStore()).createChannel("foo");
    append(messages, "payload", "reply");
    const out = found();
    messages.lookup(1, out);
    const timestamp = timestampNanos(BigInt(AT.millis) * 1_000_000n + 5n);
    const data = new Uint8Array(Buffer.from("payload"));
    const plain = encodeMsgProto({ sequence: 1n, subject: "foo", reply: "reply", data, timestamp });
    expect(Buffer.from(out.bytes.subarray(out.start, out.end)).toString("hex")).toBe(
      Buffer.from(plain).toString("hex"),
    );
  });

  it("keep the rest of a message, in whatever way another program wrote its fields", async () => {
    const inner = memoryStore();
    append(encrypt(inner).createChannel("foo").messages, "payload");
    const stored = found();
    rawLog(inner, "foo").lookup(1, stored);
    const message = decodeMsgProto(stored.bytes, stored.start, stored.end);
    const data = message.kind === "ok" ? message.value.data : new Uint8Array(0);
    const subject = [0x12, 3, ...Buffer.from("foo")];
    const ways: readonly (readonly [number[], string])[] = [
      [[0x22, data.length, ...data, 0x08, 1, ...subject], "22077061796c6f616408011203666f6f"],
      [[0x08, 1, 0x22, data.length, ...data, 0xa2, 6, 1, 0x7a], "080122077061796c6f6164a206017a"],
      [[0x08, 1, 0x22, data.length | 0x80, 0, ...data, ...subject], "08011203666f6f22077061796c6f6164"],
      [[0x08, 1, 0xa2, 0, data.length, ...data], "080122077061796c6f6164"],
    ];
    for (const [bytes, want] of ways) {
      const log: MessageLog = {
        channel: "foo",
        firstSequence: sequence(1),
        lastSequence: sequence(1),
        count: 1,
        bytes: bytes.length,
        append: () => {},
        lookup: (_at, out) => {
          out.bytes = new Uint8Array([9, ...bytes, 9]);
          out.start = 1;
          out.end = 1 + bytes.length;
          return 1;
        },
        load: async () => {},
        sequenceFromTimestamp: () => 1,
        empty: () => {},
      };
      const decrypting = (await encrypt(recovered(inner, { foo: log })).recover())!.channels.get("foo")!.messages;
      const out = found();
      expect(decrypting.lookup(1, out)).toBe(1);
      expect(Buffer.from(out.bytes.subarray(out.start, out.end)).toString("hex")).toBe(want);
    }
  });

  it("give a message without a payload when the payload that was encrypted is empty", async () => {
    const inner = memoryStore();
    const { messages } = inner.createChannel("foo");
    const key = channelKey(masterKey(new Uint8Array(Buffer.from("mykey"))), "foo");
    const cipher = createPayloadCipher({ cipher: "AES", key, random: seededRandom(9), lastSequence: 0 });
    const data = new Uint8Array(29);
    cipher.encrypt(data, 0, 0, data, 0);
    append(messages, Buffer.from(data).toString("latin1"));
    const log = (await encrypt(recovered(inner, { foo: messages })).recover())!.channels.get("foo")!.messages;
    const out = found();
    expect(log.lookup(1, out)).toBe(1);
    const message = decodeMsgProto(out.bytes, out.start, out.end);
    expect(message).toMatchObject({ value: { subject: "foo", data: new Uint8Array(0) } });
    expect(await read(log, 1)).toBe("");
  });
});

describe("cipherName()", () => {
  it("chooses AES where the machine has instructions for it", () => {
    expect(["x64", "ia32", "arm64", "riscv64"].map((one) => cipherName("", one))).toEqual([
      "AES",
      "AES",
      "CHACHA",
      "CHACHA",
    ]);
    expect(cipherName("aes", "arm64")).toBe("AES");
  });
});
