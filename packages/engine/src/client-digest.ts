import type { ClientInfo } from "@nats-streaming/store";

/** A sum over clients that does not depend on their order: equal for equal sets, and hardly ever for others. */
export interface ClientDigest {
  add(info: ClientInfo): void;
  remove(info: ClientInfo): void;
  bytes(): Uint8Array;
}

export function createClientDigest(): ClientDigest {
  let low = 0;
  let high = 0;
  return {
    add(info): void {
      low = (low + hash(info, 0x811c9dc5)) | 0;
      high = (high + hash(info, 0x2c1b3c6d)) | 0;
    },
    remove(info): void {
      low = (low - hash(info, 0x811c9dc5)) | 0;
      high = (high - hash(info, 0x2c1b3c6d)) | 0;
    },
    bytes(): Uint8Array {
      const bytes = new Uint8Array(8);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, low, true);
      view.setInt32(4, high, true);
      return bytes;
    },
  };
}

/** Of what makes a registration the same one: client ID, connection and inbox. */
function hash(info: ClientInfo, seed: number): number {
  let value = seed;
  const mix = (byte: number): void => {
    value = Math.imul(value ^ byte, 0x01000193);
  };
  for (let i = 0; i < info.id.length; i++) mix(info.id.charCodeAt(i));
  mix(0x100);
  for (const byte of info.connId) mix(byte);
  mix(0x100);
  for (let i = 0; i < info.hbInbox.length; i++) mix(info.hbInbox.charCodeAt(i));
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return value ^ (value >>> 13);
}
