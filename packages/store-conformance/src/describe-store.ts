import { describe } from "vitest";
import { ageRows } from "./age-rows.ts";
import { limitsRows } from "./limits-rows.ts";
import { messageRows } from "./message-rows.ts";
import { openingRows } from "./opening-rows.ts";
import { redeliveryRows } from "./redelivery-rows.ts";
import { refusedFlushRows } from "./refused-flush-rows.ts";
import { rowsOf } from "./row.ts";
import { storeLimitRows } from "./store-limit-rows.ts";
import { storeRows } from "./store-rows.ts";
import type { StoreUnderTest } from "./store-under-test.ts";
import { subscriptionRows } from "./subscription-rows.ts";
import { timestampRows } from "./timestamp-rows.ts";

/**
 * Registers the contract of a store as a vitest suite: the requirement tables of store-interface.md 10, each row under its
 * number, and what the interface says beyond them. To be called at the top level of a test file.
 * @throws when the declaration contradicts itself
 * @see store-interface.md 10
 */
export function describeStore(subject: StoreUnderTest): void {
  const { recoverable, exclusiveLock } = subject.capabilities;
  if ((recoverable || exclusiveLock) && subject.reopen === undefined) {
    throw new Error(`${subject.name}: a store that is recoverable or has an exclusive lock needs "reopen"`);
  }
  const rows = rowsOf(subject);
  describe(subject.name, () => {
    storeRows(rows);
    openingRows(rows);
    messageRows(rows);
    timestampRows(rows);
    ageRows(rows);
    subscriptionRows(rows);
    redeliveryRows(rows);
    limitsRows(rows);
    storeLimitRows(rows);
    refusedFlushRows(rows);
  });
}
