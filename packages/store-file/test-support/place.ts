import { type DurationNanos, durationFromMillis, type Sequence } from "@nats-streaming/kernel";
import { FakeClock, type RecordingLogger, recordingLogger, SimulatedDisk } from "@nats-streaming/kernel/testing";
import { decodeMsgProto } from "@nats-streaming/protocol/stan";
import {
  type ChannelStore,
  defaultStoreLimits,
  LOOKUP_COLD,
  LOOKUP_FOUND,
  type MessageLog,
  type RecoveredState,
  type ServerInfo,
  type StoreLimits,
  type SubState,
} from "@nats-streaming/store";
import { createFileStore, type FileStore, type FileStoreSetup } from "../src/file-store.ts";
import type { FileStoreOptions } from "../src/options.ts";
import { memoryLocks } from "./memory-lock.ts";

/** A place for stores, one after the other, on a simulated disk. */
export interface Place {
  readonly disk: SimulatedDisk;
  readonly clock: FakeClock;
  readonly logger: RecordingLogger;
  /** A fresh store that has been initialised, or one that has recovered. */
  open(setup?: PlaceSetup): Promise<Opened>;
  /** A store as it is made. */
  make(setup?: PlaceSetup): FileStore;
  /** Size of a file below the root; undefined when it is not there. */
  size(name: string): number | undefined;
  /** Names below the root. */
  names(): string[];
  bytes(name: string): Uint8Array;
  /** Replaces a file's content. */
  put(name: string, bytes: Uint8Array): void;
  remove(name: string): void;
}

export interface PlaceSetup extends Partial<Omit<FileStoreSetup, "limits" | "options" | "clock" | "logger">> {
  readonly limits?: Partial<StoreLimits>;
  readonly options?: Partial<FileStoreOptions>;
}

export interface Opened {
  readonly store: FileStore;
  readonly state: RecoveredState | undefined;
  /** A channel that is recovered, or made now. */
  channel(name: string): ChannelStore;
}

const ROOT = "/data";

export function newPlace(defaults: PlaceSetup = {}): Place {
  const disk = new SimulatedDisk({ seed: 1 });
  const clock = new FakeClock();
  const logger = recordingLogger();
  const locks = memoryLocks();
  const make = (setup: PlaceSetup = {}): FileStore => {
    const { limits: _, options: __, ...rest } = { ...defaults, ...setup };
    return createFileStore({
      directory: ROOT,
      recovery: "strict",
      fileSystem: disk,
      lock: locks.lockFor(ROOT),
      ...rest,
      limits: { ...defaultStoreLimits, ...defaults.limits, ...setup.limits },
      options: { sync: false, ...defaults.options, ...setup.options },
      clock,
      logger,
    });
  };
  return {
    disk,
    clock,
    logger,
    make,
    async open(setup): Promise<Opened> {
      const store = make(setup);
      const state = await store.recover();
      if (state === undefined) await store.init(SERVER_INFO);
      return { store, state, channel: (name) => state?.channels.get(name) ?? store.createChannel(name) };
    },
    size: (name) => disk.statNow(`${ROOT}/${name}`)?.size,
    names: () => [...disk.contents(ROOT).keys()].map((path) => path.slice(ROOT.length + 1)).sort(),
    bytes: (name) => disk.contents(ROOT).get(`${ROOT}/${name}`) ?? new Uint8Array(0),
    put(name, bytes): void {
      const file = disk.openNow(`${ROOT}/${name}`, { mode: "write" });
      file.truncateNow(0);
      file.writeNow(bytes, 0, bytes.length, 0);
      file.close();
    },
    remove: (name) => disk.removeNow(`${ROOT}/${name}`),
  };
}

export const SERVER_INFO: ServerInfo = {
  clusterId: "test",
  discovery: "d",
  publish: "p",
  subscribe: "s",
  unsubscribe: "u",
  close: "c",
  subClose: "sc",
  acksSubs: "a",
};

/** Appends a message behind the last. */
export function append(place: Place, log: MessageLog, data: string, sequence = log.lastSequence + 1): void {
  const bytes = Buffer.from(data);
  const now = { millis: 0, nanos: 0 };
  place.clock.read(now);
  const message = { bytes, replyStart: 0, replyEnd: 0, dataStart: 0, dataEnd: bytes.length };
  log.append(sequence as Sequence, message, now);
}

export function appendMany(place: Place, log: MessageLog, count: number): void {
  for (let i = 0; i < count; i++) append(place, log, `message ${log.lastSequence + 1}`);
}

/** The payload at a sequence; undefined when there is none. */
export async function read(log: MessageLog, sequence: number): Promise<string | undefined> {
  const out = { bytes: new Uint8Array(0), start: 0, end: 0 };
  let found = log.lookup(sequence, out);
  if (found === LOOKUP_COLD) {
    await log.load(sequence, 1);
    found = log.lookup(sequence, out);
  }
  if (found !== LOOKUP_FOUND) return undefined;
  const decoded = decodeMsgProto(out.bytes, out.start, out.end);
  return decoded.kind === "ok" ? Buffer.from(decoded.value.data).toString() : decoded.reason;
}

/** First and last sequence, count, bytes. */
export function figures(log: MessageLog): number[] {
  return [log.firstSequence, log.lastSequence, log.count, log.bytes];
}

export function millis(count: number): DurationNanos {
  return durationFromMillis(count);
}

export function subState(changes: Partial<SubState> = {}): SubState {
  return {
    id: 0,
    clientId: "me",
    qGroup: "",
    inbox: "in",
    ackInbox: "ak",
    maxInFlight: 1024,
    ackWaitInSecs: 30,
    durableName: "dur",
    lastSent: 0,
    isDurable: true,
    isClosed: false,
    ...changes,
  };
}

export function client(id: string) {
  return { id, hbInbox: "a", connId: new Uint8Array(0), protocol: 0, pingInterval: 0, pingMaxOut: 0 };
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}
