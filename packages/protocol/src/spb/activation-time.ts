import { invariant, type Timestamp } from "@nats-streaming/kernel";

/*
 * When the active server of a fault-tolerance group took over, as it stands in its heartbeats (15 bytes):
 *   version 1 | seconds since 0001-01-01T00:00:00 UTC, 8 bytes | nanoseconds, 4 bytes | zone in minutes, 2 bytes
 * All big endian. Zone -1 means UTC. Version 2 has a 16th byte, seconds of the zone. Only the instant counts.
 */

const SIZE = 15;
const SIZE_VERSION_2 = 16;
/** From the year 1 to 1970. */
const SECONDS_TO_1970 = 62_135_596_800;
const UTC = 0xffff;

/** Since when a server has been active, or why that cannot be read. */
export type ActivationTime =
  /** Nanoseconds since 1970; more than 64 bits if the sender is of a strange mind. */
  { readonly kind: "ok"; readonly nanos: bigint } | { readonly kind: "invalid"; readonly reason: string };

/** The 15 bytes of version 1 in UTC. The result belongs to the caller. @see fault-tolerance.md 3 */
export function encodeActivationTime(time: Timestamp): Uint8Array {
  const seconds = Math.floor(time.millis / 1_000);
  const nanos = (time.millis - seconds * 1_000) * 1_000_000 + time.nanos;
  invariant(Number.isSafeInteger(seconds) && nanos >= 0 && nanos < 1_000_000_000, "activation time out of range");
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setBigInt64(1, BigInt(seconds + SECONDS_TO_1970));
  view.setInt32(9, nanos);
  view.setUint16(13, UTC);
  return bytes;
}

/** Reads both versions. @see fault-tolerance.md 3 */
export function decodeActivationTime(bytes: Uint8Array): ActivationTime {
  const version = bytes[0];
  if (version === undefined) return { kind: "invalid", reason: "activation time is empty" };
  if (version !== 1 && version !== 2) {
    return { kind: "invalid", reason: `activation time has the unknown version ${version}` };
  }
  const size = version === 1 ? SIZE : SIZE_VERSION_2;
  if (bytes.length !== size) {
    return { kind: "invalid", reason: `activation time has ${bytes.length} bytes instead of ${size}` };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const seconds = view.getBigInt64(1) - BigInt(SECONDS_TO_1970);
  return { kind: "ok", nanos: seconds * 1_000_000_000n + BigInt(view.getInt32(9)) };
}
