import { type Clock, nextTurn } from "./clock.ts";

/** Runs what is done in steps to its end, at once. */
export function runSteps<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Runs what is done in steps to its end, each step in a turn of its own. What a step throws rejects. */
export async function runStepsInTurns<T>(steps: Generator<void, T>, clock: Clock): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await nextTurn(clock);
  }
}
