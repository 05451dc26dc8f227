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
 * Eight bytes per step, each looked up in a table of its own: for the records of usual size a third faster than four at a
 * time, and twice as fast as a native call, which costs more than the whole checksum of an index record.
 */
function tableChecksum(polynomial: number): Checksum {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables(polynomial);
  return (bytes, start, end) => {
    let crc = -1;
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
    return ~crc >>> 0;
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
