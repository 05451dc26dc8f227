import {
  decodeRouteConnect,
  decodeRouteInfo,
  errorText,
  GLOBAL_ACCOUNT,
  type InterestFrame,
  type MessageFrame,
  PONG_LINE,
  type RouteLineHandler,
} from "@nats-streaming/protocol/nats";
import { keyOfBytes } from "../subject-key.ts";
import { REMOTE_INTERESTS_MAX } from "./remote-interest.ts";
import type { Route } from "./route.ts";
import type { RouteContext } from "./route-context.ts";

const NO_QUEUES: readonly string[] = [];

/** What the other server of a route says, operation by operation. */
export class RouteOperations implements RouteLineHandler {
  inMessages = 0;
  inBytes = 0;
  readonly #context: RouteContext;
  readonly #route: Route;
  /** The names of queue groups in the last message that had any, and what they mean: mostly the next message's, too. */
  #queuesKey = "";
  #queues: readonly string[] = NO_QUEUES;

  constructor(context: RouteContext, route: Route) {
    this.#context = context;
    this.#route = route;
  }

  onConnect(bytes: Uint8Array, start: number, end: number): void {
    const route = this.#route;
    if (route.state !== "connecting") {
      this.#refuse("CONNECT at the wrong time");
      return;
    }
    const decoded = decodeRouteConnect(bytes, start, end);
    if (decoded.kind === "invalid") this.#refuse(decoded.message);
    else this.#context.onConnect(route, decoded.connect);
  }

  onInfo(bytes: Uint8Array, start: number, end: number): void {
    const decoded = decodeRouteInfo(bytes, start, end);
    if (decoded.kind === "invalid") this.#refuse(decoded.message);
    else if (this.#route.state === "informing") this.#context.onIntroduced(this.#route, decoded.info);
    else this.#context.onInfo(this.#route, decoded.info);
  }

  onInterest(frame: InterestFrame): void {
    if (!this.#isKnown()) return;
    const { bytes } = frame;
    if (!isGlobal(bytes, frame.accountStart, frame.accountEnd)) return;
    const { interest, log } = this.#route;
    const subject = keyOfBytes(bytes, frame.subjectStart, frame.subjectEnd);
    const queue = keyOfBytes(bytes, frame.queueStart, frame.queueEnd);
    log.trace(() => `<<- [${frame.weight > 0 ? "RS+" : "RS-"} ${subject}${queue === "" ? "" : ` ${queue}`}]`);
    if (frame.weight === 0) {
      interest.lost(subject, queue);
      return;
    }
    switch (interest.gained(subject, queue, frame.weight)) {
      case "noted":
        return;
      case "invalid":
        log.error(`interest in an invalid subject: ${JSON.stringify(subject)}`);
        return;
      case "too_many":
        log.error(`interest in more than ${REMOTE_INTERESTS_MAX} subjects`);
        this.#route.close("Maximum Subscriptions Exceeded");
    }
  }

  onMessage(frame: MessageFrame): void {
    if (!this.#isKnown()) return;
    const { bytes, view, subjectStart, subjectEnd } = frame;
    if (!isGlobal(bytes, frame.accountStart, frame.accountEnd)) return;
    const size = frame.payloadEnd - frame.payloadStart;
    const { counters, router, delivery } = this.#context;
    counters.inMessages++;
    counters.inBytes += size;
    this.inMessages++;
    this.inBytes += size;
    if (this.#route.log.isTracing) this.#route.log.traceIn(frame, "RMSG");
    const receivers = router.receivers(bytes, view, subjectStart, subjectEnd);
    delivery.receive(frame, receivers, frame.queuesEnd > frame.queuesStart ? this.#queuesOf(frame) : NO_QUEUES);
  }

  onPing(): void {
    this.#route.send(PONG_LINE);
  }

  onPong(): void {
    this.#route.pongReceived();
  }

  onOk(): void {
    // Nothing was asked that this could be the answer to.
  }

  onError(bytes: Uint8Array, start: number, end: number): void {
    this.#route.log.error(`Route Error '${errorText(bytes, start, end)}'`);
    this.#route.close("Parse Error");
  }

  #queuesOf(frame: MessageFrame): readonly string[] {
    const key = keyOfBytes(frame.bytes, frame.queuesStart, frame.queuesEnd);
    if (key !== this.#queuesKey) {
      this.#queuesKey = key;
      this.#queues = key.split(/[ \t]+/);
    }
    return this.#queues;
  }

  /** Nobody is listened to who has not said who he is. A route that retires is. */
  #isKnown(): boolean {
    if (this.#route.info !== undefined) return true;
    this.#refuse("an operation before INFO");
    return false;
  }

  #refuse(message: string): void {
    this.#route.log.error(message);
    this.#route.close("Protocol Violation");
  }
}

/** Whether the account `bytes[start, end)` is the one that everybody here belongs to. */
function isGlobal(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== GLOBAL_ACCOUNT.length) return false;
  for (let i = 0; i < GLOBAL_ACCOUNT.length; i++) {
    if (bytes[start + i] !== GLOBAL_ACCOUNT.charCodeAt(i)) return false;
  }
  return true;
}
