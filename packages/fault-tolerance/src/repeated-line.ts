/** Least time between two lines of one kind; doubles from line to line while the text stays the same. */
const WAIT_MILLIS_MIN = 1_000;

/** Most time between two lines of one kind while there is something to say. */
const WAIT_MILLIS_MAX = 60_000;

/** After so long without a reason to say anything, the next line is a first one again. */
const FORGET_MILLIS = 180_000;

/** Lets a log line that wants to be repeated pass now and then. @see fault-tolerance.md 4 */
export interface RepeatedLine {
  /**
   * Whether `text` is to be logged now. The first line passes; the same text again after 1 s, 2 s, 4 s, … 60 s; another
   * text as soon as a second has passed since the last line. Afresh after three minutes without a call.
   * @param now milliseconds on a clock that never goes back
   */
  admits(text: string, now: number): boolean;
}

export function repeatedLine(): RepeatedLine {
  let last: { readonly text: string; readonly at: number } | undefined;
  let askedAt = 0;
  let wait = WAIT_MILLIS_MIN;

  return {
    admits(text, now): boolean {
      if (now - askedAt > FORGET_MILLIS) last = undefined;
      askedAt = now;
      const isRepeat = last?.text === text;
      const due = last === undefined ? now : last.at + (isRepeat ? wait : WAIT_MILLIS_MIN);
      if (now < due) return false;
      wait = isRepeat ? Math.min(wait * 2, WAIT_MILLIS_MAX) : WAIT_MILLIS_MIN;
      last = { text, at: now };
      return true;
    },
  };
}
