import type { Clock } from "@nats-streaming/kernel";
import { encodeError, type MessageFrame } from "@nats-streaming/protocol/nats";
import type { Verdict } from "./authorization.ts";
import type { ConnectionLog } from "./connection-log.ts";
import { denialTexts } from "./denial-texts.ts";
import { goQuote } from "./go-quote.ts";
import type { Outgoing } from "./outgoing.ts";
import { type CompiledPermissions, isDenied, mayPublish, maySubscribe, needsFilter } from "./permissions.ts";
import { ReplyPermits } from "./reply-permits.ts";
import { keyOfBytes } from "./subject-key.ts";

export interface ClientAccessOptions {
  readonly clock: Clock;
  readonly log: ConnectionLog;
  readonly outgoing: Outgoing;
  /** Most tokens of a subject that is subscribed to; 0 for no limit. */
  readonly maxSubscriptionTokens: number;
  /** From now on {@link ClientAccess.denies} has to be asked about messages. */
  readonly onFiltered: () => void;
}

/** The queue group of nats-server's own services, which no client may join. */
const SYSTEM_QUEUE = "_sys_";

/** Who a client is, and what it may do; what it may not, it is told, and the log. */
export class ClientAccess {
  /** Empty before it is known. */
  user = "";
  /** What it was let in by; see {@link Accepted}. */
  credential = "";
  /** What the client may answer to; undefined when that is not judged by itself. */
  replies: ReplyPermits | undefined;
  readonly #options: ClientAccessOptions;
  #permissions: CompiledPermissions | undefined;
  /** Some of the client's subscriptions cover messages that it may not have. */
  #isFiltered = false;

  constructor(options: ClientAccessOptions) {
    this.#options = options;
  }

  /** The client is known now, or is another than before. */
  become(verdict: Verdict): void {
    if (verdict.kind !== "accepted") return;
    const { permissions, user, credential } = verdict;
    this.user = user;
    this.credential = credential;
    this.#permissions = permissions;
    const responses = permissions?.responses;
    // What was worked out for the user that the client was before no longer holds.
    if (this.#isFiltered) this.#options.onFiltered();
    this.#isFiltered = false;
    this.replies = responses === undefined ? undefined : new ReplyPermits(responses, this.#options.clock);
  }

  /** Whether the subject of a message is not to be published to, answers aside. */
  forbids({ bytes, subjectStart, subjectEnd }: MessageFrame): boolean {
    if (this.#permissions === undefined) return false;
    return !mayPublish(this.#permissions, keyOfBytes(bytes, subjectStart, subjectEnd));
  }

  /** Whether a message is an answer that the client may give; if so, it counts as given. */
  answers({ bytes, subjectStart, subjectEnd }: MessageFrame): boolean {
    return this.replies?.use(keyOfBytes(bytes, subjectStart, subjectEnd)) ?? false;
  }

  refusePublish({ bytes, subjectStart, subjectEnd }: MessageFrame): void {
    const subject = keyOfBytes(bytes, subjectStart, subjectEnd);
    this.#tell(denialTexts.publish(subject), `Publish Violation - ${this.#userText}, Subject ${goQuote(subject)}`);
  }

  /** Whether a subject may be listened to; `queue` is empty for none. Says so when not. */
  maySubscribe(subject: string, queue: string, sid: string): boolean {
    const permissions = this.#permissions;
    const { maxSubscriptionTokens } = this.#options;
    if (queue === SYSTEM_QUEUE || (permissions !== undefined && !maySubscribe(permissions, subject, queue))) {
      const logged = queue === "" ? "" : `, Queue: ${goQuote(queue)}`;
      this.#tell(
        queue === "" ? denialTexts.subscribe(subject) : denialTexts.subscribeInQueue(subject, queue),
        `Subscription Violation - ${this.#userText}, Subject ${goQuote(subject)}${logged}, SID ${sid}`,
      );
      return false;
    }
    if (maxSubscriptionTokens > 0 && subject.split(".").length > maxSubscriptionTokens) {
      this.#tell(
        denialTexts.tooManyTokens(subject),
        `Subscription Violation Too Many Tokens - ${this.#userText}, Subject ${goQuote(subject)}, SID ${sid}`,
      );
      return false;
    }
    this.#filter(subject);
    return true;
  }

  /** Whether a subscription may go on under permissions that have changed. Says so when not. */
  maySubscribeStill(subject: string, queue: string, sid: string): boolean {
    if (this.#permissions !== undefined && !maySubscribe(this.#permissions, subject, queue)) {
      const { log, outgoing } = this.#options;
      outgoing.append(encodeError(denialTexts.subscriptionEnded(subject, sid)));
      log.plain(`Removed sub ${goQuote(subject)} (sid ${goQuote(sid)}) for ${this.#userText} - not authorized`);
      return false;
    }
    this.#filter(subject);
    return true;
  }

  /** Whether messages on a subject are kept from the client's subscriptions. */
  denies(subject: string): boolean {
    return this.#isFiltered && this.#permissions !== undefined && isDenied(this.#permissions, subject);
  }

  /** Notes it when messages are to be kept from a subscription. */
  #filter(subject: string): void {
    if (this.#permissions === undefined || this.#isFiltered || !needsFilter(this.#permissions, subject)) return;
    this.#isFiltered = true;
    this.#options.onFiltered();
  }

  get #userText(): string {
    return `User ${JSON.stringify(this.user === "" ? "N/A" : this.user)}`;
  }

  #tell(text: string, logged: string): void {
    const { log, outgoing } = this.#options;
    outgoing.append(encodeError(text));
    log.error(logged);
  }
}
