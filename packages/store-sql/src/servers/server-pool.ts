import { type Clock, errorText, type Logger, type Timer } from "@nats-streaming/kernel";
import { DatabaseError, type DatabaseFacts, type PooledSession, type SessionPool } from "../database.ts";
import { executionText, preparationText } from "../execution-text.ts";
import { REDELIVERY_STATEMENTS, type StatementName } from "../statement-name.ts";
import type { ServerConnection, ServerDriver } from "./server-driver.ts";
import { codeOf, createServerSession } from "./server-session.ts";

export interface ServerPoolSetup {
  readonly driver: ServerDriver;
  /** Connections at the same time; 0 or below: {@link CONNECTIONS_MAX_DEFAULT}. */
  readonly maxOpenConns: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** "Unlimited" of the configuration: servers take 100 or 151 connections, and others want some of them. */
export const CONNECTIONS_MAX_DEFAULT: number = 32;

/** Idle connections beyond these are ended after a while: a burst of reads should not hold them for ever. */
const IDLE_KEPT = 2;
const IDLE_MILLIS_MAX = 60_000;

/** Calls that wait for a free connection. Beyond, something is wrong that waiting does not mend. */
const WAITING_MAX = 10_000;

/** Pause between two looks whether a lost session is gone from the server. */
const GONE_POLL_MILLIS = 20;

/** Lost sessions that are remembered until the server is there again. Older ones than these have long been ended. */
const LOST_MAX = 1024;

/**
 * A pool of sessions of a database server. A session that was lost, by a deadline or a network error, may still be at work
 * on the server: it is ended there before `acquire` gives out another one. So whoever looks for what a lost transaction has
 * left sees what will remain.
 */
export function createServerPool(setup: ServerPoolSetup): SessionPool {
  return new ServerPool(setup);
}

interface Waiting {
  readonly resolve: (connection: ServerConnection) => void;
  readonly reject: (error: DatabaseError) => void;
  readonly timer: Timer;
}

class ServerPool implements SessionPool {
  readonly #driver: ServerDriver;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #max: number;
  /** Most recently used last. */
  #idle: ServerConnection[] = [];
  readonly #idleTimers = new Map<ServerConnection, Timer>();
  /** Handed out or being made. */
  #inUse = 0;
  readonly #waiting: Waiting[] = [];
  readonly #lost = new Set<ServerConnection>();
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(setup: ServerPoolSetup) {
    this.#driver = setup.driver;
    this.#clock = setup.clock;
    this.#logger = setup.logger;
    this.#max = setup.maxOpenConns > 0 ? setup.maxOpenConns : CONNECTIONS_MAX_DEFAULT;
  }

  async open(): Promise<DatabaseFacts> {
    await this.#driver.load();
    const connection = await this.#take();
    try {
      const hasRedeliveries = await this.#prepareAll(connection);
      return await this.#driver.inspect(connection, hasRedeliveries);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#giveBack(connection, false);
    }
  }

  async createSchema(statements: readonly string[]): Promise<void> {
    await this.#driver.load();
    const connection = await this.#take();
    try {
      for (const text of statements) await this.#define(connection, text);
    } finally {
      this.#giveBack(connection, false);
    }
  }

  async acquire(): Promise<PooledSession> {
    const connection = await this.#take();
    try {
      await this.#endLostSessions(connection);
    } catch (error) {
      this.#giveBack(connection, true);
      throw this.#failure(error);
    }
    return createServerSession({
      driver: this.#driver,
      connection,
      release: (isUnclear) => this.#giveBack(connection, isUnclear),
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** @returns whether the table for counts of redeliveries is there */
  async #prepareAll(connection: ServerConnection): Promise<boolean> {
    const { dialect } = this.#driver;
    for (const [name, text] of Object.entries(dialect.statements)) {
      if (text !== "" && !isRedelivery(name)) await this.#prepare(connection, text);
    }
    await this.#prepare(connection, dialect.insertMessages(1));
    for (const name of REDELIVERY_STATEMENTS) {
      const text = dialect.statements[name];
      try {
        await connection.prepare(text);
      } catch (error) {
        if (this.#driver.classify(error) === "missing_table") return false;
        throw new DatabaseError("schema_missing", preparationText(text, error), { cause: error });
      }
    }
    return true;
  }

  async #define(connection: ServerConnection, text: string): Promise<void> {
    try {
      await connection.define(text);
    } catch (error) {
      const code = codeOf(this.#driver.classify(error));
      throw new DatabaseError(code, executionText(text, error), { cause: error });
    }
  }

  async #prepare(connection: ServerConnection, text: string): Promise<void> {
    try {
      await connection.prepare(text);
    } catch (error) {
      const code = codeOf(this.#driver.classify(error)) === "connection_lost" ? "connection_lost" : "schema_missing";
      throw new DatabaseError(code, preparationText(text, error), { cause: error });
    }
  }

  #failure(error: unknown): DatabaseError {
    if (error instanceof DatabaseError) return error;
    return new DatabaseError(codeOf(this.#driver.classify(error)), errorText(error), { cause: error });
  }

  /** An idle connection, a new one, or the next that is given back. */
  async #take(): Promise<ServerConnection> {
    for (;;) {
      if (this.#closing !== undefined) throw closed();
      const idle = this.#takeIdle();
      if (idle !== undefined) return idle;
      if (this.#inUse >= this.#max) return this.#wait();
      this.#inUse++;
      try {
        const connection = await this.#driver.connect();
        if (this.#closing === undefined) return connection;
        connection.destroy();
        throw closed();
      } catch (error) {
        this.#left();
        if (this.#driver.classify(error) !== "too_many_clients") throw this.#failure(error);
        // The server has as many as it wants: then those that we have must do. One may have come back meanwhile.
        if (this.#idle.length > 0) continue;
        if (this.#inUse > 0) return this.#wait();
        throw this.#failure(error);
      }
    }
  }

  #takeIdle(): ServerConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      this.#stopIdling(idle);
      if (idle.isUsable) {
        this.#inUse++;
        return idle;
      }
      this.#bury(idle);
    }
    return undefined;
  }

  #wait(): Promise<ServerConnection> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(
        new DatabaseError("connection_lost", "too many calls wait for a connection of the database"),
      );
    }
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#driver.patienceMillis, () => {
        const at = this.#waiting.findIndex((waiting) => waiting.timer === timer);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(new DatabaseError("connection_lost", `all ${this.#max} connections of the database are in use`));
      });
      this.#waiting.push({ resolve, reject, timer });
    });
  }

  /** @param isUnclear the connection is broken or in the middle of something */
  #giveBack(connection: ServerConnection, isUnclear: boolean): void {
    if (isUnclear || !connection.isUsable) {
      this.#bury(connection);
    } else {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        next.timer.cancel();
        next.resolve(connection);
        return;
      }
      if (this.#closing === undefined) this.#beginIdling(connection);
      else {
        void connection.end().then(() => this.#left());
        return;
      }
    }
    this.#left();
  }

  /** One connection less is in use. */
  #left(): void {
    this.#inUse--;
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.timer.cancel();
      this.#take().then(next.resolve, next.reject);
    }
    if (this.#inUse === 0) this.#drained?.();
  }

  #bury(connection: ServerConnection): void {
    connection.destroy();
    if (this.#lost.size >= LOST_MAX) {
      for (const oldest of this.#lost) {
        this.#lost.delete(oldest);
        break;
      }
    }
    this.#lost.add(connection);
  }

  async #endLostSessions(connection: ServerConnection): Promise<void> {
    const deadline = this.#clock.monotonicMillis() + this.#driver.patienceMillis;
    for (const lost of [...this.#lost]) {
      while (!(await this.#driver.endOnServer(connection, lost))) {
        if (this.#clock.monotonicMillis() >= deadline) {
          throw new DatabaseError("connection_lost", "a lost session of the database does not end");
        }
        await new Promise<void>((resolve) => this.#clock.setTimer(GONE_POLL_MILLIS, resolve));
      }
      this.#lost.delete(lost);
    }
  }

  #beginIdling(connection: ServerConnection): void {
    this.#idle.push(connection);
    if (this.#idle.length <= IDLE_KEPT) return;
    const timer = this.#clock.setTimer(IDLE_MILLIS_MAX, () => {
      this.#idleTimers.delete(connection);
      this.#idle = this.#idle.filter((other) => other !== connection);
      void connection.end();
    });
    this.#idleTimers.set(connection, timer);
  }

  #stopIdling(connection: ServerConnection): void {
    this.#idleTimers.get(connection)?.cancel();
    this.#idleTimers.delete(connection);
  }

  async #close(): Promise<void> {
    for (const { timer, reject } of this.#waiting.splice(0)) {
      timer.cancel();
      reject(closed());
    }
    for (const timer of this.#idleTimers.values()) timer.cancel();
    this.#idleTimers.clear();
    const idle = this.#idle;
    this.#idle = [];
    await Promise.all(idle.map((connection) => connection.end()));
    if (this.#inUse > 0) {
      // Each call has deadlines of its own.
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    if (this.#lost.size > 0) this.#logger.debug(`${this.#lost.size} sessions of the database were lost`);
  }
}

function isRedelivery(name: string): boolean {
  return REDELIVERY_STATEMENTS.some((redelivery: StatementName) => redelivery === name);
}

function closed(): DatabaseError {
  return new DatabaseError("closed", "sql: database is closed");
}
