import { unreachable } from "@nats-streaming/kernel";
import { encodeChannelListReply, readChannelListReply } from "./answering.ts";
import { chunkChannelList } from "./channel-list-chunks.ts";
import { type ConflictSearch, createConflictSearch } from "./conflict-search.ts";
import type { CoordinatorInput, CoordinatorOutput, RefusalReason } from "./coordinator-io.ts";
import {
  type Activity,
  ENDED,
  type Listening,
  type Purpose,
  QUIET,
  type State,
  UNCONNECTED,
} from "./coordinator-state.ts";
import { answerToList } from "./list-answer.ts";
import { createObjections, type Objections } from "./objections.ts";
import { createProposal, type Proposal } from "./proposal.ts";
import { createRefusals, type Refusals } from "./refusals.ts";
import { type ConflictRule, isElder, isServerId, type Standing, type Tenure } from "./seniority.ts";
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
 * A server that serves and meets an objection asks the other one since when that serves, and reports a conflict only when
 * it is the younger one, or when the other one objects twice and never says. It stays as it is: what becomes of it is up
 * to its owner. A changed list is checked like the first one, with what it adds.
 */

export interface Coordinator {
  /** When `step` wants to be called with `time` at the latest; undefined when it waits for nothing. */
  readonly deadline: number | undefined;
  /** Whether the start-up check has passed. */
  readonly isServing: boolean;
  /** Wall-clock milliseconds since which it serves; 0 before. */
  readonly since: number;
  /** The list that counts now. */
  readonly names: readonly string[];
  /** @param now milliseconds on a clock that never goes back */
  step(input: CoordinatorInput, now: number): readonly CoordinatorOutput[];
}

export interface CoordinatorOptions {
  readonly serverId: string;
  /** The own list as byte strings, in file order, at least one. */
  readonly names: readonly string[];
  readonly timing: PartitionTiming;
  readonly conflictRule: ConflictRule;
  /** See {@link PartitionOptions.activeServerId}. A byte string. */
  activeServerId?(): string | undefined;
  /** See {@link PartitionOptions.isHeldUp}. */
  isHeldUp?(): boolean;
  /** The present wall-clock time in milliseconds since 1970. */
  wallMillis(): number;
  /** Largest payload that the connection takes now. */
  maxPayload(): number;
}

/** How often a newcomer begins its first round anew because the network changes; a network may never come to rest. */
const RESTARTS_MAX = 3;

/** How often a check is prolonged for answers that are under way; whoever drives reports each within its time anyway. */
const WAITS_MAX = 3;

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  return new ListCoordinator(options);
}

class ListCoordinator implements Coordinator {
  readonly #options: CoordinatorOptions;
  #names: readonly string[];
  #search: ConflictSearch;
  readonly #refusals: Refusals = createRefusals();
  readonly #objections: Objections = createObjections();
  /** The changed list that is checked, or waits for the check under way to end. */
  #proposal: Proposal | undefined;
  #since = 0;
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
    this.#names = options.names;
    this.#search = createConflictSearch(options.names);
  }

  get since(): number {
    return this.#since;
  }

  get names(): readonly string[] {
    return this.#names;
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
        if (input.verified === true) this.#admit();
        else this.#state = { kind: "starting", round: 1, activity: QUIET };
        this.#beginCheck(now);
        return;
      case "request":
        this.#answer(input.payload, input.reply, now);
        return;
      case "reply":
        this.#hear(input.check, input.payload, now);
        return;
      case "sent":
        this.#sent(input.check, now);
        return;
      case "send_failed":
        if (this.#checkUnderWay !== input.check) return;
        if (input.disconnected) this.#disconnected();
        else this.#fail("bus_failed", input.message, now);
        return;
      case "standing":
        this.#rule(input.check, input.serverId, input.standing, now);
        return;
      case "challenged":
        this.#challenged(input.serverId, input.since, input.name, now);
        return;
      case "propose":
        this.#propose(input.names, now);
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
        this.#refuseProposal("bus_failed", partitionTexts.replyFailed(input.reason));
        this.#endCheck();
        this.#state = ENDED;
        return;
      case "time":
        if (this.deadline === undefined || now < this.deadline) return;
        if (this.#activity.kind === "settling") this.#beginCheck(now);
        else this.#listened(now);
        return;
      default:
        unreachable(input, "unknown input");
    }
  }

  #disconnected(): void {
    this.#connected = false;
    this.#refuseProposal("bus_failed", partitionTexts.proposalCutOff);
    if (this.#activity.kind === "quiet") return;
    this.#endCheck();
    this.#become(UNCONNECTED);
  }

  #beginCheck(now: number): void {
    if (!this.#connected) {
      this.#become(UNCONNECTED);
      return;
    }
    this.#objections.clear();
    this.#send("list", this.#names, now);
  }

  #send(purpose: Purpose, names: readonly string[], now: number): void {
    const list = chunkChannelList(this.#options.serverId, names, this.#options.maxPayload());
    if (list.kind === "too_small") {
      this.#fail("payload_too_small", partitionTexts.payloadTooSmall, now, purpose);
      return;
    }
    const check = ++this.#checks;
    this.#become({ kind: "sending", check, purpose });
    this.#outputs.push({ kind: "send_list", check, requests: list.chunks });
  }

  #sent(check: number, now: number): void {
    const activity = this.#activity;
    if (activity.kind !== "sending" || activity.check !== check) return;
    const until = now + this.#options.timing.replyIdleMillis;
    this.#become({ kind: "listening", check, purpose: activity.purpose, until, waits: 0 });
  }

  /** No reply came for the idle time. */
  #listened(now: number): void {
    const activity = this.#activity;
    if (activity.kind !== "listening") return;
    if (activity.purpose === "proposal") {
      this.#apply(now);
      return;
    }
    if (this.#state.kind === "serving") this.#endServingCheck(activity, now);
    else this.#pass(now);
  }

  /** Nobody objected to a newcomer. */
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
      this.#settle(now + wait);
      return;
    }
    this.#admit();
    this.#rest(now);
  }

  #admit(): void {
    this.#state = { kind: "serving", activity: QUIET };
    this.#since = this.#options.wallMillis();
    this.#outputs.push({ kind: "admitted" });
  }

  /** A server that serves has heard everybody who has anything to say to its list. */
  #endServingCheck(activity: Listening, now: number): void {
    const result = this.#objections.result(activity.waits >= WAITS_MAX);
    const { timing } = this.#options;
    if (result.kind === "pending") {
      this.#become({ ...activity, until: now + timing.replyIdleMillis, waits: activity.waits + 1 });
      return;
    }
    if (result.kind === "conflict") {
      this.#fail("conflict", result.message, now);
      return;
    }
    this.#endCheck();
    this.#become(QUIET);
    if (result.kind === "repeat_soon") this.#settle(now + timing.settleMillis);
    else if (result.kind === "repeat_later") this.#settle(now + timing.youngerRetryMillis);
    else this.#rest(now);
  }

  #settle(until: number): void {
    this.#become({ kind: "settling", until, latest: until });
  }

  /** Nothing is under way: what has waited for that goes on. */
  #rest(now: number): void {
    if (this.#changedMeanwhile) this.#networkChanged(now);
    this.#beginProposal(now);
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
    const { settleMillis } = this.#options.timing;
    const latest = activity.kind === "settling" ? activity.latest : now + settleMillis * SETTLE_ROUNDS_MAX;
    this.#endCheck();
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
    if (activity.kind !== "sending" && activity.kind !== "listening") return;
    if (activity.check !== check) return;
    const reply = readChannelListReply(payload);
    switch (reply.kind) {
      case "conflict":
        if (this.#isOwnGroup(reply.serverId)) this.#stayListening(now);
        else this.#objectedTo(reply.name, reply.serverId, check, activity.purpose, now);
        return;
      case "undecodable":
        this.#fail("undecodable_reply", partitionTexts.undecodableReply(reply.reason), now);
        return;
      case "accepted":
        this.#stayListening(now);
        return;
      default:
        unreachable(reply, "unknown reply");
    }
  }

  #stayListening(now: number): void {
    const activity = this.#activity;
    if (activity.kind !== "listening") return;
    this.#become({ ...activity, until: now + this.#options.timing.replyIdleMillis });
  }

  #objectedTo(name: string, serverId: string, check: number, purpose: Purpose, now: number): void {
    const message = partitionTexts.conflict(name, serverId);
    this.#outputs.push({ kind: "overlap", serverId, name });
    const maySettle = this.#state.kind === "serving" && this.#options.conflictRule === "younger_exits";
    if (!maySettle || purpose === "proposal" || !isServerId(serverId)) {
      this.#fail("conflict", message, now);
      return;
    }
    this.#stayListening(now);
    if (this.#objections.add(serverId, message)) this.#outputs.push({ kind: "ask_standing", check, serverId, name });
  }

  #rule(check: number, serverId: string, standing: Standing, now: number): void {
    if (this.#checkUnderWay !== check) return;
    const message = this.#objections.rule(serverId, standing, this.#tenure);
    if (message !== undefined) this.#fail("conflict", message, now);
  }

  /**
   * An elder server has met this one's objection. Its word is not enough to end for, since anybody can send it: the own
   * list is checked, and the elder objects to it.
   */
  #challenged(serverId: string, since: number, name: string, now: number): void {
    if (this.#state.kind !== "serving" || this.#options.conflictRule !== "younger_exits") return;
    if (this.#isOwnGroup(serverId)) return;
    if (since === 0 || !isElder({ since, serverId }, this.#tenure)) return;
    if (this.#search.find([name]) !== undefined) this.#networkChanged(now);
  }

  /** The former active of this server's group, which woke up after its lock was taken: the lock has decided already. */
  #isOwnGroup(serverId: string): boolean {
    return serverId === this.#options.activeServerId?.();
  }

  get #tenure(): Tenure {
    return { since: this.#since, serverId: this.#options.serverId };
  }

  /** A check has failed. Only an objection is worth disturbing a server that serves. */
  #fail(reason: RefusalReason, message: string, now: number, purpose: Purpose = this.#purpose): void {
    this.#endCheck();
    if (this.#state.kind !== "serving") {
      this.#state = ENDED;
      this.#outputs.push({ kind: "refused", reason, message });
      return;
    }
    this.#become(QUIET);
    if (purpose === "proposal") {
      this.#refuseProposal(reason, message);
      this.#changedMeanwhile = true;
    } else if (reason === "conflict") this.#outputs.push({ kind: "conflict", message });
    else this.#log("error", partitionTexts.recheckFailed(message));
    this.#rest(now);
  }

  #propose(names: readonly string[], now: number): void {
    if (this.#state.kind !== "serving" || this.#proposal !== undefined) {
      const message = this.#proposal === undefined ? partitionTexts.notServing : partitionTexts.proposalUnderWay;
      this.#outputs.push({ kind: "proposal_refused", reason: "bus_failed", message });
      return;
    }
    this.#proposal = createProposal(this.#names, names);
    if (!this.#connected) this.#refuseProposal("bus_failed", partitionTexts.proposalCutOff);
    else this.#beginProposal(now);
  }

  #beginProposal(now: number): void {
    if (this.#proposal === undefined || this.#activity.kind !== "quiet") return;
    if (this.#proposal.added.length === 0) this.#apply(now);
    else this.#send("proposal", this.#proposal.added, now);
  }

  /** Nobody objected to what the changed list adds. */
  #apply(now: number): void {
    const proposal = this.#proposal;
    this.#endCheck();
    this.#become(QUIET);
    this.#proposal = undefined;
    if (proposal === undefined) return;
    this.#names = proposal.names;
    this.#search = createConflictSearch(proposal.names);
    this.#outputs.push({ kind: "proposal_applied" });
    // Others have heard what was added, and now hear the whole.
    this.#networkChanged(now);
  }

  #refuseProposal(reason: RefusalReason, message: string): void {
    if (this.#proposal === undefined) return;
    this.#proposal = undefined;
    this.#outputs.push({ kind: "proposal_refused", reason, message });
  }

  #answer(payload: Uint8Array, reply: string, now: number): void {
    if (this.#options.isHeldUp?.() === true) {
      // Whoever asked may have been admitted without this server's objection: its own list brings it to light.
      this.#networkChanged(now);
      return;
    }
    const { serverId } = this.#options;
    const added = this.#purpose === "proposal" ? this.#proposal?.search : undefined;
    const own = { serverId, search: this.#search, added, mayObject: this.#mayObject };
    const answer = answerToList(payload, reply, own);
    if ("serverId" in answer && this.#isOwnGroup(answer.serverId)) return;
    const send = (conflict: string): void => {
      this.#outputs.push({ kind: "answer", reply, payload: encodeChannelListReply(serverId, conflict) });
    };
    switch (answer.kind) {
      case "ignore":
        return;
      case "unreadable":
        this.#log("error", partitionTexts.requestFailed(answer.reason));
        return;
      case "tell":
        send(answer.conflict);
        return;
      case "accept":
        send("");
        this.#outputs.push({ kind: "heard", serverId: answer.serverId, group: reply, names: answer.names });
        return;
      case "object":
        send(answer.conflict);
        this.#refusePeer(answer.conflict, answer.serverId);
        return;
      case "rival":
        if (this.#lowestRival === undefined || answer.serverId < this.#lowestRival) this.#lowestRival = answer.serverId;
        return;
      case "withdraw":
        this.#fail("conflict", partitionTexts.conflict(answer.conflict, answer.serverId), now);
        return;
      default:
        unreachable(answer, "unknown answer");
    }
  }

  get #mayObject(): boolean {
    const state = this.#state;
    return (
      state.kind === "serving" || (state.kind === "starting" && state.round === 2 && state.activity.kind !== "settling")
    );
  }

  #refusePeer(name: string, peer: string): void {
    this.#outputs.push({ kind: "overlap", serverId: peer, name });
    if (this.#refusals.add(peer)) this.#log("warn", partitionTexts.peerRefused(name, peer));
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

  get #purpose(): Purpose {
    const activity = this.#activity;
    return activity.kind === "sending" || activity.kind === "listening" ? activity.purpose : "list";
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
