import {
  type Bus,
  BusError,
  type BusMessage,
  type BusSubscription,
  type Clock,
  errorText,
  type Logger,
  nuidSource,
  type Random,
  type Timer,
  unreachable,
} from "@nats-streaming/kernel";
import { partitionSubject } from "@nats-streaming/protocol/spb";
import type { Coordinator } from "./coordinator.ts";
import type { CoordinatorInput, CoordinatorOutput, RefusalReason } from "./coordinator-io.ts";
import type { Standing } from "./seniority.ts";
import { partitionTexts } from "./texts.ts";

/** A coordinator on a bus and a clock. */
export interface Exchange {
  /** Begins to listen and to check. Once. @param verified see `start` of {@link CoordinatorInput} */
  start(verified: boolean): void;
  /** Something that does not come over the exchange's own subjects. */
  take(input: CoordinatorInput): void;
  /** Idempotent. */
  close(): void;
}

export interface ExchangeOptions {
  readonly coordinator: Coordinator;
  readonly clusterId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  /** Changes of the network are nothing to it: it is checked at the start and when it is challenged. */
  readonly ignoresTopology?: boolean;
  askStanding(serverId: string, name: string): Promise<Standing>;
  onAdmitted(): void;
  onRefused(reason: RefusalReason, message: string): void;
  onConflict(message: string): void;
  /** A list of another server, or a part of it, which leaves this one's alone. */
  onHeard(serverId: string, group: string, names: readonly string[]): void;
  onOverlap(serverId: string, name: string): void;
  onProposalApplied(): void;
  onProposalRefused(reason: RefusalReason, message: string): void;
  /** The list is about to be sent. */
  onChecking(): void;
}

export function openExchange(options: ExchangeOptions): Exchange {
  return new BusExchange(options);
}

class BusExchange implements Exchange {
  readonly #options: ExchangeOptions;
  readonly #nextInboxName: () => string;
  /**
   * Inputs that came while another was being worked on: on a local bus, answers arrive inside the call that asked for
   * them. Never longer than what one turn brings.
   */
  readonly #inputs: CoordinatorInput[] = [];
  #working = false;
  #closed = false;
  #requests: BusSubscription | undefined;
  /** The inbox of the check under way. One per check: late answers to an earlier one are nobody's. */
  #replies: { readonly check: number; readonly subscription: BusSubscription } | undefined;
  #timer: { readonly due: number; readonly handle: Timer } | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#nextInboxName = nuidSource(options.random);
  }

  start(verified: boolean): void {
    const { bus, clusterId } = this.#options;
    try {
      this.#requests = bus.subscribe(partitionSubject(clusterId), (message) => {
        this.take({ kind: "request", payload: copyPayload(message), reply: message.reply });
      });
    } catch (error) {
      this.#options.onRefused("bus_failed", partitionTexts.subscribeFailed(errorText(error)));
      return;
    }
    if (this.#options.ignoresTopology !== true) bus.onTopologyChange(() => this.take({ kind: "topology_changed" }));
    bus.onStatus((status) => {
      this.take(
        status.kind === "closed" ? { kind: "closed", reason: "the connection was closed" } : { kind: status.kind },
      );
    });
    this.take({ kind: "start", verified });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#inputs.length = 0;
    this.#timer?.handle.cancel();
    this.#requests?.unsubscribe();
    this.#replies?.subscription.unsubscribe();
  }

  take(input: CoordinatorInput): void {
    if (this.#closed) return;
    this.#inputs.push(input);
    if (this.#working) return;
    this.#working = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        const outputs = this.#options.coordinator.step(next, this.#options.clock.monotonicMillis());
        for (const output of outputs) if (!this.#closed) this.#carryOut(output);
      }
    } finally {
      this.#working = false;
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#options.coordinator.deadline;
    if (this.#closed || due === this.#timer?.due) return;
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    if (due === undefined) return;
    const handle = this.#options.clock.setTimer(due - this.#options.clock.monotonicMillis(), () => {
      this.#timer = undefined;
      this.take({ kind: "time" });
    });
    this.#timer = { due, handle };
  }

  #carryOut(output: CoordinatorOutput): void {
    const { bus, logger } = this.#options;
    switch (output.kind) {
      case "send_list":
        this.#options.onChecking();
        this.#send(output.check, output.requests);
        return;
      case "end_check":
        if (this.#replies?.check !== output.check) return;
        this.#replies.subscription.unsubscribe();
        this.#replies = undefined;
        return;
      case "answer":
        try {
          bus.publish(output.reply, output.payload);
        } catch (error) {
          logger.error(partitionTexts.answerFailed(errorText(error)));
        }
        return;
      case "ask_standing": {
        const { check, serverId, name } = output;
        void this.#options
          .askStanding(serverId, name)
          .then((standing) => this.take({ kind: "standing", check, serverId, standing }));
        return;
      }
      case "heard":
        this.#options.onHeard(output.serverId, output.group, output.names);
        return;
      case "overlap":
        this.#options.onOverlap(output.serverId, output.name);
        return;
      case "log":
        if (output.level === "warn") logger.warn(output.text);
        else logger.error(output.text);
        return;
      case "admitted":
        this.#options.onAdmitted();
        return;
      case "refused":
        this.#options.onRefused(output.reason, output.message);
        return;
      case "conflict":
        this.#options.onConflict(partitionTexts.lateConflict(output.message));
        return;
      case "proposal_applied":
        this.#options.onProposalApplied();
        return;
      case "proposal_refused":
        this.#options.onProposalRefused(output.reason, output.message);
        return;
      default:
        unreachable(output, "unknown output");
    }
  }

  #send(check: number, requests: readonly Uint8Array[]): void {
    const { bus, clusterId } = this.#options;
    const inbox = `_INBOX.${this.#nextInboxName()}`;
    const failed = (error: unknown, text: (reason: string) => string): void => {
      const disconnected = error instanceof BusError && error.code === "disconnected";
      this.take({ kind: "send_failed", check, message: text(errorText(error)), disconnected });
    };
    try {
      const subscription = bus.subscribe(inbox, (message) => {
        this.take({ kind: "reply", check, payload: copyPayload(message) });
      });
      this.#replies = { check, subscription };
    } catch (error) {
      failed(error, partitionTexts.subscribeFailed);
      return;
    }
    try {
      for (const request of requests) bus.publish(partitionSubject(clusterId), request, inbox);
    } catch (error) {
      failed(error, partitionTexts.sendFailed);
      return;
    }
    bus.flush().then(
      () => this.take({ kind: "sent", check }),
      (error: unknown) => failed(error, partitionTexts.sendFailed),
    );
  }
}

function copyPayload(message: BusMessage): Uint8Array {
  return message.bytes.slice(message.start, message.end);
}
