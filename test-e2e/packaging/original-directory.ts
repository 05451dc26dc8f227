import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { digestOf, type StoredMessage } from "./written-by-original.ts";

/**
 * What the Go server finds in a directory, read by its rules and by none of this project's code: every file starts with version 1,
 * every record has its checksum, nothing is torn, and every index record points to its message. Anything else throws.
 *
 * @see file-store.md 2 to 7
 */
export interface OriginalDirectory {
  /** IDs of the registered clients, sorted. */
  readonly clients: readonly string[];
  readonly channels: ReadonlyMap<string, OriginalChannel>;
}

export interface OriginalChannel {
  readonly messages: readonly StoredMessage[];
  readonly subscriptions: readonly OriginalSubscription[];
}

export interface OriginalSubscription {
  /** Of a durable queue group: its durable name, a colon, its group. */
  readonly queueGroup: string;
  readonly durableName: string;
  readonly lastSent: number;
  readonly pending: readonly number[];
}

const HEADER_BYTES = 4;
const RECORD_HEADER_BYTES = 8;
const INDEX_RECORD_BYTES = 32;

export function readAsOriginal(directory: string): OriginalDirectory {
  const clients = new Set<string>();
  for (const { type, payload } of records(join(directory, "clients.dat"), true)) {
    const id = fields(payload).text(1);
    if (type === 1) clients.add(id);
    else if (type === 2) clients.delete(id);
    else throw new Error(`invalid client record type: ${type}`);
  }
  if ([...records(join(directory, "server.dat"), false)].length !== 1) throw new Error("server.dat: not one record");
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const channels = new Map(folders.map(({ name }) => [name, readChannelFolder(join(directory, name))]));
  return { clients: [...clients].toSorted(), channels };
}

function readChannelFolder(folder: string): OriginalChannel {
  const slices = readdirSync(folder)
    .flatMap((name) => /^msgs\.(\d+)\.dat$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
  const messages = slices.flatMap((slice) => readSlice(join(folder, `msgs.${slice}`)));
  for (const [index, { sequence }] of messages.entries()) {
    const previous = messages[index - 1];
    if (previous !== undefined && sequence !== previous.sequence + 1) throw new Error(`gap before ${sequence}`);
  }
  return { messages, subscriptions: readSubscriptions(join(folder, "subs.dat")) };
}

function readSlice(path: string): StoredMessage[] {
  const index = withoutHeader(`${path}.idx`);
  if (index.length % INDEX_RECORD_BYTES !== 0) throw new Error(`${path}.idx: unexpected EOF`);
  const found = [...records(`${path}.dat`, false)];
  if (index.length / INDEX_RECORD_BYTES !== found.length) throw new Error(`${path}: index and data differ in number`);
  return found.map(({ offset, payload }, at) => {
    const entry = index.subarray(at * INDEX_RECORD_BYTES, (at + 1) * INDEX_RECORD_BYTES);
    const message = fields(payload);
    const [sequence, timestamp] = [message.number(1), message.big(5)];
    if (entry.readUInt32LE(28) !== crc32(entry.subarray(0, 28))) throw new Error(`${path}.idx: bad CRC of ${sequence}`);
    const indexed = [
      entry.readBigUInt64LE(0),
      entry.readBigUInt64LE(8),
      entry.readBigInt64LE(16),
      entry.readUInt32LE(24),
    ];
    const actual = [BigInt(sequence), BigInt(offset), timestamp, payload.length];
    if (indexed.join() !== actual.join()) throw new Error(`${path}.idx: ${indexed.join()} for ${actual.join()}`);
    return { sequence, digest: digestOf(message.bytes(4)) };
  });
}

function readSubscriptions(path: string): OriginalSubscription[] {
  const subscriptions = new Map<
    number,
    { readonly payload: Buffer; lastSent: number; readonly pending: Set<number> }
  >();
  for (const { type, payload } of records(path, true)) {
    const record = fields(payload);
    const id = record.number(1);
    const subscription = subscriptions.get(id);
    if (type === 1 || type === 2) {
      const pending = type === 2 && subscription !== undefined ? subscription.pending : new Set<number>();
      subscriptions.set(id, { payload, lastSent: record.number(9), pending });
    } else if (type === 3) subscriptions.delete(id);
    else if (type === 4) subscription?.pending.delete(record.number(2));
    else if (type === 5) {
      if (subscription === undefined) continue;
      subscription.pending.add(record.number(2));
      subscription.lastSent = Math.max(subscription.lastSent, record.number(2));
    } else throw new Error(`unexpected record type: ${type}`);
  }
  return [...subscriptions.values()].map(({ payload, lastSent, pending }) => {
    const state = fields(payload);
    return {
      queueGroup: state.text(3),
      durableName: state.text(8),
      lastSent,
      pending: [...pending].toSorted((a, b) => a - b),
    };
  });
}

/** The records of a file. A typed one has its type in the highest byte of the size. */
function* records(
  path: string,
  typed: boolean,
): Generator<{ readonly type: number; readonly offset: number; readonly payload: Buffer }> {
  const bytes = withoutHeader(path);
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < RECORD_HEADER_BYTES) throw new Error(`${path}: unexpected EOF`);
    const first = bytes.readUInt32LE(at);
    const [type, size] = typed ? [first >>> 24, first & 0xffffff] : [0, first];
    const start = at + RECORD_HEADER_BYTES;
    const payload = bytes.subarray(start, start + size);
    if (payload.length < size) throw new Error(`${path}: unexpected EOF`);
    if (bytes.readUInt32LE(at + 4) !== crc32(payload)) throw new Error(`${path}: bad CRC at ${HEADER_BYTES + at}`);
    yield { type, offset: HEADER_BYTES + at, payload };
    at = start + size;
  }
}

function withoutHeader(path: string): Buffer {
  const bytes = readFileSync(path);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== 1) throw new Error(`${path}: not version 1`);
  return bytes.subarray(HEADER_BYTES);
}

interface Fields {
  /** 0 if absent. */
  number(field: number): number;
  big(field: number): bigint;
  /** Empty if absent. */
  bytes(field: number): Buffer;
  text(field: number): string;
}

/** The fields of a protocol buffer that has only varints and length-delimited values. */
function fields(payload: Buffer): Fields {
  const values = new Map<number, bigint | Buffer>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = payload.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  };
  while (at < payload.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) values.set(tag >> 3, varint());
    else if ((tag & 7) === 2) {
      const length = Number(varint());
      values.set(tag >> 3, payload.subarray(at, at + length));
      at += length;
    } else throw new Error(`illegal wireType ${tag & 7}`);
  }
  const big = (field: number): bigint => {
    const value = values.get(field) ?? 0n;
    if (typeof value !== "bigint") throw new Error(`field ${field} is no number`);
    return value;
  };
  const bytes = (field: number): Buffer => {
    const value = values.get(field);
    return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
  };
  return {
    big,
    number: (field) => Number(big(field)),
    bytes,
    text: (field) => bytes(field).toString(),
  };
}
