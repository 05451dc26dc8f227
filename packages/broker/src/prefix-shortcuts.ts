import { localReceivers, type Receivers } from "./receivers.ts";
import { bytesOfKey } from "./subject-key.ts";
import type { Subscription } from "./subscription.ts";

/*
 * A local bus that listens on `_STAN.pub.test-cluster.>` hears every subject below that prefix; with a million channels,
 * no cache of subjects holds them all. As long as nobody else's subscription overlaps the pattern, all those subjects have
 * the same one receiver, and comparing the prefix finds it.
 *
 * What it buys: a million different subjects cost what one costs. It gives way by itself: each shortcut counts the
 * subscriptions that overlap its pattern, and with any of them (`>`, `_STAN.>`) the subject tree decides.
 */

const DOT = 0x2e;
const STAR_END = ".*";
const FULL_END = ".>";

/** Patterns that can have a shortcut at a time: each costs one comparison per message that is not a repetition. */
export const SHORTCUTS_MAX = 16;

/** One pattern `prefix.>` or `prefix.*` with a literal prefix. */
export class PrefixShortcut {
  readonly pattern: string;
  /** Its own subscriptions: of local buses, without a queue. */
  readonly own: Subscription[] = [];
  /** How many other subscriptions overlap the pattern. */
  others = 0;
  receivers: Receivers = localReceivers([]);
  /** The prefix with the dot behind it. */
  readonly #prefix: Uint8Array;
  readonly #prefixView: DataView;
  readonly #deep: boolean;

  constructor(pattern: string) {
    this.pattern = pattern;
    this.#prefix = bytesOfKey(pattern.slice(0, -1));
    this.#prefixView = new DataView(this.#prefix.buffer);
    this.#deep = pattern.endsWith(FULL_END);
  }

  add(subscription: Subscription): void {
    this.own.push(subscription);
    this.receivers = localReceivers([...this.own]);
  }

  remove(subscription: Subscription): void {
    const place = this.own.indexOf(subscription);
    if (place >= 0) this.own.splice(place, 1);
    this.receivers = localReceivers([...this.own]);
  }

  /** Whether the subject `bytes[start, end)` is one of the pattern's, and the answer is to be had here. */
  covers(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    const prefix = this.#prefix;
    const length = prefix.length;
    if (this.others > 0 || end - start <= length) return false;
    const prefixView = this.#prefixView;
    let i = 0;
    for (const wide = length - 3; i < wide; i += 4) {
      if (prefixView.getInt32(i, true) !== view.getInt32(start + i, true)) return false;
    }
    for (; i < length; i++) if (prefix[i] !== bytes[start + i]) return false;
    // The rest must be tokens none of which is empty: one, or for `>` any number.
    let previous = DOT;
    for (let at = start + length; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === DOT && (previous === DOT || !this.#deep)) return false;
      previous = byte;
    }
    return previous !== DOT;
  }
}

/** Whether a pattern is of the form that {@link PrefixShortcut} knows. */
export function canHaveShortcut(pattern: string): boolean {
  if (!pattern.endsWith(FULL_END) && !pattern.endsWith(STAR_END)) return false;
  const tokens = pattern.slice(0, -2).split(".");
  return tokens.every((token) => token !== "*" && token !== ">" && token !== "");
}
