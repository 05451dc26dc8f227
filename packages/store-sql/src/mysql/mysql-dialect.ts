import { createDialect, type Dialect } from "../dialect.ts";

/** Statements in the words of MySQL and MariaDB. @see sql-store.md 10 */
export const mysqlDialect: Dialect = createDialect({
  name: "mysql",
  placeholder: () => "?",
  // A reserved word since window functions exist.
  row: "`row`",
  isTrue: "TRUE",
  isFalse: "FALSE",
  // On an empty table it locks the gap, so that of two servers that both insert a first lock row one fails.
  forUpdate: " FOR UPDATE",
  sum: (expression) => `CAST(COALESCE(SUM(${expression}), 0) AS SIGNED)`,
  onConflict: (_key, changes, also) => {
    // VALUES() is understood by every version of both; its successor by MySQL alone.
    const assignments = changes.map((column) => `${column} = VALUES(${column})`);
    if (also !== "") assignments.push(also);
    return ` ON DUPLICATE KEY UPDATE ${assignments.join(", ")}`;
  },
  // The original writes NULL when there is nothing to write.
  emptyBytes: (placeholder) => `NULLIF(${placeholder}, '')`,
});
