/**
 * Which channels this server handles. Without one (no partitioning) it handles all of them.
 * The partition coordinator implements it; the composition root hands it over.
 */
export interface ChannelScope {
  /** Literals and patterns as listed, in order. */
  readonly entries: readonly string[];
  /** Whether some channel matches more than one entry: only then can a publish arrive twice. */
  readonly selfOverlaps: boolean;
  /**
   * The first entry that matches a channel, or -1. A channel that several entries match is taken from the first one's
   * subscription only, so that a publish is stored once.
   * @see partitioning.md 5
   */
  firstMatch(channel: string): number;
}
