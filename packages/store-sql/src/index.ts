export { createSqlSchema, type SchemaSetup } from "./create-schema.ts";
export {
  type Database,
  DatabaseError,
  type DatabaseErrorCode,
  type DatabaseErrorOptions,
  type DatabaseFacts,
  type MessageBlock,
  type MessageColumns,
  type MessageRequest,
  type Operation,
  type Session,
  type SqlParam,
  type SqlRow,
  type SqlValue,
  type Statement,
  type WriteBatch,
} from "./database.ts";
export type { DriverName } from "./dialect.ts";
export { defaultSqlStoreOptions, type SqlStoreOptions } from "./options.ts";
export { sqlSchema } from "./schema.ts";
export { CACHE_BYTES_DEFAULT, createSqlStore, type SqlStore, type SqlStoreSetup } from "./sql-store.ts";
export type { StatementName } from "./statement-name.ts";
