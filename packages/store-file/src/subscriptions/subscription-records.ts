import { type Decoded, WireFault, wireFaultText } from "@nats-streaming/protocol";
import {
  decodeSubState,
  decodeSubStateDelete,
  readSubStateUpdate,
  type SubStateUpdateView,
} from "@nats-streaming/protocol/spb";
import type { SubState } from "@nats-streaming/store";

/** Types of records in subs.dat. @see file-store.md 6 */
export const SubRecord = { new: 1, update: 2, removed: 3, ack: 4, pending: 5 } as const;

/** One subscription as its records tell it. */
export interface SubscriptionRecord {
  /** As it was recorded last; its position is {@link lastSent}. */
  state: SubState;
  /** Raised by every delivery: kept apart, so that a delivery makes no object. */
  lastSent: number;
  /** Sequences sent and not acknowledged. */
  readonly pending: Set<number>;
}

/** What the records of one subs.dat amount to. */
export interface SubscriptionTable {
  readonly byId: Map<number, SubscriptionRecord>;
  /** No ID above it was ever used, as far as the records go. */
  highestId: number;
  /** Records that a compaction would write, and records that it would leave out. @see file-store.md 13 */
  records: number;
  free: number;
}

export function subscriptionTable(): SubscriptionTable {
  return { byId: new Map(), highestId: 0, records: 0, free: 0 };
}

const view: SubStateUpdateView = { id: 0, seqno: 0 };

/**
 * Applies one record, as a replay does.
 * @returns what is wrong with the record; undefined when nothing is
 */
export function replaySubscription(
  table: SubscriptionTable,
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  switch (type) {
    case SubRecord.new:
    case SubRecord.update: {
      const decoded = decodeSubState(bytes, start, end);
      if (decoded.kind === "invalid") return undecodable(decoded);
      replayState(table, type, decoded.value);
      return undefined;
    }
    case SubRecord.removed: {
      const decoded = decodeSubStateDelete(bytes, start, end);
      if (decoded.kind === "invalid") return undecodable(decoded);
      removeRecord(table, decoded.value.id);
      return undefined;
    }
    case SubRecord.ack:
    case SubRecord.pending: {
      const fault = readSubStateUpdate(view, bytes, start, end);
      if (fault !== WireFault.none) return `proto: SubStateUpdate: ${wireFaultText(fault)}`;
      if (type === SubRecord.ack) ackRecord(table, view.id, view.seqno);
      else pendingRecord(table, view.id, view.seqno);
      return undefined;
    }
    default:
      return `unexpected record type: ${type}`;
  }
}

/** Notes a new or changed subscription. @returns whether it was known */
export function stateRecord(table: SubscriptionTable, type: number, state: SubState): boolean {
  const known = table.byId.get(state.id);
  table.records++;
  if (known === undefined || type === SubRecord.new) {
    table.byId.set(state.id, { state, lastSent: state.lastSent, pending: new Set() });
  } else {
    known.state = state;
    known.lastSent = state.lastSent;
  }
  if (state.id > table.highestId) table.highestId = state.id;
  return known !== undefined;
}

function replayState(table: SubscriptionTable, type: number, state: SubState): void {
  const isKnown = stateRecord(table, type, state);
  if (type === SubRecord.update && isKnown) table.free++;
}

/** Forgets a subscription. @returns whether it was known */
export function removeRecord(table: SubscriptionTable, id: number): boolean {
  const known = table.byId.get(id);
  if (id > table.highestId) table.highestId = id;
  if (known === undefined) return false;
  table.byId.delete(id);
  table.free += 1 + known.pending.size;
  return true;
}

/** A sequence was acknowledged. @returns whether the subscription is known */
export function ackRecord(table: SubscriptionTable, id: number, sequence: number): boolean {
  const known = table.byId.get(id);
  if (known === undefined) return false;
  known.pending.delete(sequence);
  table.free++;
  return true;
}

/** A sequence was sent. @returns whether the subscription is known */
export function pendingRecord(table: SubscriptionTable, id: number, sequence: number): boolean {
  const known = table.byId.get(id);
  if (known === undefined) return false;
  known.pending.add(sequence);
  table.records++;
  if (sequence > known.lastSent) known.lastSent = sequence;
  return true;
}

function undecodable(decoded: Decoded<unknown>): string {
  return `proto: ${decoded.kind === "invalid" ? decoded.reason : ""}`;
}
