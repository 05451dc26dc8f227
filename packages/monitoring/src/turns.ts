import { type Clock, nextTurn } from "@nats-streaming/kernel";

/**
 * Work of one turn of the event loop, in units: a unit is a list element that is read, or 256 characters that are printed,
 * some microseconds each. It holds where the clock does not: a stalled clock must not stall the server.
 */
export const TURN_UNITS_MAX: number = 512;
/** Work of one turn in milliseconds: whatever a unit costs on this machine now, a publish waits for no more. */
const TURN_MILLIS_MAX = 2;
/** Characters of a unit. */
const UNIT_CHARACTERS = 256;

/** Divides long work into short turns, by the work done and by the clock. One for each answer. */
export interface Turns {
  /** Counts units; true when the present turn has done enough and should end with {@link next}. */
  isOver(units?: number): boolean;
  /** Settles in a later turn, after everything that has come in meanwhile. */
  next(): Promise<void>;
}

export function createTurns(clock: Clock): Turns {
  let units = 0;
  let endsAt = clock.monotonicMillis() + TURN_MILLIS_MAX;
  return {
    isOver(more = 1): boolean {
      units += more;
      return units >= TURN_UNITS_MAX || clock.monotonicMillis() >= endsAt;
    },
    async next(): Promise<void> {
      await nextTurn(clock);
      units = 0;
      endsAt = clock.monotonicMillis() + TURN_MILLIS_MAX;
    },
  };
}

/** Units of printing one element. */
export function unitsOfText(text: string): number {
  return 1 + Math.floor(text.length / UNIT_CHARACTERS);
}

/** Units of one step of what is done in steps: some hundred items each. */
const STEP_UNITS = 128;

/** Runs steps to their end, with turns in between. */
export async function inTurns<T>(steps: Generator<void, T>, turns: Turns): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (turns.isOver(STEP_UNITS)) await turns.next();
  }
}
