import { createHash } from "node:crypto";
import { durationNanos, type Logger, parseDuration, timestampNanos } from "@nats-streaming/kernel";
import { FakeClock, recordingLogger } from "@nats-streaming/kernel/testing";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import {
  type ChannelLimits,
  defaultStoreLimits,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type MessageLog,
  type RecoveredState,
  type Store,
  StoreError,
  type StoreLimits,
  type SubState,
} from "@nats-streaming/store";
import { createFileStore, type FileStore } from "../src/file-store.ts";
import type { RecoveryMode } from "../src/options.ts";
import { changesSince, type ExpectedMessage, type FileChange, listFiles, type OpenOptions } from "./fixtures.ts";
import { SERVER_INFO } from "./place.ts";

/** The day after the fixtures were written: a max_age of an hour has passed, one of ten years has not. */
const DAY_AFTER = Date.UTC(2026, 10, 23, 18);

/** What a start on a directory has led to, in the words of expected.json. */
export interface Outcome {
  readonly openError: string | undefined;
  readonly recoverError: string | undefined;
  readonly log: readonly string[];
  readonly changes: readonly FileChange[];
  readonly state: RecoveredState | undefined;
  readonly store: FileStore | undefined;
  /** By channel. */
  readonly messages: ReadonlyMap<string, readonly ExpectedMessage[]>;
  readonly times: ReadonlyMap<string, readonly number[]>;
  readonly nextSubscription: ReadonlyMap<string, number>;
}

/** Opens a store on a directory, recovers, looks up every message, closes. */
export async function openAndClose(
  directory: string,
  given: OpenOptions,
  recovery: RecoveryMode,
  asked: ReadonlyMap<string, readonly string[]> = new Map(),
  wrap: (store: Store) => Store = (store) => store,
): Promise<Outcome> {
  const before = listFiles(directory);
  const logger = recordingLogger();
  const outcome = {
    openError: undefined as string | undefined,
    recoverError: undefined as string | undefined,
    state: undefined as RecoveredState | undefined,
    store: undefined as FileStore | undefined,
    messages: new Map<string, readonly ExpectedMessage[]>(),
    times: new Map<string, readonly number[]>(),
    nextSubscription: new Map<string, number>(),
  };
  const withDirectory = (text: string): string => text.replaceAll(directory, "{dir}");
  let log: string[] = [];
  try {
    const store = openFixture(directory, given, recovery, logger);
    outcome.store = store;
    try {
      outcome.state = await recoverAsServer(wrap(store), recovery);
      log = logger.lines.map((line) => withDirectory(`[${line.slice(0, 3)}]${line.slice(3)}`));
      for (const [name, { messages }] of outcome.state?.channels ?? []) {
        outcome.messages.set(name, await readAll(messages));
        const times = (asked.get(name) ?? []).map((time) =>
          messages.sequenceFromTimestamp(timestampNanos(BigInt(time))),
        );
        outcome.times.set(name, await Promise.all(times));
      }
    } catch (error) {
      outcome.recoverError = withDirectory((error as Error).message);
      log = logger.lines.map((line) => withDirectory(`[${line.slice(0, 3)}]${line.slice(3)}`));
    }
    await store.close();
  } catch (error) {
    outcome.openError = withDirectory((error as Error).message);
  }
  return { ...outcome, log, changes: changesSince(before, listFiles(directory)) };
}

/** A server that finds channels and does not know who it is says so, and looks again. */
async function recoverAsServer(store: Store, recovery: RecoveryMode): Promise<RecoveredState | undefined> {
  try {
    return await store.recover();
  } catch (error) {
    const isNameless = error instanceof StoreError && error.code === "no_server_info";
    if (!isNameless || recovery === "strict") throw error;
    await store.init(SERVER_INFO);
    return store.recover();
  }
}

/** The ID of a subscription made in each recovered channel. */
export async function nextSubscriptions(directory: string, given: OpenOptions): Promise<Record<string, number>> {
  const store = openFixture(directory, given, "strict", recordingLogger());
  const ids: Record<string, number> = {};
  try {
    const state = await store.recover();
    for (const [name, { subscriptions }] of state?.channels ?? []) ids[name] = subscriptions.create(SUBSCRIPTION);
  } catch {
    // Where recovery fails there is nothing to subscribe to.
  }
  await store.close();
  return ids;
}

const SUBSCRIPTION: SubState = {
  id: 0,
  clientId: "c",
  qGroup: "",
  inbox: "in",
  ackInbox: "ack",
  maxInFlight: 1,
  ackWaitInSecs: 1,
  durableName: "",
  lastSent: 0,
  isDurable: false,
  isClosed: false,
};

function openFixture(directory: string, given: OpenOptions, recovery: RecoveryMode, logger: Logger): FileStore {
  return createFileStore({
    directory,
    recovery,
    clock: new FakeClock(DAY_AFTER),
    logger,
    limits: limitsOf(given),
    options: {
      sync: false,
      ...(given.crc === undefined ? {} : { crc: given.crc }),
      ...(given.truncate_bad_eof === undefined ? {} : { truncateUnexpectedEof: given.truncate_bad_eof }),
      ...(given.read_buffer_size === undefined ? {} : { readBufferBytes: given.read_buffer_size }),
      ...(given.slice_max_msgs === undefined ? {} : { sliceMaxMessages: given.slice_max_msgs }),
    },
  });
}

/** Every message between first and last, as expected.json has them. */
async function readAll(log: MessageLog): Promise<ExpectedMessage[]> {
  const found: ExpectedMessage[] = [];
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  for (let seq = log.firstSequence as number; seq <= log.lastSequence && log.count > 0; seq++) {
    let lookup = log.lookup(seq, out);
    if (lookup === LOOKUP_COLD) {
      try {
        await log.load(seq, 100);
      } catch (error) {
        found.push({ seq, lookup_error: (error as Error).message });
        continue;
      }
      lookup = log.lookup(seq, out);
    }
    if (lookup !== LOOKUP_FOUND) {
      found.push({ seq, not_found: true });
      continue;
    }
    const decoded = decodeMsgProto(out.bytes, out.start, out.end);
    if (decoded.kind === "invalid") throw new Error(decoded.reason);
    const { subject, reply, data, timestamp } = decoded.value;
    found.push({
      seq: Number(decoded.value.sequence),
      subject,
      reply,
      data_len: data.length,
      ...(data.length > 310
        ? { data_sha256: createHash("sha256").update(data).digest("hex") }
        : { data_base64: Buffer.from(data).toString("base64") }),
      timestamp_ns: String(timestamp),
    });
  }
  return found;
}

function limitsOf(given: OpenOptions): StoreLimits {
  const inherit: ChannelLimits = {
    maxSubscriptions: 0,
    maxMessages: 0,
    maxBytes: 0,
    maxAge: durationNanos(0n),
    maxInactivity: durationNanos(0n),
  };
  const channels = Object.entries(given.per_channel ?? {}).map(
    ([name, limits]) => [name, { ...inherit, maxMessages: limits.max_msgs ?? 0 }] as const,
  );
  const age = parseDuration(given.max_age ?? "0");
  return {
    ...defaultStoreLimits,
    ...(given.max_msgs === undefined ? {} : { maxMessages: given.max_msgs }),
    ...(given.max_bytes === undefined ? {} : { maxBytes: given.max_bytes }),
    maxAge: age.kind === "duration" ? age.duration : durationNanos(0n),
    channels: new Map(channels),
  };
}
