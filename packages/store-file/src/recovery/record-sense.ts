import { WireFault } from "@nats-streaming/protocol";
import { decodeClientDelete, decodeClientInfo } from "@nats-streaming/protocol/spb";
import { encodeSubjectField, type MsgProtoView, msgProtoView, readMsgProto } from "@nats-streaming/protocol/stan";
import { RECORD_HEADER_SIZE } from "../format/record.ts";
import { replaySubscription, subscriptionTable } from "../subscriptions/subscription-records.ts";

/** What the records of a kind of file look like: tells them from other bytes where the chain of records is broken. */
export interface RecordSense {
  readonly typed: boolean;
  /**
   * A quick look at what would be a record's header and the beginning of its payload, `bytes[at, …)`: most bytes that are
   * no record are refused here, before the checksum of whatever size they seem to state is computed.
   */
  isPlausible(bytes: Uint8Array, at: number, end: number): boolean;
  /** Whether a payload with the right checksum can be used. */
  isUsable(type: number, bytes: Uint8Array, start: number, end: number): boolean;
}

/** Bytes of the payload that {@link RecordSense.isPlausible} may look at. */
export const SENSE_BYTES = 512;

const view: MsgProtoView = msgProtoView();

/** Messages of a channel. @param channel byte string */
export function messageSense(channel: string): RecordSense {
  const subject = encodeSubjectField(channel).subarray(0, SENSE_BYTES - 16);
  return {
    typed: false,
    isPlausible(bytes, at, end): boolean {
      let i = at + RECORD_HEADER_SIZE;
      if (bytes[i] !== 0x08) return false;
      i++;
      while (i < end && bytes[i]! >= 0x80) i++;
      i++;
      if (i + subject.length > end) return true;
      for (let k = 0; k < subject.length; k++) if (bytes[i + k] !== subject[k]) return false;
      return true;
    },
    isUsable(_type, bytes, start, end): boolean {
      const isWhole = readMsgProto(view, bytes, start, end) === WireFault.none;
      return isWhole && view.sequence > 0 && Number.isSafeInteger(view.sequence);
    },
  };
}

/** Records of clients.dat. */
export const clientSense: RecordSense = {
  typed: true,
  isPlausible(bytes, at): boolean {
    const type = bytes[at + 3];
    return (type === 1 || type === 2) && bytes[at + RECORD_HEADER_SIZE] === 0x0a;
  },
  isUsable(type, bytes, start, end): boolean {
    if (type === 1) return decodeClientInfo(bytes, start, end).kind === "ok";
    return type === 2 && decodeClientDelete(bytes, start, end).kind === "ok";
  },
};

/** Records of subs.dat. */
export const subscriptionSense: RecordSense = {
  typed: true,
  isPlausible(bytes, at): boolean {
    const type = bytes[at + 3]!;
    return type >= 1 && type <= 5 && bytes[at + RECORD_HEADER_SIZE] === 0x08;
  },
  isUsable(type, bytes, start, end): boolean {
    return replaySubscription(subscriptionTable(), type, bytes, start, end) === undefined;
  },
};
