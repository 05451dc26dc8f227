import { createDialect, type Dialect } from "../dialect.ts";

export const sqliteDialect: Dialect = createDialect({
  name: "sqlite",
  placeholder: () => "?",
  row: '"row"',
  isTrue: "1",
  isFalse: "0",
  // A transaction that writes has the whole database.
  forUpdate: "",
  sum: (expression) => `SUM(${expression})`,
  onConflict: (key, changes, also) => {
    const assignments = changes.map((column) => `${column} = excluded.${column}`);
    if (also !== "") assignments.push(also);
    return ` ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${assignments.join(", ")}`;
  },
  emptyBytes: (placeholder) => `NULLIF(${placeholder}, x'')`,
});
