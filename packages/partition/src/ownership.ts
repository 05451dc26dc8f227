import type { Bus, Clock, Random } from "@nats-streaming/kernel";
import type { KnownLists } from "./known-lists.ts";
import { probeList } from "./probe-list.ts";

/** Whether any server of the cluster serves a channel. */
export interface Ownership {
  /**
   * Whether some server serves the channel, or is about to. When that cannot be found out, it counts as owned: nobody is
   * told anything wrong. Settles within half a second.
   * @param channel byte string, literal
   */
  isOwned(channel: string): Promise<boolean>;
  /** Somebody's list was heard: what had no owner may have one now. */
  listHeard(): void;
}

export interface OwnershipOptions {
  readonly bus: Bus;
  readonly clusterId: string;
  readonly serverId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly lists: KnownLists;
}

/** How long an owner has to object. A client waits for seconds; it is to be told within one. */
const ANSWER_MILLIS = 400;
/** How long an answer holds: that there is nobody, and that there is somebody. */
const UNOWNED_MILLIS = 1_000;
const OWNED_MILLIS = 10_000;
/** For how long a server that has objected is taken to be there, whatever of its list is asked for. */
const SEEN_MILLIS = 30_000;
/** Answers remembered; beyond, the oldest is dropped. */
const REMEMBERED_MAX = 8_192;
/** Questions under way; beyond, a channel counts as owned. */
const QUESTIONS_MAX = 64;

interface Answer {
  readonly isOwned: boolean;
  readonly until: number;
}

export function createOwnership(options: OwnershipOptions): Ownership {
  const { clock, lists } = options;
  const answers = new Map<string, Answer>();
  const questions = new Map<string, Promise<boolean>>();
  const seen = new Map<string, number>();
  let heard = 0;

  const remember = (channel: string, isOwned: boolean): void => {
    answers.delete(channel);
    const until = clock.monotonicMillis() + (isOwned ? OWNED_MILLIS : UNOWNED_MILLIS);
    answers.set(channel, { isOwned, until });
    if (answers.size <= REMEMBERED_MAX) return;
    for (const oldest of answers.keys()) {
      answers.delete(oldest);
      return;
    }
  };

  const ask = async (channel: string): Promise<boolean> => {
    const before = heard;
    const { objections, failure } = await probeList({
      ...options,
      names: [channel],
      idleMillis: ANSWER_MILLIS,
      totalMillis: ANSWER_MILLIS,
      stopsAtObjection: true,
    });
    questions.delete(channel);
    const now = clock.monotonicMillis();
    if (seen.size > REMEMBERED_MAX) seen.clear();
    for (const { serverId } of objections) seen.set(serverId, now + SEEN_MILLIS);
    // Somebody may have begun to list it while the others said that they do not.
    const isOwned = objections.length > 0 || failure !== undefined || heard !== before;
    if (heard === before) remember(channel, isOwned);
    return isOwned;
  };

  return {
    listHeard(): void {
      heard++;
      for (const [channel, { isOwned }] of answers) if (!isOwned) answers.delete(channel);
    },
    isOwned(channel): Promise<boolean> {
      const now = clock.monotonicMillis();
      const known = answers.get(channel);
      if (known !== undefined && known.until > now) return Promise.resolve(known.isOwned);
      if (lists.ownersOf(channel).some((serverId) => (seen.get(serverId) ?? 0) > now)) return Promise.resolve(true);
      const underWay = questions.get(channel);
      if (underWay !== undefined) return underWay;
      if (questions.size >= QUESTIONS_MAX) return Promise.resolve(true);
      const question = ask(channel);
      questions.set(channel, question);
      return question;
    },
  };
}
