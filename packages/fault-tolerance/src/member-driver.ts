import {
  type Bus,
  type BusSubscription,
  type Clock,
  errorText,
  type Logger,
  type Timer,
  type Timestamp,
  unreachable,
} from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { faultToleranceSubject } from "@nats-streaming/protocol/spb";
import type { LockOutcome } from "@nats-streaming/store";
import { FaultToleranceError } from "./fault-tolerance-error.ts";
import { readHeartbeat } from "./heartbeat.ts";
import type { Member } from "./member.ts";
import type { MemberInput, MemberOutput } from "./member-io.ts";
import type { FaultToleranceFailure } from "./state.ts";
import { faultToleranceTexts } from "./texts.ts";

export interface MemberDriverOptions {
  readonly member: Member;
  readonly clusterId: string;
  readonly group: string;
  readonly serverId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  acquireLock(): Promise<LockOutcome>;
  onActive(signal: AbortSignal): Promise<void>;
  onActivationFailed(failure: FaultToleranceFailure): void;
  onAbort(failure: FaultToleranceFailure): void;
}

/** A member on a bus, a clock and a lock. */
export interface MemberDriver {
  /** Begins to listen and to wait. Once. @throws FaultToleranceError `subscribe_failed` */
  start(): void;
  lockLost(): void;
  /** The server ID in the last heartbeat of another member; undefined before the first one. */
  readonly peerServerId: string | undefined;
  /** Idempotent. */
  close(): void;
}

export function openMemberDriver(options: MemberDriverOptions): MemberDriver {
  return new BusMemberDriver(options);
}

class BusMemberDriver implements MemberDriver {
  readonly #options: MemberDriverOptions;
  readonly #subject: string;
  readonly #stopping = new AbortController();
  /**
   * Inputs that came while another was being worked on: on a local bus, the own heartbeat arrives inside the call that
   * sends it. Never longer than what one turn brings.
   */
  readonly #inputs: MemberInput[] = [];
  #isWorking = false;
  #subscription: BusSubscription | undefined;
  peerServerId: string | undefined;
  #timer: { readonly due: number; readonly handle: Timer } | undefined;

  constructor(options: MemberDriverOptions) {
    this.#options = options;
    this.#subject = faultToleranceSubject(options.clusterId, textToByteString(options.group));
  }

  start(): void {
    const { bus } = this.#options;
    try {
      this.#subscription = bus.subscribe(this.#subject, (message) => {
        const payload = message.bytes.slice(message.start, message.end);
        this.#notePeer(payload);
        this.#take({ kind: "message", payload });
      });
    } catch (cause) {
      throw new FaultToleranceError("subscribe_failed", faultToleranceTexts.subscribeFailed(errorText(cause)), {
        cause,
      });
    }
    bus.onStatus((status) => {
      if (status.kind === "connected") this.#take({ kind: "connected" });
    });
    this.#take({ kind: "start" });
  }

  lockLost(): void {
    this.#take({ kind: "lock_lost" });
  }

  close(): void {
    if (this.#isOver) return;
    this.#options.member.step({ kind: "stop" }, this.#options.clock.monotonicMillis());
    this.#end();
  }

  #notePeer(payload: Uint8Array): void {
    const heard = readHeartbeat(payload);
    if (heard.kind !== "nothing" && heard.serverId !== this.#options.serverId) this.peerServerId = heard.serverId;
  }

  get #isOver(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Nothing is sent, heard or waited for any more. What is under way ends by itself, and nobody asks what it came to. */
  #end(): void {
    if (this.#isOver) return;
    this.#inputs.length = 0;
    this.#timer?.handle.cancel();
    this.#subscription?.unsubscribe();
    this.#stopping.abort();
  }

  #take(input: MemberInput): void {
    if (this.#isOver) return;
    this.#inputs.push(input);
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const outputs = this.#options.member.step(next, this.#options.clock.monotonicMillis());
        for (const output of outputs) if (!this.#isOver) this.#carryOut(output);
      }
    } finally {
      this.#isWorking = false;
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#options.member.deadline;
    if (this.#isOver || due === this.#timer?.due) return;
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    if (due === undefined) return;
    const handle = this.#options.clock.setTimer(due - this.#options.clock.monotonicMillis(), () => {
      this.#timer = undefined;
      this.#take({ kind: "time" });
    });
    this.#timer = { due, handle };
  }

  #carryOut(output: MemberOutput): void {
    const { logger } = this.#options;
    switch (output.kind) {
      case "log":
        logger[output.level](output.text);
        return;
      case "try_lock":
        void this.#tryLock();
        return;
      case "send_heartbeat":
        try {
          this.#options.bus.publish(this.#subject, output.payload);
        } catch (error) {
          this.#take({ kind: "heartbeat_failed", reason: errorText(error) });
        }
        return;
      case "activate":
        void this.#activate();
        return;
      case "activation_failed":
        this.#end();
        this.#options.onActivationFailed(output.failure);
        return;
      case "abort":
        this.#end();
        this.#options.onAbort(output.failure);
        return;
      default:
        unreachable(output, "unknown output");
    }
  }

  /** May take seconds (SQL) and is not waited for by anybody: a close during it is a close at once. */
  async #tryLock(): Promise<void> {
    let input: MemberInput;
    try {
      const outcome = await this.#options.acquireLock();
      input =
        outcome.kind === "acquired" ? { kind: "lock_acquired", at: this.#now() } : { ...outcome, kind: "lock_busy" };
    } catch (error) {
      input = { kind: "lock_failed", reason: errorText(error) };
    }
    this.#take(input);
  }

  async #activate(): Promise<void> {
    let input: MemberInput = { kind: "activated" };
    try {
      await this.#options.onActive(this.#stopping.signal);
    } catch (error) {
      input = { kind: "activation_failed", reason: errorText(error) };
    }
    this.#take(input);
  }

  #now(): Timestamp {
    const now: Timestamp = { millis: 0, nanos: 0 };
    this.#options.clock.read(now);
    return now;
  }
}
