import type { Random } from "@nats-streaming/kernel";
import type { SimulatedDisk } from "@nats-streaming/kernel/testing";
import type { RecoveredState } from "@nats-streaming/store";
import { isSliceName } from "../src/files/names.ts";
import { nameOf } from "../src/files/paths.ts";
import { FILE_HEADER_SIZE, RECORD_HEADER_SIZE, readUint32 } from "../src/format/record.ts";
import { ROOT } from "./crash-faults.ts";
import { read } from "./place.ts";

/** Damage to one compatible file of a channel. */
export interface ChannelDamage {
  readonly channel: string;
  /** Payloads by sequence that no damage has touched. */
  readonly readable: ReadonlyMap<number, string>;
}

/** Turns bits of a channel's file, or cuts it off. @param state of the undamaged directory */
export async function damageChannel(
  random: Random,
  disk: SimulatedDisk,
  state: RecoveredState,
): Promise<ChannelDamage | undefined> {
  const upTo = (limit: number): number => Math.floor(random.next() * limit);
  const names = [...state.channels.keys()];
  const channel = names[upTo(names.length)];
  if (channel === undefined) return undefined;
  const messages = state.channels.get(channel)!.messages;
  const readable = new Map<number, string>();
  for (let s: number = messages.firstSequence; s <= messages.lastSequence; s++) {
    const payload = await read(messages, s);
    if (payload !== undefined) readable.set(s, payload);
  }
  const files = [...disk.contents(`${ROOT}/${channel}`)];
  const [path, bytes] = files[upTo(files.length)]!;
  if (bytes.length === 0) return undefined;
  const at = upTo(bytes.length);
  const isCut = random.next() < 0.3;
  if (isCut) {
    const file = disk.openNow(path, { mode: "write" });
    file.truncateNow(at);
    file.close();
  } else disk.flipBit(path, at, upTo(8));
  if (isSliceName(nameOf(path))) for (const lost of payloadsAt(bytes, at, isCut)) forget(readable, lost);
  return { channel, readable };
}

/** What the records say that a damage at `at` has hit. */
function* payloadsAt(bytes: Uint8Array, at: number, isCut: boolean): Generator<Uint8Array, void, undefined> {
  for (let from = FILE_HEADER_SIZE; from + RECORD_HEADER_SIZE <= bytes.length; ) {
    const end = from + RECORD_HEADER_SIZE + readUint32(bytes, from);
    if (at < end && (isCut || at >= from)) yield bytes.subarray(from, end);
    from = end;
  }
}

/** Payloads of the rounds are unlike one another, and short enough to be looked for. */
function forget(readable: Map<number, string>, record: Uint8Array): void {
  const text = Buffer.from(record).toString("latin1");
  for (const [sequence, payload] of readable) if (text.includes(payload)) readable.delete(sequence);
}
