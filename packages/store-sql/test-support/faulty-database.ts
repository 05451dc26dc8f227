import { type Database, DatabaseError, type DatabaseErrorCode } from "../src/database.ts";

/** A database whose writes can be made to fail. */
export interface FaultyDatabase extends Database {
  /** The next write fails, without anything having been written. */
  failNextWrite(code: DatabaseErrorCode, text?: string): void;
  /** The next write takes place, but its answer gets lost. */
  loseNextAnswer(): void;
  /** Nothing that was asked for and did not come yet will fail any more. */
  calm(): void;
  /** Every call fails with `connection_lost` while it is set. */
  isGone: boolean;
  /** Settles when everything that it has been asked is answered. */
  answered(): Promise<void>;
  /** How many batches were written, or should have been. */
  readonly writes: number;
}

export function faultyDatabase(database: Database): FaultyDatabase {
  let failure: DatabaseError | undefined;
  let isAnswerLost = false;
  let writes = 0;
  let isGone = false;
  const underWay = new Set<Promise<unknown>>();
  const awaited = <T>(answer: Promise<T>): Promise<T> => {
    underWay.add(answer);
    const over = (): boolean => underWay.delete(answer);
    answer.then(over, over);
    return answer;
  };
  const gone = (): Promise<never> => Promise.reject(new DatabaseError("connection_lost", "connection refused"));
  return {
    get isGone(): boolean {
      return isGone;
    },
    set isGone(value: boolean) {
      isGone = value;
    },
    get writes(): number {
      return writes;
    },
    failNextWrite(code, text = "disk full"): void {
      failure = new DatabaseError(code, text);
    },
    loseNextAnswer(): void {
      isAnswerLost = true;
    },
    calm(): void {
      failure = undefined;
      isAnswerLost = false;
    },
    open: () => (isGone ? gone() : database.open()),
    async answered(): Promise<void> {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    createSchema: (statements) => database.createSchema(statements),
    query: (statement, params) => (isGone ? gone() : awaited(database.query(statement, params))),
    transaction: (work) => (isGone ? gone() : awaited(database.transaction(work))),
    readMessages: (request) => (isGone ? gone() : awaited(database.readMessages(request))),
    async write(batch) {
      writes++;
      if (isGone) return gone();
      const error = failure;
      failure = undefined;
      if (error !== undefined) throw error;
      await awaited(database.write(batch));
      if (!isAnswerLost) return;
      isAnswerLost = false;
      throw new DatabaseError("connection_lost", "connection reset", { isOutcomeUnknown: true });
    },
    close: () => database.close(),
  };
}

/** @returns the list of a place's databases, in the order in which they were opened */
export function databasesByPlace(): (place: string) => FaultyDatabase[] {
  const lists = new Map<string, FaultyDatabase[]>();
  return (place) => {
    const known = lists.get(place) ?? [];
    lists.set(place, known);
    return known;
  };
}
