import type { StatementName } from "./statement-name.ts";

/** Configured names of the databases. */
export type DriverName = "sqlite" | "postgres" | "mysql";

/** How one database is spoken to. Made from a {@link DialectTraits} by {@link createDialect}, and only data. */
export interface Dialect {
  readonly name: DriverName;
  /** Text of each statement; empty for one that this database has no need of. */
  readonly statements: Readonly<Record<StatementName, string>>;
  /**
   * Inserts that many messages. Five parameters each: channel number, sequence, timestamp, size, data.
   * @param rows at least 1
   */
  insertMessages(rows: number): string;
}

/** Where databases differ. */
export interface DialectTraits {
  readonly name: DriverName;
  /** Placeholder of the `n`-th parameter, from 1. */
  readonly placeholder: (n: number) => string;
  /** The column `row` of SubsPending, which is a reserved word somewhere. */
  readonly row: string;
  readonly isTrue: string;
  readonly isFalse: string;
  /** Behind a SELECT that locks what it reads. */
  readonly forUpdate: string;
  /** A sum as a 64-bit integer. */
  readonly sum: (expression: string) => string;
  /**
   * Behind an INSERT, with a blank in front: what happens when the key is there. `changes` are columns that get the
   * inserted value; `also` is one more assignment, or empty.
   */
  readonly onConflict: (key: readonly string[], changes: readonly string[], also: string) => string;
  /** What is bound for pending and acks when there is nothing to write: an empty byte array, here made what the column gets. */
  readonly emptyBytes: (placeholder: string) => string;
  /** Statements that are written in another way here. */
  readonly overrides?: Partial<Record<StatementName, string>>;
}

/** Writes out all statements. A parameter stands as `?` in the texts here and is numbered where the database wants that. */
export function createDialect(traits: DialectTraits): Dialect {
  const texts = { ...standardStatements(traits), ...traits.overrides };
  const statements = {} as Record<StatementName, string>;
  for (const name of namesOf(texts)) statements[name] = numbered(texts[name], traits.placeholder);
  const inserts = new Map<number, string>();
  return {
    name: traits.name,
    statements,
    insertMessages(rows: number): string {
      let text = inserts.get(rows);
      if (text === undefined) {
        const values = new Array<string>(rows).fill("(?, ?, ?, ?, ?)").join(", ");
        text = numbered(`INSERT INTO Messages (id, seq, timestamp, size, data) VALUES ${values}`, traits.placeholder);
        if (inserts.size < INSERT_TEXTS_MAX) inserts.set(rows, text);
      }
      return text;
    },
  };
}

/** Texts of multi-row inserts that are kept; a driver uses a few sizes only. */
const INSERT_TEXTS_MAX = 64;

function namesOf<Name extends string>(record: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(record) as Name[];
}

function numbered(text: string, placeholder: (n: number) => string): string {
  let n = 0;
  return text.replaceAll("?", () => placeholder(++n));
}

function standardStatements(traits: DialectTraits): Record<StatementName, string> {
  const { row, isTrue, isFalse, forUpdate, sum, onConflict, emptyBytes } = traits;
  return {
    lockTable: "",
    selectLock: `SELECT id, tick FROM StoreLock${forUpdate}`,
    insertLock: "INSERT INTO StoreLock (id, tick) VALUES (?, ?)",
    updateLock: "UPDATE StoreLock SET id = ?, tick = ?",
    guardLock: "UPDATE StoreLock SET tick = tick + 1 WHERE id = ?",
    releaseLock: "UPDATE StoreLock SET id = '', tick = 0 WHERE id = ?",

    selectServerInfo: "SELECT id, proto, version FROM ServerInfo",
    insertServerInfo: "INSERT INTO ServerInfo (id, proto, version) VALUES (?, ?, ?)",
    updateServerInfo: "UPDATE ServerInfo SET id = ?, proto = ?, version = ? WHERE uniquerow = 1",

    insertClient: "INSERT INTO Clients (id, hbinbox, proto) VALUES (?, ?, ?)",
    deleteClient: "DELETE FROM Clients WHERE id = ?",
    selectClients: "SELECT id, hbinbox, proto FROM Clients",

    selectHighestChannel: "SELECT MAX(id) FROM Channels",
    selectChannels: `SELECT id, name, maxseq, maxmsgs, maxbytes, maxage FROM Channels WHERE deleted = ${isFalse} ORDER BY id`,
    selectDeletedChannels: `SELECT id, name FROM Channels WHERE deleted = ${isTrue} ORDER BY id`,
    insertChannel: "INSERT INTO Channels (id, name, maxmsgs, maxbytes, maxage) VALUES (?, ?, ?, ?, ?)",
    updateChannelLimits: "UPDATE Channels SET maxmsgs = ?, maxbytes = ?, maxage = ? WHERE id = ?",
    updateMaxSequence: "UPDATE Channels SET maxseq = ? WHERE id = ?",
    markChannelDeleted: `UPDATE Channels SET deleted = ${isTrue} WHERE id = ?`,
    unmarkChannelDeleted: `UPDATE Channels SET deleted = ${isFalse} WHERE id = ?`,
    deleteChannel: "DELETE FROM Channels WHERE id = ?",

    selectMessageTotals: `SELECT id, COUNT(*), MIN(seq), MAX(seq), ${sum("size")} FROM Messages GROUP BY id`,
    selectSizesFrom: "SELECT seq, size, timestamp FROM Messages WHERE id = ? AND seq >= ? ORDER BY seq LIMIT ?",
    selectTotalsOf: `SELECT COUNT(*), MIN(seq), MAX(seq), ${sum("size")} FROM Messages WHERE id = ?`,
    selectNewest: "SELECT seq FROM Messages WHERE id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
    selectMessages: "SELECT seq, data FROM Messages WHERE id = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
    deleteMessagesTo: "DELETE FROM Messages WHERE id = ? AND seq <= ?",
    deleteMessagesFrom: "DELETE FROM Messages WHERE id = ? AND seq >= ?",
    deleteMessagesByAge: "DELETE FROM Messages WHERE id = ? AND timestamp <= ?",

    upsertSubscription:
      "INSERT INTO Subscriptions (id, subid, lastsent, proto) VALUES (?, ?, 0, ?)" +
      onConflict(["id", "subid"], ["proto"], `deleted = ${isFalse}`),
    updateLastSent: "UPDATE Subscriptions SET lastsent = ? WHERE id = ? AND subid = ?",
    markSubscriptionDeleted: `UPDATE Subscriptions SET deleted = ${isTrue} WHERE id = ? AND subid = ?`,
    deleteSubscription: "DELETE FROM Subscriptions WHERE id = ? AND subid = ?",
    deleteMarkedSubscriptions: `DELETE FROM Subscriptions WHERE id = ? AND subid < ? AND deleted = ${isTrue}`,
    deleteSubscriptionsOf: "DELETE FROM Subscriptions WHERE id = ?",
    selectHighestSubscription: "SELECT MAX(subid) FROM Subscriptions",
    selectSubscriptions: `SELECT id, subid, lastsent, proto FROM Subscriptions WHERE deleted = ${isFalse} ORDER BY id, subid`,

    insertPending: `INSERT INTO SubsPending (subid, ${row}, seq) VALUES (?, ?, ?)`,
    insertPendingBlock: `INSERT INTO SubsPending (subid, ${row}, lastsent, pending, acks) VALUES (?, ?, ?, ${emptyBytes("?")}, ${emptyBytes("?")})`,
    deletePendingSequence: "DELETE FROM SubsPending WHERE subid = ? AND seq = ?",
    deletePendingRow: `DELETE FROM SubsPending WHERE subid = ? AND ${row} = ?`,
    deletePendingOf: "DELETE FROM SubsPending WHERE subid = ?",
    deletePendingBelow: "DELETE FROM SubsPending WHERE subid = ? AND seq > 0 AND seq < ?",
    deletePendingOfChannel:
      "DELETE FROM SubsPending WHERE subid IN (SELECT subid FROM Subscriptions WHERE Subscriptions.id = ?)",
    selectPending:
      `SELECT subid, ${row}, seq, lastsent, pending, acks FROM SubsPending ` +
      `WHERE subid > ? OR (subid = ? AND ${row} > ?) ORDER BY subid, ${row} LIMIT ?`,

    upsertRedelivery: `INSERT INTO StanRedeliveries (subid, seq, count) VALUES (?, ?, ?)${onConflict(["subid", "seq"], ["count"], "")}`,
    deleteRedelivery: "DELETE FROM StanRedeliveries WHERE subid = ? AND seq = ?",
    deleteRedeliveriesOf: "DELETE FROM StanRedeliveries WHERE subid = ?",
    deleteRedeliveriesOfChannel:
      "DELETE FROM StanRedeliveries WHERE subid IN (SELECT subid FROM Subscriptions WHERE Subscriptions.id = ?)",
    selectRedeliveries: "SELECT subid, seq, count FROM StanRedeliveries",
  };
}
