import { type Timestamp, toNanos, unreachable } from "@nats-streaming/kernel";
import { encodeHeartbeat, readHeartbeat } from "./heartbeat.ts";
import { type HeartbeatSchedule, heartbeatSchedule } from "./heartbeat-schedule.ts";
import type { MemberInput, MemberOutput } from "./member-io.ts";
import { repeatedLine } from "./repeated-line.ts";
import { FaultToleranceExit, type FaultToleranceFailure, type FaultToleranceState } from "./state.ts";
import { faultToleranceTexts } from "./texts.ts";
import { type FaultToleranceTiming, LEFTOVER_LATE_MILLIS, LEFTOVER_MILLIS } from "./timing.ts";

/*
 * One server's place in its group: no socket, no timer, no clock, no lock. Whoever drives it hands in what happens and
 * when, carries out what comes back, and calls again at the deadline. The states are drawn in state.ts.
 */

export interface Member {
  readonly state: FaultToleranceState;
  /** When `step` wants to be called with `time` at the latest; undefined when it waits for nothing. */
  readonly deadline: number | undefined;
  /** Whether an active stood still until a moment ago. @param now as for {@link step} */
  isHeldUp(now: number): boolean;
  /** @param now milliseconds on a clock that never goes back */
  step(input: MemberInput, now: number): readonly MemberOutput[];
}

export interface MemberOptions {
  /** Byte string, new at each start. */
  readonly serverId: string;
  /** Already spread. */
  readonly timing: FaultToleranceTiming;
  /** From one lock attempt of a standby to the next, whatever it hears; 0: an attempt only after silence. */
  readonly lockProbeMillis: number;
}

export function createMember(options: MemberOptions): Member {
  return new GroupMember(options);
}

/** What a member has while it is active. */
interface Term {
  readonly since: Timestamp;
  readonly sinceNanos: bigint;
  readonly heartbeat: Uint8Array;
  readonly schedule: HeartbeatSchedule;
  /** Until then an earlier active is answered and not believed; undefined once that time is over. */
  leftoversUntil: number | undefined;
}

class GroupMember implements Member {
  readonly #options: MemberOptions;
  readonly #busyLine = repeatedLine();
  readonly #lockErrorLine = repeatedLine();
  readonly #heartbeatLine = repeatedLine();
  readonly #peerLine = repeatedLine();
  #outputs: MemberOutput[] = [];
  #state: FaultToleranceState = { kind: "standby" };
  /** When a standby tries the lock; undefined before the start. */
  #tryAt: number | undefined;
  /** Since when a standby has heard nothing: the start, or the last message. */
  #silentSince = 0;
  #term: Term | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  get state(): FaultToleranceState {
    return this.#state;
  }

  get deadline(): number | undefined {
    if (this.#state.kind === "standby") return this.#tryAt;
    if (this.#term === undefined) return undefined;
    const { schedule, leftoversUntil = schedule.deadline } = this.#term;
    return Math.min(schedule.deadline, leftoversUntil);
  }

  isHeldUp(now: number): boolean {
    return this.#term?.schedule.isHeldUp(now) ?? false;
  }

  step(input: MemberInput, now: number): readonly MemberOutput[] {
    if (this.#state.kind === "failed" || this.#state.kind === "stopped") return [];
    this.#outputs = [];
    this.#noticeDelay(now);
    this.#take(input, now);
    this.#sendWhenDue(now);
    return this.#outputs;
  }

  #take(input: MemberInput, now: number): void {
    switch (input.kind) {
      case "start":
        this.#start(now);
        return;
      case "message":
        if (this.#term === undefined) this.#postpone(now);
        else this.#hear(this.#term, input.payload, now);
        return;
      case "connected":
        // Others may have tried the lock meanwhile, or hold a lock too: the sooner they hear, the better.
        this.#term?.schedule.hasten(now);
        return;
      case "lock_acquired":
        if (this.#state.kind === "trying") this.#activate(input.at, now);
        return;
      case "lock_busy":
        if (this.#state.kind === "trying") this.#lockBusy(input.holder, now);
        return;
      case "lock_failed":
        if (this.#state.kind !== "trying") return;
        this.#backToStandby(now + this.#options.timing.missedHeartbeatMillis);
        this.#repeated(this.#lockErrorLine, "error", faultToleranceTexts.lockFailed(input.reason), now);
        return;
      case "lock_lost":
        if (this.#state.kind === "active") this.#abort("lock_lost", faultToleranceTexts.lockLost);
        return;
      case "activated":
        if (this.#state.kind === "active") this.#state = { ...this.#state, phase: "serving" };
        return;
      case "activation_failed":
        if (this.#state.kind === "active") this.#activationFailed(input.reason);
        return;
      case "heartbeat_failed":
        this.#repeated(this.#heartbeatLine, "error", faultToleranceTexts.heartbeatFailed(input.reason), now);
        return;
      case "stop":
        this.#end({ kind: "stopped" });
        return;
      case "time":
        if (this.#state.kind === "standby" && this.#tryAt !== undefined && now >= this.#tryAt) this.#try();
        return;
      default:
        unreachable(input, "unknown input");
    }
  }

  #start(now: number): void {
    if (this.#tryAt !== undefined) return;
    this.#log("info", faultToleranceTexts.startingStandby);
    this.#silentSince = now;
    this.#tryAt = now + this.#options.timing.missedHeartbeatMillis;
    if (this.#options.lockProbeMillis > 0) this.#try();
  }

  /** Any message will do, from anyone: somebody seems to be active. @see fault-tolerance.md 5 */
  #postpone(now: number): void {
    this.#silentSince = now;
    if (this.#tryAt === undefined || this.#options.lockProbeMillis > 0) return;
    this.#tryAt = now + this.#options.timing.missedHeartbeatMillis;
  }

  #try(): void {
    this.#state = { kind: "trying" };
    this.#outputs.push({ kind: "try_lock" });
  }

  #backToStandby(tryAt: number): void {
    this.#state = { kind: "standby" };
    this.#tryAt = tryAt;
  }

  #lockBusy(holder: string | undefined, now: number): void {
    const { lockProbeMillis, timing } = this.#options;
    this.#backToStandby(now + (lockProbeMillis > 0 ? lockProbeMillis : timing.missedHeartbeatMillis));
    // While the active is heard, that it holds the lock is no news.
    if (lockProbeMillis > 0 && now - this.#silentSince < timing.missedHeartbeatMillis) return;
    const wasLogged = this.#repeated(this.#busyLine, "info", faultToleranceTexts.lockBusy, now);
    if (wasLogged && holder !== undefined) this.#log("debug", faultToleranceTexts.lockHolder(holder));
  }

  #activate(since: Timestamp, now: number): void {
    const { serverId, timing } = this.#options;
    this.#term = {
      since,
      sinceNanos: toNanos(since),
      heartbeat: encodeHeartbeat(serverId, since),
      schedule: heartbeatSchedule(timing, now),
      leftoversUntil: now + LEFTOVER_MILLIS,
    };
    this.#state = { kind: "active", phase: "activating", since };
    this.#log("info", faultToleranceTexts.active);
    // The others are to be quiet for as long as the recovery takes.
    this.#sendWhenDue(now);
    this.#outputs.push({ kind: "activate" });
  }

  /** @see fault-tolerance.md 6 */
  #hear(term: Term, payload: Uint8Array, now: number): void {
    const heard = readHeartbeat(payload);
    if (heard.kind === "nothing" || heard.serverId === this.#options.serverId) return;
    if (heard.kind === "unreadable") {
      this.#repeated(this.#peerLine, "error", faultToleranceTexts.unreadableActivation(heard.reason), now);
    } else if (heard.activeSince < term.sinceNanos && term.leftoversUntil === undefined) {
      this.#abort("earlier_active", faultToleranceTexts.peerActiveAborting(heard.serverId));
      return;
    } else {
      this.#repeated(this.#peerLine, "error", faultToleranceTexts.peerActive(heard.serverId), now);
    }
    term.schedule.hasten(now);
  }

  #noticeDelay(now: number): void {
    if (this.#term === undefined) return;
    const { schedule, leftoversUntil } = this.#term;
    if (leftoversUntil !== undefined && now >= leftoversUntil) {
      const isLate = now - leftoversUntil > LEFTOVER_LATE_MILLIS;
      this.#term.leftoversUntil = isLate ? now + LEFTOVER_MILLIS : undefined;
    }
    const late = schedule.heldUp(now);
    if (late === undefined) return;
    this.#log("warn", faultToleranceTexts.heldUp(late, this.#options.timing.missedHeartbeatMillis));
  }

  #sendWhenDue(now: number): void {
    if (this.#term?.schedule.take(now) !== true) return;
    this.#outputs.push({ kind: "send_heartbeat", payload: this.#term.heartbeat });
  }

  #activationFailed(message: string): void {
    const failure: FaultToleranceFailure = {
      reason: "activation_failed",
      message,
      exitStatus: FaultToleranceExit.activationFailed,
    };
    this.#fail(failure);
    this.#outputs.push({ kind: "activation_failed", failure });
  }

  #abort(reason: "earlier_active" | "lock_lost", message: string): void {
    const failure: FaultToleranceFailure = { reason, message, exitStatus: FaultToleranceExit.aborted };
    this.#fail(failure);
    this.#outputs.push({ kind: "abort", failure });
  }

  #fail(failure: FaultToleranceFailure): void {
    this.#log("fatal", failure.message);
    this.#end({ kind: "failed", failure });
  }

  /** Heartbeats end here, so that the group need not wait longer than it has to. */
  #end(state: FaultToleranceState): void {
    this.#state = state;
    this.#tryAt = undefined;
    this.#term = undefined;
  }

  #repeated(line: ReturnType<typeof repeatedLine>, level: "info" | "error", text: string, now: number): boolean {
    const isAdmitted = line.admits(text, now);
    if (isAdmitted) this.#log(level, text);
    return isAdmitted;
  }

  #log(level: "debug" | "info" | "warn" | "error" | "fatal", text: string): void {
    this.#outputs.push({ kind: "log", level, text });
  }
}
