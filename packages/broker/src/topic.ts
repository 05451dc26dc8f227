import type { Receivers } from "./receivers.ts";
import { bytesOfKey, isKey, keyOfBytes } from "./subject-key.ts";

/*
 * What the broker knows of a subject that was published to (or named as a reply): its strings and who is interested.
 * Bounded caches, by bytes for what comes from sockets and by key for what comes from a local bus.
 *
 * What they buy: a subject seen before costs a hash over four bytes at a time and one comparison, no string and no walk
 * through the subject tree.
 */

/** Places in the table by bytes: two per set, so that two busy subjects with one hash do not evict each other. */
const TABLE_PLACES = 16_384;
const SETS = TABLE_PLACES / 2;

/** Bytes per place in the table's slab, in which subjects are compared; longer subjects are compared by their key. */
const CELL_BYTES = 64;

/** Keys in the younger half of the cache by key; the elder half holds at most as many. */
const YOUNG_KEYS_MAX = 16_384;

/** A subject and what is cached for it. */
export interface Topic {
  readonly key: string;
  readonly hash: number;
  /** By the router's versions below; undefined before the first look-up. */
  receivers: Receivers | undefined;
  wildcardVersion: number;
  literalVersion: number;
}

/** A topic that is written to sockets from a key: its bytes are at hand. */
export interface KeyTopic extends Topic {
  /** Not empty and without white space: it can stand in an operation. */
  readonly isSendable: boolean;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Topics by their bytes. */
export class TopicTable {
  readonly #places: (Topic | undefined)[] = new Array<Topic | undefined>(TABLE_PLACES).fill(undefined);
  readonly #slab: Uint8Array = new Uint8Array(TABLE_PLACES * CELL_BYTES);
  readonly #slabView: DataView = new DataView(this.#slab.buffer);

  /** The topic of `bytes[start, end)`, kept from before or made now. `view` shows the same memory as `bytes`. */
  find(bytes: Uint8Array, view: DataView, start: number, end: number): Topic {
    const hash = hashBytes(bytes, view, start, end);
    const place = (hash & (SETS - 1)) << 1;
    const first = this.#places[place];
    if (first !== undefined && first.hash === hash && this.#equals(place, first, bytes, view, start, end)) return first;
    const second = this.#places[place + 1];
    if (second !== undefined && second.hash === hash && this.#equals(place + 1, second, bytes, view, start, end)) {
      return second;
    }
    const topic = newTopic(keyOfBytes(bytes, start, end), hash);
    if (first !== undefined) this.#move(place, place + 1);
    this.#places[place] = topic;
    if (end - start <= CELL_BYTES) this.#slab.set(bytes.subarray(start, end), place * CELL_BYTES);
    return topic;
  }

  /** What is kept now. */
  *all(): IterableIterator<Topic> {
    for (const topic of this.#places) if (topic !== undefined) yield topic;
  }

  #equals(place: number, topic: Topic, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const length = end - start;
    if (topic.key.length !== length) return false;
    if (length > CELL_BYTES) {
      for (let i = 0; i < length; i++) if (topic.key.charCodeAt(i) !== bytes[start + i]) return false;
      return true;
    }
    const slab = this.#slabView;
    const cell = place * CELL_BYTES;
    let i = 0;
    for (const wide = length - 3; i < wide; i += 4) {
      if (slab.getInt32(cell + i, true) !== view.getInt32(start + i, true)) return false;
    }
    for (; i < length; i++) if (slab.getUint8(cell + i) !== bytes[start + i]) return false;
    return true;
  }

  #move(from: number, to: number): void {
    this.#places[to] = this.#places[from];
    this.#slab.copyWithin(to * CELL_BYTES, from * CELL_BYTES, (from + 1) * CELL_BYTES);
  }
}

/** Topics by their key, in two generations: what is not asked for while the younger one fills is forgotten. */
export class KeyTopics {
  #young = new Map<string, KeyTopic>();
  #elder = new Map<string, KeyTopic>();

  find(key: string): KeyTopic {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const topic = this.#elder.get(key) ?? newKeyTopic(key);
    if (this.#young.size >= YOUNG_KEYS_MAX) {
      this.#elder = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, topic);
    return topic;
  }

  /** What is kept now. */
  *all(): IterableIterator<KeyTopic> {
    yield* this.#young.values();
    // What has become young again is in both.
    for (const [key, topic] of this.#elder) if (!this.#young.has(key)) yield topic;
  }
}

/** Of ASCII only: in a byte string, what looks like other white space is a part of a character. */
const WHITE_SPACE = /[ \t\r\n\v\f]/;

function newTopic(key: string, hash: number): Topic {
  return { key, hash, receivers: undefined, wildcardVersion: 0, literalVersion: 0 };
}

function newKeyTopic(key: string): KeyTopic {
  const bytes = bytesOfKey(key);
  return {
    key,
    hash: hashKey(key),
    receivers: undefined,
    wildcardVersion: 0,
    literalVersion: 0,
    isSendable: key !== "" && isKey(key) && !WHITE_SPACE.test(key),
    bytes,
    view: new DataView(bytes.buffer),
  };
}

const MULTIPLIER = 0x9e3779b1;

/** The hash of `bytes[start, end)`; equal to {@link hashKey} of its key. */
export function hashBytes(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = end - start;
  let i = start;
  for (const wide = end - 3; i < wide; i += 4) hash = mix(hash, view.getInt32(i, true));
  for (; i < end; i++) hash = mix(hash, bytes[i]!);
  return hash;
}

/** The hash of a key. */
export function hashKey(key: string): number {
  const end = key.length;
  let hash = end;
  let i = 0;
  for (const wide = end - 3; i < wide; i += 4) {
    const word =
      key.charCodeAt(i) | (key.charCodeAt(i + 1) << 8) | (key.charCodeAt(i + 2) << 16) | (key.charCodeAt(i + 3) << 24);
    hash = mix(hash, word);
  }
  for (; i < end; i++) hash = mix(hash, key.charCodeAt(i));
  return hash;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, MULTIPLIER);
  return mixed ^ (mixed >>> 15);
}
