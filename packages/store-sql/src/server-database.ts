import type {
  Database,
  DatabaseFacts,
  MessageBlock,
  MessageRequest,
  PooledSession,
  Session,
  SessionPool,
  SqlParam,
  SqlRow,
  WriteBatch,
} from "./database.ts";
import { DatabaseError } from "./database.ts";
import { bytesOf, numberOf } from "./sql-values.ts";
import type { StatementName } from "./statement-name.ts";

/** A {@link Database} over the connections of a database server: what PostgreSQL and MySQL have in common. */
export function createServerDatabase(pool: SessionPool): Database {
  return new PooledDatabase(pool);
}

class PooledDatabase implements Database {
  readonly #pool: SessionPool;

  constructor(pool: SessionPool) {
    this.#pool = pool;
  }

  open(): Promise<DatabaseFacts> {
    return this.#pool.open();
  }

  createSchema(statements: readonly string[]): Promise<void> {
    return this.#pool.createSchema(statements);
  }

  query(statement: StatementName, params: readonly SqlParam[]): Promise<SqlRow[]> {
    return this.#with((session) => session.query(statement, params));
  }

  transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#with((session) => inTransaction(session, () => work(session)));
  }

  write(batch: WriteBatch): Promise<void> {
    return this.#with((session) => (batch.oneByOne ? writeOneByOne(session, batch) : writeAtOnce(session, batch)));
  }

  /** Two reads: how large the messages are, and then as many as may be brought. */
  readMessages(request: MessageRequest): Promise<MessageBlock> {
    return this.#with(async (session) => {
      const sizes = await session.query("selectSizesFrom", [request.channel, request.from, request.count]);
      let to = 0;
      let bytes = 0;
      for (const [sequence, size] of sizes) {
        const at = numberOf(sequence);
        bytes += numberOf(size);
        if (at > request.to || (to > 0 && bytes > request.bytes)) break;
        to = at;
      }
      if (to === 0) return blockOf([]);
      return blockOf(await session.query("selectMessages", [request.channel, request.from, to, request.count]));
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #with<T>(work: (session: PooledSession) => Promise<T>): Promise<T> {
    const session = await this.#pool.acquire();
    try {
      return await work(session);
    } finally {
      session.release();
    }
  }
}

async function inTransaction<T>(session: PooledSession, work: () => Promise<T>): Promise<T> {
  await session.begin();
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // A connection that cannot even do this is ended by its release, and the server rolls back.
    await session.rollback().catch(() => {});
    throw error;
  }
  await session.commit();
  return result;
}

async function writeAtOnce(session: PooledSession, batch: WriteBatch): Promise<void> {
  await inTransaction(session, async () => {
    await guard(session, batch.guard);
    for (const operation of batch.before) await runAll(session, operation);
    if (batch.messages.count > 0) await session.insertMessages(batch.messages, 0, batch.messages.count);
    for (const operation of batch.after) await runAll(session, operation);
  });
}

async function writeOneByOne(session: PooledSession, batch: WriteBatch): Promise<void> {
  const alone = (work: () => Promise<void>): Promise<void> =>
    inTransaction(session, async () => {
      await guard(session, batch.guard);
      await work();
    });
  for (const operation of batch.before) await alone(() => runAll(session, operation));
  for (let i = 0; i < batch.messages.count; i++) await alone(() => session.insertMessages(batch.messages, i, i + 1));
  for (const operation of batch.after) await alone(() => runAll(session, operation));
}

async function runAll(session: Session, operation: WriteBatch["before"][number]): Promise<void> {
  for (const { name, params } of operation) await session.run(name, params);
}

/** @throws DatabaseError `lock_lost` */
async function guard(session: Session, owner: string): Promise<void> {
  if (owner !== "" && (await session.run("guardLock", [owner])) === 0) throw lockLost();
}

/** The exclusive lock is another's: nothing may be written or acknowledged any more. @see sql-store.md 9 */
export function lockLost(): DatabaseError {
  return new DatabaseError("lock_lost", "lost store lock, aborting");
}

/** Rows of `seq, data` as one block. */
export function blockOf(rows: readonly SqlRow[]): MessageBlock {
  const count = rows.length;
  const sequences = new Float64Array(count);
  const starts = new Uint32Array(count + 1);
  const parts = rows.map((row) => bytesOf(row[1]));
  for (let i = 0; i < count; i++) {
    sequences[i] = numberOf(rows[i]![0]);
    starts[i + 1] = starts[i]! + parts[i]!.length;
  }
  const bytes = new Uint8Array(starts[count]!);
  for (let i = 0; i < count; i++) bytes.set(parts[i]!, starts[i]);
  return { count, sequences, starts, bytes };
}
