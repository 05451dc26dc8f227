import type { Database, Statement } from "./database.ts";
import type { FlushQueue } from "./flush/flush-queue.ts";
import { NO_MESSAGES } from "./messages/pack-messages.ts";
import { numberOf } from "./sql-values.ts";

/** Messages that are deleted at once: a moment's work, and batches are written in between. */
const MESSAGES_PER_ROUND = 1000;

export interface PurgeOptions {
  /** Channel number; its row is marked deleted, and nobody writes for it any more. */
  readonly id: number;
  readonly database: Database;
  readonly queue: FlushQueue;
  readonly hasRedeliveries: boolean;
  readonly guard: () => string;
}

/** Deletes all rows of a channel, its own as the last one. @see sql-store.md 6 "deleteChannel" */
export async function purgeChannel(options: PurgeOptions): Promise<void> {
  const { id, database } = options;
  // Of pending sequences first: their rows are found by the rows of the subscriptions.
  await run(options, [{ name: "deletePendingOfChannel", params: [id] }]);
  if (options.hasRedeliveries) await run(options, [{ name: "deleteRedeliveriesOfChannel", params: [id] }]);
  for (;;) {
    const rows = await database.query("selectSizesFrom", [id, 0, MESSAGES_PER_ROUND]);
    const last = rows[rows.length - 1];
    if (last === undefined) break;
    await run(options, [{ name: "deleteMessagesTo", params: [id, numberOf(last[0])] }]);
  }
  await run(options, [
    { name: "deleteSubscriptionsOf", params: [id] },
    { name: "deleteChannel", params: [id] },
  ]);
}

function run({ queue, database, guard }: PurgeOptions, operation: readonly Statement[]): Promise<void> {
  return queue.exclusively(async () => {
    await database.write({ guard: guard(), before: [operation], messages: NO_MESSAGES, after: [], oneByOne: false });
  });
}
