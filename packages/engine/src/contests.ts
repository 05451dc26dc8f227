import { type Bus, invariant } from "@nats-streaming/kernel";
import { byteString } from "@nats-streaming/protocol";
import type { ConnectRequest } from "@nats-streaming/protocol/stan";
import type { ClientInfo } from "@nats-streaming/store";
import { isSameConnection } from "./adoption.ts";
import { type Agreement, clientOf } from "./agreement.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { RecentClients } from "./recent-clients.ts";

/** A connect request that waits for its answer. */
export interface Candidate {
  readonly reply: string;
  readonly request: ConnectRequest;
}

/**
 * Connect requests among several partition servers. Each of them gets every request, and all have to come to the same
 * answer: who owns the client ID, and lives, keeps it, whoever of them knows it; of several that ask for a free one at the
 * same moment, the one with the lowest connection ID gets it everywhere.
 * @see docs/partition-protocol.md
 */
export interface Contests {
  enter(candidate: Candidate): void;
  /** Who asks for a client ID whose owner, if there was one, is gone. */
  pending(clientId: string): ClientInfo | undefined;
  /** Settles when it is clear who gets a client ID; undefined when nobody asks for it. */
  settled(clientId: string): Promise<void> | undefined;
}

export interface ContestsOptions {
  readonly bus: Bus;
  readonly clients: Clients;
  readonly agreement: Agreement;
  readonly recent: RecentClients;
  /** How long the owner of a client ID may take to show that it lives. */
  readonly aliveMillis: number;
  readonly isStopped: () => boolean;
  readonly closeClient: (client: Client) => void;
  readonly adopt: (info: ClientInfo) => void;
  readonly accept: (candidate: Candidate) => void;
  readonly register: (candidate: Candidate, isReplaced: boolean) => void;
  readonly refuse: (candidate: Candidate) => void;
}

interface Contest {
  readonly candidates: Candidate[];
  /** Connections that did not answer. */
  readonly dead: Set<string>;
  settled: Promise<void>;
}

/** Candidates of one client ID; beyond, they are refused. */
const CANDIDATES_MAX = 64;
/** How often the answer is looked for anew because somebody was registered meanwhile. */
const ROUNDS_MAX = 3;

const NO_PAYLOAD = new Uint8Array(0);

export function createContests(options: ContestsOptions): Contests {
  const { bus, clients, agreement, recent } = options;
  const contests = new Map<string, Contest>();

  const isAlive = async (info: ClientInfo, contest: Contest): Promise<boolean> => {
    if (contest.dead.has(keyOf(info))) return false;
    const answer = await bus.request(info.hbInbox, NO_PAYLOAD, options.aliveMillis);
    if (answer.kind === "reply") {
      recent.alive(info);
      return true;
    }
    contest.dead.add(keyOf(info));
    return false;
  };

  const candidateOf = (info: ClientInfo, { candidates }: Contest): Candidate | undefined =>
    candidates.find(({ request }) => isSameConnection(info, infoOf(request)));

  /** The candidate that gets the client ID; undefined when somebody else has it. */
  const winner = async (clientId: string, contest: Contest): Promise<Candidate | undefined> => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const owner = clients.get(clientId);
      if (owner !== undefined) {
        const known = candidateOf(owner.info, contest);
        if (known !== undefined) return known;
        if (await isAlive(owner.info, contest)) return undefined;
      }
      const best = lowest(contest.candidates);
      const answers = await agreement.ask({ clientId, connId: best.request.connId });
      if (options.isStopped()) return undefined;
      for (const answer of answers) {
        const client = clientOf(answer);
        const known = client === undefined ? undefined : candidateOf(client, contest);
        if (known !== undefined) return known;
      }
      for (const answer of answers) {
        if (answer.kind === "alive") return undefined;
        if (answer.kind === "pending" && candidateOf(answer.client, contest) === undefined) {
          // It reaches this server, too, and is registered then.
          if (keyOf(answer.client) < keyOf(infoOf(lowest(contest.candidates).request))) return undefined;
        }
        if (answer.kind !== "known" || !(await isAlive(answer.client, contest))) continue;
        options.adopt(answer.client);
        return undefined;
      }
      const present = clients.get(clientId);
      if (present === undefined || contest.dead.has(keyOf(present.info))) return lowest(contest.candidates);
    }
    return undefined;
  };

  const settle = async (clientId: string, contest: Contest): Promise<void> => {
    const won = await winner(clientId, contest);
    contests.delete(clientId);
    if (options.isStopped()) return;
    for (const candidate of contest.candidates) if (candidate !== won) options.refuse(candidate);
    if (won === undefined) return;
    const present = clients.get(clientId);
    if (present !== undefined && isSameConnection(present.info, infoOf(won.request))) {
      options.accept(won);
      return;
    }
    if (present !== undefined) options.closeClient(present);
    options.register(won, present !== undefined);
  };

  return {
    enter(candidate): void {
      const { clientId } = candidate.request;
      const contest = contests.get(clientId);
      if (contest === undefined) {
        const started: Contest = { candidates: [candidate], dead: new Set(), settled: Promise.resolve() };
        contests.set(clientId, started);
        started.settled = settle(clientId, started);
      } else if (contest.candidates.length < CANDIDATES_MAX) {
        contest.candidates.push(candidate);
      } else {
        options.refuse(candidate);
      }
    },
    settled: (clientId) => contests.get(clientId)?.settled,
    pending(clientId): ClientInfo | undefined {
      const contest = contests.get(clientId);
      if (contest === undefined) return undefined;
      const owner = clients.get(clientId);
      if (owner !== undefined && !contest.dead.has(keyOf(owner.info))) return undefined;
      return infoOf(lowest(contest.candidates).request);
    },
  };
}

function lowest(candidates: readonly Candidate[]): Candidate {
  let [best] = candidates;
  for (const candidate of candidates) {
    if (best === undefined || keyOf(infoOf(candidate.request)) < keyOf(infoOf(best.request))) best = candidate;
  }
  invariant(best !== undefined, "a contest without a candidate");
  return best;
}

/** The registration that a connect request asks for. */
export function infoOf(request: ConnectRequest): ClientInfo {
  return {
    id: request.clientId,
    hbInbox: request.heartbeatInbox,
    connId: request.connId,
    protocol: request.protocol,
    pingInterval: request.pingInterval,
    pingMaxOut: request.pingMaxOut,
  };
}

function keyOf(info: ClientInfo): string {
  return `${byteString(info.connId)} ${info.hbInbox}`;
}
