import type { Store } from "@nats-streaming/store";
import { expect, it } from "vitest";
import { type Reopened, type Scene, setScene } from "./scene.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** Registers the tests of one store. */
export interface Rows {
  readonly subject: StoreUnderTest;
  /** A row that holds for every store. */
  row(title: string, body: (scene: Scene) => Promise<void>): void;
  /**
   * A row about what is recovered. `before` works on a fresh store, `after` on the one opened again. For a store that
   * does not persist, the title says so, and what is checked is that the same work is done and `recover` gives nothing.
   */
  recovery<T>(
    title: string,
    before: (scene: Scene, store: Store) => Promise<T>,
    after: (scene: Scene, reopened: Reopened, context: T, former: Store) => Promise<void>,
  ): void;
  /** A row that cannot be run for this store: the reason is printed with the suite and is part of the report. */
  omit(title: string, reason: string): void;
}

export function rowsOf(subject: StoreUnderTest): Rows {
  const row = (title: string, body: (scene: Scene) => Promise<void>): void => {
    it(title, () => body(setScene(subject)));
  };
  return {
    subject,
    row,
    recovery(title, before, after): void {
      if (subject.capabilities.recoverable) {
        row(title, async (scene) => {
          const store = await scene.open();
          const context = await before(scene, store);
          await after(scene, await scene.reopen(store), context, store);
        });
        return;
      }
      row(`${title} (adapted: this store does not persist, so nothing is recovered)`, async (scene) => {
        const store = await scene.open();
        await before(scene, store);
        expect(await store.recover()).toBeUndefined();
      });
    },
    omit(title, reason): void {
      console.info(`${subject.name}: "${title}" is not run: ${reason}`);
      it(title, (context) => context.skip(reason));
    },
  };
}
