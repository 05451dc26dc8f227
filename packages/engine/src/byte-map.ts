import { rangeEquals } from "./range-equals.ts";

/**
 * A map whose keys are ranges of bytes, so that the hot path looks up a channel or a connection without making a string.
 * Open addressing with linear probing, at most half full; a lookup costs one hash over the key and, nearly always, one
 * comparison.
 */
export interface ByteMap<V> {
  readonly size: number;
  get(bytes: Uint8Array, start: number, end: number): V | undefined;
  /** Sets the value of a key; the key is kept, not copied, and must not change. */
  set(key: Uint8Array, value: V): void;
  delete(key: Uint8Array): boolean;
}

const SLOTS_MIN = 16;

export function createByteMap<V>(): ByteMap<V> {
  return new OpenByteMap<V>();
}

class OpenByteMap<V> implements ByteMap<V> {
  #keys: (Uint8Array | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #values: (V | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #mask = SLOTS_MIN - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(bytes: Uint8Array, start: number, end: number): V | undefined {
    for (let slot = hash(bytes, start, end) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const key = this.#keys[slot];
      if (key === undefined) return undefined;
      if (rangeEquals(bytes, start, end, key)) return this.#values[slot];
    }
  }

  set(key: Uint8Array, value: V): void {
    const slot = this.#slotOf(key);
    if (this.#keys[slot] === undefined) {
      this.#size++;
      this.#keys[slot] = key;
    }
    this.#values[slot] = value;
    if (this.#size * 2 > this.#keys.length) this.#grow();
  }

  delete(key: Uint8Array): boolean {
    let hole = this.#slotOf(key);
    if (this.#keys[hole] === undefined) return false;
    this.#size--;
    // Closes the hole: whatever stands behind it and may stand in it moves up, so that probing never stops early.
    for (let slot = (hole + 1) & this.#mask; this.#keys[slot] !== undefined; slot = (slot + 1) & this.#mask) {
      const other = this.#keys[slot] as Uint8Array;
      const home = hash(other, 0, other.length) & this.#mask;
      if (((slot - home) & this.#mask) >= ((slot - hole) & this.#mask)) {
        this.#keys[hole] = other;
        this.#values[hole] = this.#values[slot];
        hole = slot;
      }
    }
    this.#keys[hole] = undefined;
    this.#values[hole] = undefined;
    return true;
  }

  #slotOf(key: Uint8Array): number {
    let slot = hash(key, 0, key.length) & this.#mask;
    for (; ; slot = (slot + 1) & this.#mask) {
      const other = this.#keys[slot];
      if (other === undefined || rangeEquals(key, 0, key.length, other)) return slot;
    }
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const length = keys.length * 2;
    this.#keys = new Array(length).fill(undefined);
    this.#values = new Array(length).fill(undefined);
    this.#mask = length - 1;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      if (key === undefined) continue;
      const slot = this.#slotOf(key);
      this.#keys[slot] = key;
      this.#values[slot] = values[i];
    }
  }
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  // FNV leaves its low bits poorly mixed for short keys.
  return (value ^ (value >>> 15)) >>> 0;
}
