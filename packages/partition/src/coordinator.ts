import { unreachable } from "@nats-streaming/kernel";
import { encodeChannelListReply, readChannelListReply, readChannelListRequest } from "./answering.ts";
import { chunkChannelList } from "./channel-list-chunks.ts";
import { type ConflictSearch, createConflictSearch } from "./conflict-search.ts";
import type { CoordinatorInput, CoordinatorOutput, RefusalReason } from "./coordinator-io.ts";
import { partitionTexts } from "./texts.ts";
import { type PartitionTiming, SETTLE_ROUNDS_MAX } from "./timing.ts";

/*
 * One server's side of the channel-list exchange: no socket, no timer, no clock. Whoever drives it hands in what happens
 * and when, carries out what comes back, and calls again at the deadline. So any number of them can be simulated.
 *
 *   idle ── start ──▶ starting (round 1) ── somebody with an overlapping list was met ──▶ starting (round 2)
 *                        │      no reply for replyIdleMillis                                  │
 *                        └──────────────▶ serving ◀───────────────────────────────────────────┘
 *                                          │ ▲
 *              the network changed         ▼ │   checked anew, settleMillis later
 *
 * From both rounds an objection leads to "ended" (refused). When the network changes in round 1, round 1 begins anew.
 * A serving server reports an objection and stays as it is: what becomes of it is up to its owner.
 */

export interface Coordinator {
  /** When `step` wants to be called with `time` at the latest; undefined when it waits for nothing. */
  readonly deadline: number | undefined;
  /** Whether the start-up check has passed. */
  readonly isServing: boolean;
  /** @param now milliseconds on a clock that never goes back */
  step(input: CoordinatorInput, now: number): readonly CoordinatorOutput[];
}

export interface CoordinatorOptions {
  readonly serverId: string;
  /** The own list as byte strings, in file order, at least one. */
  readonly names: readonly string[];
  readonly timing: PartitionTiming;
  /** Largest payload that the connection takes now. */
  maxPayload(): number;
}

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "starting"; readonly round: 1 | 2; readonly activity: Activity }
  | { readonly kind: "serving"; readonly activity: Activity }
  | { readonly kind: "ended" };

type Activity =
  | { readonly kind: "quiet" }
  /** Cut off: the check begins when the connection is back. */
  | { readonly kind: "unconnected" }
  /** Waits before it sends; `until` moves with each further change, up to `latest`. */
  | { readonly kind: "settling"; readonly until: number; readonly latest: number }
  | { readonly kind: "sending"; readonly check: number }
  | { readonly kind: "listening"; readonly check: number; readonly until: number };

const QUIET: Activity = { kind: "quiet" };
const UNCONNECTED: Activity = { kind: "unconnected" };
const ENDED: State = { kind: "ended" };

/** How often a newcomer begins its first round anew because the network changes; a network may never come to rest. */
const RESTARTS_MAX = 3;

/** Refused servers that are remembered so that each is logged once; beyond, the list starts afresh. */
const REFUSED_PEERS_MAX = 256;

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  return new ListCoordinator(options);
}

class ListCoordinator implements Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #search: ConflictSearch;
  readonly #refusedPeers = new Set<string>();
  #state: State = { kind: "idle" };
  #outputs: CoordinatorOutput[] = [];
  #checks = 0;
  #connected = true;
  /** The network changed while a check was under way: one more follows. */
  #changedMeanwhile = false;
  #restarts = 0;
  /** The lowest server ID of those that were met in round 1 with an overlapping list. */
  #lowestRival: string | undefined;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#search = createConflictSearch(options.names);
  }

  get isServing(): boolean {
    return this.#state.kind === "serving";
  }

  get deadline(): number | undefined {
    const activity = this.#activity;
    return activity.kind === "settling" || activity.kind === "listening" ? activity.until : undefined;
  }

  step(input: CoordinatorInput, now: number): readonly CoordinatorOutput[] {
    if (this.#state.kind === "ended") return [];
    this.#outputs = [];
    this.#take(input, now);
    return this.#outputs;
  }

  #take(input: CoordinatorInput, now: number): void {
    switch (input.kind) {
      case "start":
        if (this.#state.kind !== "idle") return;
        this.#state = { kind: "starting", round: 1, activity: QUIET };
        this.#beginCheck(now);
        return;
      case "request":
        this.#answer(input.payload, input.reply);
        return;
      case "reply":
        this.#hear(input.check, input.payload, now);
        return;
      case "sent":
        if (this.#checkUnderWay !== input.check) return;
        this.#become({
          kind: "listening",
          check: input.check,
          until: now + this.#options.timing.replyIdleMillis,
        });
        return;
      case "send_failed":
        if (this.#checkUnderWay !== input.check) return;
        if (input.disconnected) this.#disconnected();
        else this.#fail("bus_failed", input.message, now);
        return;
      case "topology_changed":
        this.#networkChanged(now);
        return;
      case "disconnected":
        this.#disconnected();
        return;
      case "connected": {
        const wasAwaited = this.#activity.kind === "unconnected";
        this.#connected = true;
        if (wasAwaited) this.#become(QUIET);
        if (wasAwaited && this.#state.kind === "starting") this.#beginCheck(now);
        else this.#networkChanged(now);
        return;
      }
      case "closed":
        if (this.#state.kind !== "serving") this.#fail("bus_failed", partitionTexts.replyFailed(input.reason), now);
        this.#endCheck();
        this.#state = ENDED;
        return;
      case "time":
        if (this.deadline === undefined || now < this.deadline) return;
        if (this.#activity.kind === "settling") this.#beginCheck(now);
        else this.#pass(now);
        return;
      default:
        unreachable(input, "unknown input");
    }
  }

  #disconnected(): void {
    this.#connected = false;
    if (this.#activity.kind === "quiet") return;
    this.#endCheck();
    this.#become(UNCONNECTED);
  }

  #beginCheck(now: number): void {
    if (!this.#connected) {
      this.#become(UNCONNECTED);
      return;
    }
    const { serverId, names } = this.#options;
    const list = chunkChannelList(serverId, names, this.#options.maxPayload());
    if (list.kind === "too_small") {
      this.#fail("payload_too_small", partitionTexts.payloadTooSmall, now);
      return;
    }
    const check = ++this.#checks;
    this.#become({ kind: "sending", check });
    this.#outputs.push({ kind: "send_list", check, requests: list.chunks });
  }

  /** Nobody objected. */
  #pass(now: number): void {
    this.#endCheck();
    this.#become(QUIET);
    const { timing, serverId } = this.#options;
    if (this.#state.kind === "starting" && this.#state.round === 1 && this.#lowestRival !== undefined) {
      this.#state = { kind: "starting", round: 2, activity: QUIET };
      // Not yet in the second round as far as others can tell: see #mayObject.
      const wait = this.#lowestRival < serverId ? timing.precedenceMillis : 0;
      if (wait === 0) {
        this.#beginCheck(now);
        return;
      }
      this.#become({ kind: "settling", until: now + wait, latest: now + wait });
      return;
    }
    if (this.#state.kind === "starting") {
      this.#state = { kind: "serving", activity: QUIET };
      this.#outputs.push({ kind: "admitted" });
    }
    if (this.#changedMeanwhile) this.#networkChanged(now);
  }

  /** Another list has to go out, so that whoever has come to the network hears it. */
  #networkChanged(now: number): void {
    const activity = this.#activity;
    if (!this.#mayCheckAnew()) {
      this.#changedMeanwhile = this.#state.kind !== "idle";
      return;
    }
    this.#changedMeanwhile = false;
    if (activity.kind === "unconnected") return;
    this.#endCheck();
    const { settleMillis } = this.#options.timing;
    const latest = activity.kind === "settling" ? activity.latest : now + settleMillis * SETTLE_ROUNDS_MAX;
    this.#become({ kind: "settling", until: Math.min(now + settleMillis, latest), latest });
  }

  /**
   * Whether a check for the changed network may begin now, rather than after the one under way. A newcomer in its first
   * round drops the one under way: as long as it has not been heard by everybody it must not begin to serve, or it would
   * object to a server that serves already.
   */
  #mayCheckAnew(): boolean {
    const { kind } = this.#activity;
    const underWay = kind === "sending" || kind === "listening";
    switch (this.#state.kind) {
      case "serving":
        return !underWay;
      case "starting":
        if (this.#state.round === 2) return false;
        if (!underWay) return true;
        this.#restarts++;
        return this.#restarts <= RESTARTS_MAX;
      default:
        return false;
    }
  }

  #hear(check: number, payload: Uint8Array, now: number): void {
    const activity = this.#activity;
    if (this.#checkUnderWay !== check) return;
    const reply = readChannelListReply(payload);
    switch (reply.kind) {
      case "conflict":
        this.#fail("conflict", partitionTexts.conflict(reply.name, reply.serverId), now);
        return;
      case "undecodable":
        this.#fail("undecodable_reply", partitionTexts.undecodableReply(reply.reason), now);
        return;
      case "accepted":
        if (activity.kind !== "listening") return;
        this.#become({ ...activity, until: now + this.#options.timing.replyIdleMillis });
        return;
      default:
        unreachable(reply, "unknown reply");
    }
  }

  /** A check has failed. Only an objection is worth disturbing a server that serves. */
  #fail(reason: RefusalReason, message: string, now: number): void {
    this.#endCheck();
    if (this.#state.kind !== "serving") {
      this.#state = ENDED;
      this.#outputs.push({ kind: "refused", reason, message });
      return;
    }
    this.#become(QUIET);
    if (reason === "conflict") this.#outputs.push({ kind: "conflict", message });
    else this.#log("error", partitionTexts.recheckFailed(message));
    if (this.#changedMeanwhile) this.#networkChanged(now);
  }

  #answer(payload: Uint8Array, reply: string): void {
    const { serverId } = this.#options;
    const request = readChannelListRequest(payload, reply, serverId);
    if (request.kind === "ignored") return;
    if (request.kind === "unreadable") {
      this.#log("error", partitionTexts.requestFailed(request.reason));
      return;
    }

    const conflict = this.#search.find(request.channels);
    if (conflict !== undefined && !this.#mayObject) {
      if (this.#lowestRival === undefined || request.serverId < this.#lowestRival) this.#lowestRival = request.serverId;
      return;
    }
    this.#outputs.push({ kind: "answer", reply, payload: encodeChannelListReply(serverId, conflict ?? "") });
    if (conflict !== undefined) this.#logRefusal(conflict, request.serverId);
  }

  /**
   * Whether an overlapping list is objected to. A server in its first round does not: the other one may be serving
   * already, and would die of it. It lets the other one pass and repeats its own check, to which that one objects.
   * @see partitioning.md 8
   */
  get #mayObject(): boolean {
    const state = this.#state;
    return (
      state.kind === "serving" || (state.kind === "starting" && state.round === 2 && state.activity.kind !== "settling")
    );
  }

  #logRefusal(name: string, peer: string): void {
    if (this.#refusedPeers.has(peer)) return;
    if (this.#refusedPeers.size >= REFUSED_PEERS_MAX) this.#refusedPeers.clear();
    this.#refusedPeers.add(peer);
    this.#log("warn", partitionTexts.peerRefused(name, peer));
  }

  #log(level: "warn" | "error", text: string): void {
    this.#outputs.push({ kind: "log", level, text });
  }

  get #activity(): Activity {
    return this.#state.kind === "starting" || this.#state.kind === "serving" ? this.#state.activity : QUIET;
  }

  #become(activity: Activity): void {
    if (this.#state.kind === "starting" || this.#state.kind === "serving") this.#state = { ...this.#state, activity };
  }

  get #checkUnderWay(): number | undefined {
    const activity = this.#activity;
    return activity.kind === "sending" || activity.kind === "listening" ? activity.check : undefined;
  }

  #endCheck(): void {
    const check = this.#checkUnderWay;
    if (check !== undefined) this.#outputs.push({ kind: "end_check", check });
  }
}
