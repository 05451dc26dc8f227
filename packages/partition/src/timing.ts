/** How long a coordinator waits for what. All in milliseconds. */
export interface PartitionTiming {
  /** A check has passed when no reply came for so long. Every reply starts it anew. @see partitioning.md 6.4 */
  readonly replyIdleMillis: number;
  /**
   * From a change of the network to the list that is sent for it, so that subscriptions can spread. A further change
   * starts it anew, up to `SETTLE_ROUNDS_MAX` times its length. @see partitioning.md 9
   */
  readonly settleMillis: number;
  /**
   * How much later a newcomer repeats its check when it has met another one with a lower server ID: so the two lists do
   * not cross, and one of the two lives. Has to be longer than a message travels.
   */
  readonly precedenceMillis: number;
  /** How long a server that objects has to say since when it serves; then it counts as silent. */
  readonly standingMillis: number;
  /** When a server that stays checks again whether one that has to go is gone. */
  readonly youngerRetryMillis: number;
  /** How long one other server has to answer a question about a client; then it is left out for a while. */
  readonly peerAnswerMillis: number;
}

/** What servers of the original's networks go together with. */
export const DEFAULT_TIMING: PartitionTiming = {
  replyIdleMillis: 1_000,
  settleMillis: 500,
  precedenceMillis: 300,
  standingMillis: 500,
  youngerRetryMillis: 2_000,
  peerAnswerMillis: 250,
};

/** Changes that keep coming put a check off for so many times {@link PartitionTiming.settleMillis} at most. */
export const SETTLE_ROUNDS_MAX = 4;
