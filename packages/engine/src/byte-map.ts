/**
 * A map whose keys are ranges of bytes, so that the hot path looks up a channel or a connection without making a string.
 * Open addressing with linear probing, at most half full; a lookup costs one hash over the key and, nearly always, one
 * comparison.
 *
 * ```text
 *   slots  | hash | place | length | value |   four numbers each; a key that has another hash is passed by without a look at it
 *   bytes  | the keys, one behind the other |
 * ```
 *
 * With many keys each look at an object costs more than the hash: a lookup looks at a slot, a key and a value, each in one place.
 */
export interface ByteMap<V> {
  readonly size: number;
  get(bytes: Uint8Array, start: number, end: number): V | undefined;
  /** Sets the value of a key; the key is copied. */
  set(key: Uint8Array, value: V): void;
  delete(key: Uint8Array): boolean;
}

const SLOTS_MIN = 16;
const BYTES_MIN = 256;

/** Numbers of a slot. */
const SLOT_BITS = 2;
const SLOT = 2 ** SLOT_BITS;
const HASH = 0;
const PLACE = 1;
const LENGTH = 2;
/** Number of the value, counted from 1; 0 in a slot that is free. */
const VALUE = 3;

export function createByteMap<V>(): ByteMap<V> {
  return new OpenByteMap<V>();
}

class OpenByteMap<V> implements ByteMap<V> {
  #slots = new Int32Array(SLOTS_MIN * SLOT);
  /** Of {@link #slots}: the number of a slot, times {@link SLOT}, is below it. */
  #mask = (SLOTS_MIN - 1) * SLOT;
  #bytes = new Uint8Array(BYTES_MIN);
  #bytesEnd = 0;
  /** Bytes of keys that are gone. */
  #bytesGone = 0;
  #values: (V | undefined)[] = [undefined];
  /** Numbers of values that are free. */
  #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(bytes: Uint8Array, start: number, end: number): V | undefined {
    const slots = this.#slots;
    const wanted = hash(bytes, start, end);
    for (let slot = (wanted << SLOT_BITS) & this.#mask; ; slot = (slot + SLOT) & this.#mask) {
      const value = slots[slot + VALUE]!;
      if (value === 0) return undefined;
      if (slots[slot + HASH] === wanted && this.#isAt(slot, bytes, start, end)) return this.#values[value];
    }
  }

  set(key: Uint8Array, value: V): void {
    let slot = this.#slotOf(key);
    if (this.#slots[slot + VALUE] !== 0) {
      this.#values[this.#slots[slot + VALUE]!] = value;
      return;
    }
    if (this.#bytesEnd + key.length > this.#bytes.length) this.#makeRoom(key.length);
    if ((this.#size + 1) * 2 * SLOT > this.#slots.length) {
      this.#grow();
      slot = this.#slotOf(key);
    }
    const number = this.#free.pop() ?? this.#values.length;
    this.#values[number] = value;
    const slots = this.#slots;
    slots[slot + HASH] = hash(key, 0, key.length);
    slots[slot + PLACE] = this.#bytesEnd;
    slots[slot + LENGTH] = key.length;
    slots[slot + VALUE] = number;
    this.#bytes.set(key, this.#bytesEnd);
    this.#bytesEnd += key.length;
    this.#size++;
  }

  delete(key: Uint8Array): boolean {
    const slots = this.#slots;
    let hole = this.#slotOf(key);
    const number = slots[hole + VALUE]!;
    if (number === 0) return false;
    this.#size--;
    this.#values[number] = undefined;
    this.#free.push(number);
    this.#bytesGone += key.length;
    // Closes the hole: whatever stands behind it and may stand in it moves up, so that probing never stops early.
    for (let slot = (hole + SLOT) & this.#mask; slots[slot + VALUE] !== 0; slot = (slot + SLOT) & this.#mask) {
      const home = (slots[slot + HASH]! << SLOT_BITS) & this.#mask;
      if (((slot - home) & this.#mask) >= ((slot - hole) & this.#mask)) {
        slots.copyWithin(hole, slot, slot + SLOT);
        hole = slot;
      }
    }
    slots[hole + VALUE] = 0;
    return true;
  }

  /** Whether a slot that is in use has this key; the hash is the same. */
  #isAt(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#slots[slot + LENGTH] !== end - start) return false;
    const keys = this.#bytes;
    const place = this.#slots[slot + PLACE]! - start;
    for (let i = start; i < end; i++) if (keys[place + i] !== bytes[i]) return false;
    return true;
  }

  /** The slot that has this key, or the free one where it belongs. */
  #slotOf(key: Uint8Array): number {
    const slots = this.#slots;
    const wanted = hash(key, 0, key.length);
    let slot = (wanted << SLOT_BITS) & this.#mask;
    while (slots[slot + VALUE] !== 0 && !(slots[slot + HASH] === wanted && this.#isAt(slot, key, 0, key.length))) {
      slot = (slot + SLOT) & this.#mask;
    }
    return slot;
  }

  #grow(): void {
    const former = this.#slots;
    this.#slots = new Int32Array(former.length * 2);
    this.#mask = this.#slots.length - SLOT;
    for (let from = 0; from < former.length; from += SLOT) {
      if (former[from + VALUE] === 0) continue;
      let slot = (former[from + HASH]! << SLOT_BITS) & this.#mask;
      while (this.#slots[slot + VALUE] !== 0) slot = (slot + SLOT) & this.#mask;
      this.#slots.set(former.subarray(from, from + SLOT), slot);
    }
  }

  /** Leaves out the keys that are gone; where that is not enough, the room doubles. */
  #makeRoom(length: number): void {
    const used = this.#bytesEnd - this.#bytesGone;
    const former = this.#bytes;
    const bytes = new Uint8Array(Math.max(former.length, 2 * (used + length)));
    const slots = this.#slots;
    let end = 0;
    for (let slot = 0; slot < slots.length; slot += SLOT) {
      if (slots[slot + VALUE] === 0) continue;
      const place = slots[slot + PLACE]!;
      bytes.set(former.subarray(place, place + slots[slot + LENGTH]!), end);
      slots[slot + PLACE] = end;
      end += slots[slot + LENGTH]!;
    }
    this.#bytes = bytes;
    this.#bytesEnd = end;
    this.#bytesGone = 0;
  }
}

/** A signed number of 32 bits, as slots hold it. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  // FNV leaves its low bits poorly mixed for short keys.
  return value ^ (value >>> 15);
}
