import { durationFromMillis, formatDuration, type Random } from "@nats-streaming/kernel";

/** How long a member of a group waits for what. All in milliseconds. Users have no say in it. */
export interface FaultToleranceTiming {
  /** From one heartbeat of the active to the next, before `INTERVAL_SPREAD`. */
  readonly heartbeatMillis: number;
  /** A standby tries the lock after so much silence, before `INTERVAL_SPREAD`. */
  readonly missedHeartbeatMillis: number;
}

/** @see fault-tolerance.md 4 */
export const DEFAULT_TIMING: FaultToleranceTiming = { heartbeatMillis: 1_000, missedHeartbeatMillis: 1_250 };

/** Every member stretches or shortens both intervals by up to this part of them, so that standbys do not try together. */
export const INTERVAL_SPREAD = 0.1;

/** The silence that standbys take for a failure has to be so many times the heartbeat interval at least. */
const MISSED_RATIO_MIN = 1.1;

/** Two actives that hear each other answer each other's heartbeats at once, but no oftener than this. */
export const PROMPT_HEARTBEAT_MILLIS = 100;

/**
 * So long after it got the lock, an active only answers the heartbeats of one that claims to be active since earlier. The
 * former active is gone then, or there would have been no lock to get, but what it sent last may still be under way; by
 * the end of this time it has arrived. Who is alive answers the answer, and is believed then.
 */
export const LEFTOVER_MILLIS = 250;

/** That time begins anew when its end is noticed so much late: what came meanwhile has not been read yet. */
export const LEFTOVER_LATE_MILLIS = 50;

/**
 * How often the standby of a file store may try the lock: often enough that half a takeover's time is not waiting, seldom
 * enough that nobody sees it in a profile.
 */
export const FILE_LOCK_PROBE_MILLIS = 100;

/** Below, a standby would be busy with nothing else; above, waiting for missed heartbeats is as quick. */
export const LOCK_PROBE_MILLIS_MIN = 10;
export const LOCK_PROBE_MILLIS_MAX = 1_000;

/** Why these intervals cannot be used, if they cannot; the text is the original's, its missing parenthesis included. */
export function timingFault(timing: FaultToleranceTiming): string | undefined {
  const { heartbeatMillis, missedHeartbeatMillis } = timing;
  if (missedHeartbeatMillis >= heartbeatMillis * MISSED_RATIO_MIN) return undefined;
  const inWords = (millis: number): string => formatDuration(durationFromMillis(millis));
  return `ft: the missed heartbeat interval needs to be at least 10% of the heartbeat interval (hb=${inWords(heartbeatMillis)} missed hb=${inWords(missedHeartbeatMillis)}`;
}

/** Why a member cannot try the lock so often, if it cannot. */
export function lockProbeFault(lockProbeMillis: number): string | undefined {
  if (lockProbeMillis === 0) return undefined;
  if (lockProbeMillis >= LOCK_PROBE_MILLIS_MIN && lockProbeMillis <= LOCK_PROBE_MILLIS_MAX) return undefined;
  return `ft: the lock probe interval has to be 0 (wait for missed heartbeats) or ${LOCK_PROBE_MILLIS_MIN} to ${LOCK_PROBE_MILLIS_MAX} milliseconds, not ${lockProbeMillis}`;
}

/** Both intervals as one member uses them, all its life. */
export function spreadTiming(timing: FaultToleranceTiming, random: Random): FaultToleranceTiming {
  const spread = (millis: number): number => millis * (1 - INTERVAL_SPREAD + 2 * INTERVAL_SPREAD * random.next());
  return {
    heartbeatMillis: spread(timing.heartbeatMillis),
    missedHeartbeatMillis: spread(timing.missedHeartbeatMillis),
  };
}
