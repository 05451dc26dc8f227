import type { Bus, Clock, Logger, Random } from "@nats-streaming/kernel";
import type { LockOutcome } from "@nats-streaming/store";
import { FaultToleranceError } from "./fault-tolerance-error.ts";
import { createMember } from "./member.ts";
import { openMemberDriver } from "./member-driver.ts";
import type { FaultToleranceFailure, FaultToleranceState } from "./state.ts";
import { DEFAULT_TIMING, type FaultToleranceTiming, lockProbeFault, spreadTiming, timingFault } from "./timing.ts";

/** What a member of a group is made from. */
export interface FaultToleranceOptions {
  readonly clusterId: string;
  /** Name of the group; checked by `faultToleranceFault`. */
  readonly group: string;
  /** New at each start, 22 characters. */
  readonly serverId: string;
  /** A connection that is used for nothing else (`_NSS-<cluster ID>-ft`). It is not closed here. */
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * Tries the store's exclusive lock: `Store.acquireLock`. Never called again before it has settled, nor after it brought
   * the lock. A rejection is logged and tried again. It may still be under way when the member is closed; the store, which
   * is then closed too, must not end up with the lock.
   */
  acquireLock(): Promise<LockOutcome>;
  /**
   * This member holds the lock: check the partition, recover the store, serve. Called once at most. Settles when the
   * server is ready; a rejection is the failure of the activation, and its message is logged as fatal.
   * @param signal aborted when the member is closed or has to give way meanwhile; what the activation comes to then is of
   * no interest.
   */
  onActive(signal: AbortSignal): Promise<void>;
  /**
   * The activation has failed and the reason is logged. The owner closes the store, which lets go of the lock, and ends
   * with `failure.exitStatus`. Called once at most; the member has ended.
   */
  onActivationFailed(failure: FaultToleranceFailure): void;
  /**
   * Another member is active by right and the reason is logged. The owner stops serving, closes without writing to the
   * store, and ends with `failure.exitStatus`. Called once at most; the member has ended.
   */
  onAbort(failure: FaultToleranceFailure): void;
  /**
   * A standby tries the lock so often (in milliseconds, 10 to 1,000), whatever it hears, and so takes over at once when the
   * active dies. 0, the default: as the original does, only after the heartbeats have been missing. For a lock that is
   * cheap to try and cannot be lost while its owner lives: a file store on a local disk, with
   * `FILE_LOCK_PROBE_MILLIS`; never the SQL store.
   */
  readonly lockProbeMillis?: number;
  /** For tests. Both are spread by up to a tenth. */
  readonly timing?: Partial<FaultToleranceTiming>;
}

/** A member of a group. */
export interface FaultTolerance {
  readonly state: FaultToleranceState;
  /** The server ID in the last heartbeat of another member: the active's, seen from a standby. Undefined before the first. */
  readonly peerServerId: string | undefined;
  /**
   * Whether this active stood still (a stopped process, a suspended machine) until a moment ago, so that its lock may be
   * another's without its knowledge, where locks can be taken. Its heartbeats wait meanwhile; it should claim nothing else
   * either.
   */
  readonly isHeldUp: boolean;
  /** The store reports that it does not own the lock any more: the member gives way (`onAbort`). */
  lockLost(): void;
  /**
   * Ends the membership, at once in every state: no heartbeat goes out and no callback comes any more. The lock is the
   * store's: close the store next. The bus stays open. Idempotent; a failed member stays failed.
   */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Makes this server a member of a group, as a standby at first. It becomes active when it gets the lock, a missed-heartbeat
 * interval from now at the earliest, or at once with `lockProbeMillis`.
 * @throws FaultToleranceError `bad_timing`, `subscribe_failed`
 * @see fault-tolerance.md
 */
export function startFaultTolerance(options: FaultToleranceOptions): FaultTolerance {
  const { serverId, random, lockProbeMillis = 0 } = options;
  const timing = { ...DEFAULT_TIMING, ...options.timing };
  const fault = timingFault(timing) ?? lockProbeFault(lockProbeMillis);
  if (fault !== undefined) throw new FaultToleranceError("bad_timing", fault);

  const member = createMember({ serverId, timing: spreadTiming(timing, random), lockProbeMillis });
  const driver = openMemberDriver({
    member,
    clusterId: options.clusterId,
    group: options.group,
    serverId,
    bus: options.bus,
    clock: options.clock,
    logger: options.logger,
    acquireLock: () => options.acquireLock(),
    onActive: (signal) => options.onActive(signal),
    onActivationFailed: (failure) => options.onActivationFailed(failure),
    onAbort: (failure) => options.onAbort(failure),
  });
  driver.start();
  const close = (): void => driver.close();
  return {
    get state(): FaultToleranceState {
      return member.state;
    },
    get peerServerId(): string | undefined {
      return driver.peerServerId;
    },
    get isHeldUp(): boolean {
      return member.isHeldUp(options.clock.monotonicMillis());
    },
    lockLost: () => driver.lockLost(),
    close,
    [Symbol.dispose]: close,
  };
}
