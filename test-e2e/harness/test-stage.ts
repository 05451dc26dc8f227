import { afterAll, afterEach, onTestFailed, onTestFinished, type TestContext } from "vitest";
import { manualStage, type Stage } from "./stage.ts";

/** A stage that ends with the running test. Among tests that run at the same time, `context` says which one that is. */
export function testStage(
  context: Pick<TestContext, "onTestFailed" | "onTestFinished"> = { onTestFailed, onTestFinished },
): Stage {
  const stack = manualStage();
  context.onTestFailed(() => stack.report());
  context.onTestFinished(() => stack.close());
  return stack;
}

/** A stage that several tests share. */
export interface SuiteStage extends Stage {
  /** Puts something up when the first test asks for it, for all tests of the suite. */
  once<T>(start: () => Promise<T>): () => Promise<T>;
}

/** A stage that ends with the surrounding `describe`. Called while the suite is being defined. */
export function suiteStage(): SuiteStage {
  const stack = manualStage();
  afterEach((context) => {
    if (context.task.result?.state === "fail") stack.report();
  });
  afterAll(() => stack.close());
  return {
    ...stack,
    once<T>(start: () => Promise<T>): () => Promise<T> {
      let started: Promise<T> | undefined;
      return () => {
        started ??= start();
        return started;
      };
    },
  };
}
