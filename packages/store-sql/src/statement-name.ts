/**
 * The statements that a store needs, with their parameters and the columns of their rows, in order. A column that is an
 * integer may come in any form of `SqlValue`.
 *
 * | Name | Parameters | Columns |
 * |---|---|---|
 * | lockTable | | | keeps others from adding a first lock row; may be empty |
 * | selectLock | | id, tick | for update |
 * | insertLock | id, tick | |
 * | updateLock | id, tick | | the only row, whoever has it |
 * | guardLock | id | | tick + 1 where the owner is id |
 * | releaseLock | id | | empty owner and tick 0 where the owner is id |
 * | selectServerInfo | | id, proto, version |
 * | insertServerInfo | id, proto, version | |
 * | updateServerInfo | id, proto, version | | row 1 |
 * | insertClient | id, hbinbox, proto | |
 * | deleteClient | id | |
 * | selectClients | | id, hbinbox, proto |
 * | selectHighestChannel | | highest id over all rows, NULL without rows |
 * | selectChannels | | id, name, maxseq, maxmsgs, maxbytes, maxage | not deleted, by id |
 * | selectDeletedChannels | | id, name | marked deleted, by id |
 * | insertChannel | id, name, maxmsgs, maxbytes, maxage | |
 * | updateChannelLimits | maxmsgs, maxbytes, maxage, id | |
 * | updateMaxSequence | maxseq, id | |
 * | markChannelDeleted | id | |
 * | unmarkChannelDeleted | id | |
 * | deleteChannel | id | |
 * | selectMessageTotals | | id, count, lowest seq, highest seq, total size | per channel that has messages |
 * | selectSizesFrom | id, seq, limit | seq, size, timestamp | seq and up, ascending |
 * | selectTotalsOf | id | count, lowest seq, highest seq, total size | NULLs without messages |
 * | selectNewest | id, offset | seq | of the newest but `offset` |
 * | selectMessages | id, from, to, limit | seq, data | ascending |
 * | deleteMessagesTo | id, seq | | up to and with seq |
 * | deleteMessagesFrom | id, seq | | from seq on |
 * | deleteMessagesByAge | id, timestamp | | up to and with timestamp |
 * | upsertSubscription | id, subid, proto | | inserts with lastsent 0, or replaces proto and takes a deletion mark away |
 * | updateLastSent | lastsent, id, subid | |
 * | markSubscriptionDeleted | id, subid | |
 * | deleteSubscription | id, subid | |
 * | deleteMarkedSubscriptions | id, below | | marked ones with subid < below |
 * | deleteSubscriptionsOf | id | | all of a channel |
 * | selectHighestSubscription | | highest subid over all rows, NULL without rows |
 * | selectSubscriptions | | id, subid, lastsent, proto | not deleted, by id and subid |
 * | insertPending | subid, row, seq | |
 * | insertPendingBlock | subid, row, lastsent, pending, acks | | nothing to write: an empty byte array |
 * | deletePendingSequence | subid, seq | |
 * | deletePendingRow | subid, row | |
 * | deletePendingOf | subid | |
 * | deletePendingBelow | subid, seq | | 0 < seq column < seq |
 * | deletePendingOfChannel | id | | of all subscriptions of a channel |
 * | selectPending | subid, subid, row, limit | subid, row, seq, lastsent, pending, acks | behind (subid, row), ascending |
 * | upsertRedelivery | subid, seq, count | |
 * | deleteRedelivery | subid, seq | |
 * | deleteRedeliveriesOf | subid | |
 * | deleteRedeliveriesOfChannel | id | | of all subscriptions of a channel |
 * | selectRedeliveries | | subid, seq, count |
 */
export type StatementName =
  | "lockTable"
  | "selectLock"
  | "insertLock"
  | "updateLock"
  | "guardLock"
  | "releaseLock"
  | "selectServerInfo"
  | "insertServerInfo"
  | "updateServerInfo"
  | "insertClient"
  | "deleteClient"
  | "selectClients"
  | "selectHighestChannel"
  | "selectChannels"
  | "selectDeletedChannels"
  | "insertChannel"
  | "updateChannelLimits"
  | "updateMaxSequence"
  | "markChannelDeleted"
  | "unmarkChannelDeleted"
  | "deleteChannel"
  | "selectMessageTotals"
  | "selectSizesFrom"
  | "selectTotalsOf"
  | "selectNewest"
  | "selectMessages"
  | "deleteMessagesTo"
  | "deleteMessagesFrom"
  | "deleteMessagesByAge"
  | "upsertSubscription"
  | "updateLastSent"
  | "markSubscriptionDeleted"
  | "deleteSubscription"
  | "deleteMarkedSubscriptions"
  | "deleteSubscriptionsOf"
  | "selectHighestSubscription"
  | "selectSubscriptions"
  | "insertPending"
  | "insertPendingBlock"
  | "deletePendingSequence"
  | "deletePendingRow"
  | "deletePendingOf"
  | "deletePendingBelow"
  | "deletePendingOfChannel"
  | "selectPending"
  | "upsertRedelivery"
  | "deleteRedelivery"
  | "deleteRedeliveriesOf"
  | "deleteRedeliveriesOfChannel"
  | "selectRedeliveries";

/** Those that need the table for counts of redeliveries. */
export const REDELIVERY_STATEMENTS: readonly StatementName[] = [
  "upsertRedelivery",
  "deleteRedelivery",
  "deleteRedeliveriesOf",
  "deleteRedeliveriesOfChannel",
  "selectRedeliveries",
];
