import { crc32 } from "node:zlib";

/** The checksum of `bytes[start, end)`: 32 bits, unsigned. */
export type Checksum = (bytes: Uint8Array, start: number, end: number) => number;

/** Reflected polynomial of the original's default. */
export const IEEE_POLYNOMIAL = 0xedb8_8320;

/** From here on one call of the native function is faster than the tables, which it is not for the IEEE polynomial only. */
const NATIVE_FROM = 320;

/**
 * CRC-32 with any polynomial: initial value and final XOR are all ones.
 * @param polynomial reflected, 1 to 2^32 - 1
 * @see file-store.md 2 "CRC"
 */
export function checksum(polynomial: number): Checksum {
  const tabled = tableChecksum(polynomial);
  if (polynomial !== IEEE_POLYNOMIAL) return tabled;
  return (bytes, start, end) => {
    if (end - start < NATIVE_FROM) return tabled(bytes, start, end);
    return crc32(bytes.subarray(start, end));
  };
}

/**
 * A checksum that is computed piece by piece: {@link START}, then steps, then {@link finished}. `copy` copies on the way, which
 * costs little more than the checksum alone: a message's data is read once instead of twice.
 */
export interface ChecksumSteps {
  update(state: number, bytes: Uint8Array, start: number, end: number): number;
  /** Copies `source[start, end)` to `target[at, …)` and goes on with it. They must not be overlapping ranges of one buffer. */
  copy(state: number, source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number;
}

/** The state before the first byte. */
export const START = -1;

/** The checksum of all bytes so far: 32 bits, unsigned. */
export function finished(state: number): number {
  return ~state >>> 0;
}

/** @param polynomial as for {@link checksum} */
export function checksumSteps(polynomial: number): ChecksumSteps {
  const tabled = tableSteps(polynomial);
  if (polynomial !== IEEE_POLYNOMIAL) return tabled;
  return {
    update: tabled.update,
    copy(state, source, start, end, target, at): number {
      if (end - start < NATIVE_FROM) return tabled.copy(state, source, start, end, target, at);
      const data = source.subarray(start, end);
      target.set(data, at);
      return ~crc32(data, finished(state));
    },
  };
}

function tableChecksum(polynomial: number): Checksum {
  const { update } = tableSteps(polynomial);
  return (bytes, start, end) => finished(update(START, bytes, start, end));
}

/**
 * Eight bytes per step, each looked up in a table of its own: for the records of usual size a third faster than four at a
 * time, and twice as fast as a native call, which costs more than the whole checksum of an index record.
 */
function tableSteps(polynomial: number): ChecksumSteps {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables(polynomial);
  return {
    update(state, bytes, start, end): number {
      let crc = state;
      let i = start;
      for (; i < end - 7; i += 8) {
        crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
        crc =
          t7[crc & 0xff]! ^
          t6[(crc >>> 8) & 0xff]! ^
          t5[(crc >>> 16) & 0xff]! ^
          t4[crc >>> 24]! ^
          t3[bytes[i + 4]!]! ^
          t2[bytes[i + 5]!]! ^
          t1[bytes[i + 6]!]! ^
          t0[bytes[i + 7]!]!;
      }
      for (; i < end; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
      return crc;
    },
    copy(state, source, start, end, target, at): number {
      let crc = state;
      let i = start;
      let j = at;
      for (; i < end - 7; i += 8, j += 8) {
        const b0 = source[i]!;
        const b1 = source[i + 1]!;
        const b2 = source[i + 2]!;
        const b3 = source[i + 3]!;
        const b4 = source[i + 4]!;
        const b5 = source[i + 5]!;
        const b6 = source[i + 6]!;
        const b7 = source[i + 7]!;
        target[j] = b0;
        target[j + 1] = b1;
        target[j + 2] = b2;
        target[j + 3] = b3;
        target[j + 4] = b4;
        target[j + 5] = b5;
        target[j + 6] = b6;
        target[j + 7] = b7;
        crc ^= b0 | (b1 << 8) | (b2 << 16) | (b3 << 24);
        crc =
          t7[crc & 0xff]! ^
          t6[(crc >>> 8) & 0xff]! ^
          t5[(crc >>> 16) & 0xff]! ^
          t4[crc >>> 24]! ^
          t3[b4]! ^
          t2[b5]! ^
          t1[b6]! ^
          t0[b7]!;
      }
      for (; i < end; i++, j++) {
        const byte = source[i]!;
        target[j] = byte;
        crc = t0[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
      }
      return crc;
    },
  };
}

type Table = Int32Array;
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table];

function tables(polynomial: number): Tables {
  const first = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    first[i] = crc;
  }
  const next = (former: Table): Table => former.map((crc) => first[crc & 0xff]! ^ (crc >>> 8));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)];
}
