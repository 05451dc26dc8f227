import { describe, expect, it } from "vitest";
import { runSteps, runStepsInTurns } from "./steps.ts";
import { FakeClock } from "./testing/fake-clock.ts";

function* threeSteps(done: string[]): Generator<void, string> {
  done.push("one");
  yield;
  done.push("two");
  yield;
  done.push("three");
  return "end";
}

describe("runSteps()", () => {
  it("does every step and gives back what the last one returns", () => {
    const done: string[] = [];
    expect(runSteps(threeSteps(done))).toBe("end");
    expect(done).toEqual(["one", "two", "three"]);
  });
});

describe("runStepsInTurns()", () => {
  it("does one step in a turn", async () => {
    const clock = new FakeClock();
    const done: string[] = [];
    const running = runStepsInTurns(threeSteps(done), clock);
    expect(done).toEqual(["one"]);
    clock.runDeferred();
    await Promise.resolve();
    expect(done).toEqual(["one", "two"]);
    await clock.settle();
    expect(done).toEqual(["one", "two", "three"]);
    expect(await running).toBe("end");
  });

  it("rejects with what a step throws", async () => {
    function* failing(): Generator<void, never> {
      yield;
      throw new Error("on purpose");
    }
    const clock = new FakeClock();
    const running = expect(runStepsInTurns(failing(), clock)).rejects.toThrow("on purpose");
    await clock.settle();
    await running;
  });
});
