import { createSubjectTree, isLiteralChannel, isValidChannel, isValidSubject } from "@nats-streaming/subject";
import { partitionTexts } from "./texts.ts";

/** The channels that a partitioned server serves. Names are text, compared by case, as in configuration and messages. */
export interface ChannelScope {
  /** Literal names and patterns in file order, none twice. */
  readonly entries: readonly string[];

  /** Whether some channel matches more than one entry: only then can a publish arrive on several subscriptions. */
  readonly selfOverlaps: boolean;

  /**
   * The place in {@link entries} of the first entry that matches the channel, or -1.
   *
   * With one NATS subscription per entry, a publish arrives once for each entry that matches. It is stored once when a
   * message on the subscription of entry `i` is dropped unless `firstMatch(channel) === i`.
   * @see partitioning.md 5
   */
  firstMatch(channel: string): number;

  /** Whether some entry matches the channel. */
  owns(channel: string): boolean;
}

/** A list that can be served, or why it cannot. */
export type ScopeOutcome =
  | { readonly kind: "scope"; readonly scope: ChannelScope }
  /** No entry at all, or one that is no channel name; `message` is what the user is told. */
  | { readonly kind: "no_channel"; readonly message: string }
  | { readonly kind: "invalid_channel"; readonly message: string; readonly entry: string };

/**
 * Reads a channel list in file order. An entry that is listed twice counts once, at its first place.
 * @see partitioning.md 4
 */
export function channelScope(entries: Iterable<string>): ScopeOutcome {
  const list = [...new Set(entries)];
  for (const entry of list) {
    // What NATS cannot carry (a space, a tab) passes as a channel name, and would fail much later.
    if (!isValidChannel(entry, { wildcards: true }) || !isValidSubject(entry)) {
      return { kind: "invalid_channel", message: partitionTexts.invalidChannel(entry), entry };
    }
  }
  if (list.length === 0) return { kind: "no_channel", message: partitionTexts.noConfiguredChannel };
  return { kind: "scope", scope: createScope(list) };
}

function createScope(entries: readonly string[]): ChannelScope {
  const literals = new Map<string, number>();
  const wildcards = createSubjectTree<number>();
  for (const [place, entry] of entries.entries()) {
    if (isLiteralChannel(entry)) literals.set(entry, place);
    else wildcards.insert(entry, place);
  }

  const firstMatch = (channel: string): number => {
    let first = literals.get(channel) ?? -1;
    if (wildcards.count === 0) return first;
    for (const place of wildcards.match(channel)) {
      if (first < 0 || place < first) first = place;
    }
    return first;
  };

  return {
    entries,
    selfOverlaps: entries.some((entry) =>
      literals.has(entry) ? wildcards.hasInterest(entry) : wildcards.reverseMatch(entry).length > 1,
    ),
    firstMatch,
    owns: (channel) => literals.has(channel) || (wildcards.count > 0 && wildcards.hasInterest(channel)),
  };
}
