import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { startPostgres } from "../../packages/store-sql/test-support/servers/postgres-server.ts";
import type { Child } from "./child.ts";
import { type Monitor, monitorAt } from "./monitor.ts";
import type { Network } from "./networks.ts";
import { type Stage, tempDir } from "./stage.ts";
import { READY, runServer, serverIdOf } from "./streaming-server.ts";

export const GROUP = "pair";
export const FT_SUBJECT: string = `_STAN.ft.test-cluster.${GROUP}`;
export const STANDBY = "STREAM: Starting in standby mode";
export const ACTIVE = "STREAM: Server is active";
export const LOST_LOCK = "[FTL] STREAM: lost store lock, aborting";

/** A lock that nobody renews is looked at for 4.5 s before it is taken, a busy machine and the recovery on top. */
export const TAKEOVER_MILLIS = 30_000;

/** A member of a fault tolerance group on its way: whether it becomes active is up to the others. */
export interface Member {
  readonly child: Child;
  readonly monitor: Monitor;
  readonly serverId: string;
}

export interface MemberOptions {
  /** Text of a configuration file, or the path of one. */
  readonly config?: string | { readonly path: string };
  /** Further flags. */
  readonly args?: readonly string[];
}

/** Starts a member and waits until it stands by. @param storeArgs flags of the store that the group shares */
export async function startMember(
  network: Network,
  storeArgs: readonly string[],
  more: MemberOptions = {},
): Promise<Member> {
  const monitorPort = String(await freePort());
  const args = [...storeArgs, "-ft_group", GROUP, "-m", monitorPort, ...(more.args ?? [])];
  const child = await network.launchServer({ ...more, args });
  await child.line(STANDBY);
  return { child, monitor: monitorAt(Number(monitorPort)), serverId: serverIdOf(child.lines) };
}

/** Starts a member and waits until it serves; then another one, which stands by. */
export async function startPair(
  network: Network,
  storeArgs: readonly string[],
  more: MemberOptions = {},
): Promise<{ readonly active: Member; readonly standby: Member }> {
  const active = await startMember(network, storeArgs, more);
  await active.child.line(READY);
  return { active, standby: await startMember(network, storeArgs, more) };
}

/** `FT_ACTIVE` or `FT_STANDBY`, as monitoring says. */
export async function roleOf({ monitor }: Member): Promise<string> {
  return String((await monitor.get("serverz"))["state"]);
}

/** A store that several servers can share by a lock in its database. */
export interface SharedSqlStore {
  readonly name: string;
  /** Whether its tests are to be left out on this machine. */
  readonly isLeftOut: boolean;
  /** Makes an empty one. @returns the flags of a server on it */
  open(stage: Stage): Promise<readonly string[]>;
}

export const SHARED_SQL_STORES: readonly SharedSqlStore[] = [
  {
    name: "PostgreSQL",
    isLeftOut: process.env["LEAVE_OUT_POSTGRES"] === "1",
    async open(stage) {
      const database = await startPostgres({ durable: true });
      stage.defer(() => database.close());
      stage.onFailure(() => database.log);
      await database.createDatabase("stan", "");
      const flags = ["-store", "sql", "-sql_driver", "postgres", "-sql_source", database.source("stan")];
      const created = await runServer(stage, [...flags, "-sql_create_schema"]);
      if (created.code !== 0) throw new Error(`the schema was not created: ${created.stderr}`);
      return flags;
    },
  },
  {
    name: "SQLite",
    isLeftOut: false,
    async open(stage) {
      return ["-store", "sql", "-sql_driver", "sqlite", "-sql_source", join(await tempDir(stage), "stan.db")];
    },
  },
];

/** What a pause may meet: SQLite's own file lock is kept by a process that stands still inside a transaction. */
const PAUSES_MAX = 5;
/** Far more than a takeover takes once nothing is in its way. */
const PAUSE_MILLIS = 15_000;

/**
 * Stops the active's process with SIGSTOP until the standby has taken the lock from it and serves. A pause that happens to
 * meet a transaction, whose lock nobody can take, is repeated.
 */
export async function pauseUntilReplaced(active: Member, standby: Member): Promise<void> {
  for (let pause = 1; ; pause++) {
    active.child.signal("SIGSTOP");
    try {
      await standby.child.line(READY, PAUSE_MILLIS);
      return;
    } catch (error) {
      active.child.signal("SIGCONT");
      if (pause === PAUSES_MAX) throw error;
      await active.monitor.get("serverz");
    }
  }
}
