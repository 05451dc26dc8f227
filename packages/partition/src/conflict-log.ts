import type { Clock } from "@nats-streaming/kernel";

/** An overlap with another server that this one has met. Byte strings. */
export interface MetConflict {
  readonly name: string;
  readonly serverId: string;
}

/** The overlaps that were met lately, for the partition map. */
export interface ConflictLog {
  add(serverId: string, name: string): void;
  present(): readonly MetConflict[];
}

/** Overlaps held; beyond, the oldest is dropped. */
const CONFLICTS_MAX = 256;
/** How long one that is not met again is shown. */
const SHOWN_MILLIS = 10 * 60_000;
/** Bytes of a name or an ID that are held; the rest of a forged one is of no use. */
const NAME_BYTES_MAX = 4_096;

export function createConflictLog(clock: Clock): ConflictLog {
  const met = new Map<string, { readonly conflict: MetConflict; readonly at: number }>();
  return {
    add(serverId, name): void {
      const conflict = { serverId: serverId.slice(0, NAME_BYTES_MAX), name: name.slice(0, NAME_BYTES_MAX) };
      const key = `${conflict.serverId} ${conflict.name}`;
      met.delete(key);
      met.set(key, { conflict, at: clock.monotonicMillis() });
      for (const oldest of met.keys()) {
        if (met.size <= CONFLICTS_MAX) break;
        met.delete(oldest);
      }
    },
    present(): readonly MetConflict[] {
      const from = clock.monotonicMillis() - SHOWN_MILLIS;
      return [...met.values()].filter(({ at }) => at >= from).map(({ conflict }) => conflict);
    },
  };
}
