import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@nats-streaming/kernel/testing";
import { TLS_CERTIFICATE, TLS_KEY } from "./tls.ts";

/** A database server of one test file: private folder, private port, ended with the tests. */
export interface DatabaseServer {
  /** TCP port on 127.0.0.1; the same after a restart. */
  readonly port: number;
  /** Folder of the private unix socket. */
  readonly socketFolder: string;
  /** File of the certificate that its TLS has, which is also that of the authority: for `localhost`. */
  readonly certificate: string;
  /** Everything the program has written, for the text of a failure. */
  readonly log: string;
  /** Ends the program and its helpers with SIGKILL, as a power cut does. The data stay. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; settles when it takes connections. */
  start(): Promise<void>;
  /** Stops program and helpers with SIGSTOP: connections stay open and nobody answers. */
  pause(): void;
  /** Ends {@link pause}. */
  resume(): void;
  /** Ends it for good and clears away its files. */
  close(): Promise<void>;
}

/** What tests need of a server beyond its process, whatever its kind. */
export interface SqlServer extends DatabaseServer {
  /** Name and password of its administrator. The password has characters that a careless parser would trip over. */
  readonly user: string;
  readonly password: string;
  /** A data source that names a database of this server, with further parameters such as `readTimeout`. */
  source(database: string, params?: Readonly<Record<string, string>>): string;
  /** Makes a database and executes the statements of `schema` in it. */
  createDatabase(database: string, schema: string): Promise<void>;
  dropDatabase(database: string): Promise<void>;
  /** Executes one statement apart from the store. Rows as arrays; integers of 64 bit as text, bytes as buffers. */
  query(database: string, text: string, values?: readonly unknown[]): Promise<readonly (readonly unknown[])[]>;
  /** As {@link query}, with rows by column name. Integers of 64 bit are numbers where they are safe. */
  rows(database: string, text: string): Promise<Readonly<Record<string, unknown>>[]>;
  /** Executes statements one by one on a connection that stays open, and with it the locks they take. */
  hold(database: string, texts: readonly string[]): Promise<{ release(): Promise<void> }>;
  /** Ends the connections of a database, as an administrator does. @returns how many */
  cutConnections(database: string): Promise<number>;
}

/** How long a test file may take to make, start or end a server, on a machine that is busy with others. */
export const SERVER_START_MILLIS_MAX = 90_000;

/** How to run one kind of server. */
export interface ServerProgram {
  readonly program: string;
  readonly args: (place: ServerPlace) => readonly string[];
  /** The user to run as, when the tests run as root and the program refuses that. */
  readonly user?: SystemUser | undefined;
  /** Connects once and disconnects; rejects while the server is not ready. */
  readonly probe: (place: ServerPlace) => Promise<void>;
  /** Makes the data folder. */
  readonly prepare: (place: ServerPlace) => Promise<void>;
  /** Ends it at once and lets it wait for its own helpers; without one it is killed. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface ServerPlace {
  readonly folder: string;
  readonly dataFolder: string;
  readonly socketFolder: string;
  readonly port: number;
  /** Files of the certificate and its key, readable for the server alone. */
  readonly certificate: string;
  readonly key: string;
}

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** Bound of a start: crash recovery included, on a slow and busy machine. */
const READY_MILLIS_MAX = 60_000;
const READY_POLL_MILLIS = 20;
/** Bound of the moment between SIGSTOP and standing still. */
const STOPPED_MILLIS_MAX = 5_000;

/** What even a test run that broke off has to clear away. */
const leftovers = new Set<() => void>();
process.once("exit", () => {
  for (const clear of leftovers) clear();
});

/** Prepares and starts a server. */
export async function startServer(name: string, program: ServerProgram): Promise<DatabaseServer> {
  const folder = mkdtempSync(join(tmpdir(), `store-sql-${name}-`));
  chmodSync(folder, 0o755);
  if (program.user !== undefined) chownSync(folder, program.user.uid, program.user.gid);
  const port = await freePort();
  const place: ServerPlace = {
    folder,
    dataFolder: join(folder, "data"),
    socketFolder: folder,
    port,
    certificate: join(folder, "certificate.pem"),
    key: join(folder, "key.pem"),
  };
  writeFileSync(place.certificate, TLS_CERTIFICATE);
  writeFileSync(place.key, TLS_KEY, { mode: 0o600 });
  if (program.user !== undefined) chownSync(place.key, program.user.uid, program.user.gid);
  let child: ChildProcess | undefined;
  let log = "";

  const family = (): number[] => {
    const pid = child?.pid;
    return pid === undefined || child?.exitCode !== null ? [] : [pid, ...childrenOf(pid)];
  };
  const clear = (): void => {
    signal(family(), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  leftovers.add(clear);

  const server: DatabaseServer = {
    port,
    socketFolder: folder,
    certificate: place.certificate,
    get log(): string {
      return log;
    },
    async start(): Promise<void> {
      log = "";
      const started = spawn(program.program, program.args(place), {
        stdio: ["ignore", "pipe", "pipe"],
        ...program.user,
      });
      child = started;
      let ended: Error | undefined;
      const collect = (chunk: Buffer): void => {
        log += chunk.toString();
      };
      started.stdout.on("data", collect);
      started.stderr.on("data", collect);
      started.once("error", (error) => {
        ended = error;
      });
      started.once("exit", (code) => {
        ended = new Error(`${program.program} ended with ${code}:\n${log}`);
      });
      const deadline = performance.now() + READY_MILLIS_MAX;
      for (;;) {
        if (ended !== undefined) throw ended;
        try {
          await program.probe(place);
          return;
        } catch (cause) {
          if (performance.now() > deadline) throw new Error(`${program.program} is not ready:\n${log}`, { cause });
        }
        await new Promise((resolve) => setTimeout(resolve, READY_POLL_MILLIS));
      }
    },
    async kill(): Promise<void> {
      const running = child;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      server.resume();
      const exited = once(running, "exit");
      const pids = family();
      signal(pids, "SIGKILL");
      await exited;
      await gone(pids);
      child = undefined;
    },
    pause: () => {
      const all = family();
      signal(all, "SIGSTOP");
      // A signal takes effect a moment after it was sent: until then the server still answers.
      const deadline = Date.now() + STOPPED_MILLIS_MAX;
      while (!all.every(isStopped)) {
        if (Date.now() > deadline) throw new Error(`${name} does not stop`);
      }
    },
    resume: () => signal(family(), "SIGCONT"),
    async close(): Promise<void> {
      const running = child;
      if (program.stopSignal !== undefined && running !== undefined && running.exitCode === null) {
        server.resume();
        const exited = once(running, "exit");
        running.kill(program.stopSignal);
        await exited;
      } else {
        await server.kill();
      }
      leftovers.delete(clear);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await program.prepare(place);
  await server.start();
  return server;
}

/** Runs a program to its end. Rejects with its output when it fails. */
export async function runProgram(program: string, args: readonly string[], user?: SystemUser): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...user });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
}

/** The numbers of a user of this machine; undefined when the tests do not run as root and so cannot change the user. */
export function serverUser(name: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [user, , uid, gid] = line.split(":");
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`these tests run as root and need the user "${name}", which the database's package makes`);
}

/** The processes that `pid` has started. PostgreSQL gives each a session of its own, so a process group does not do. */
function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      // The name in parentheses may itself contain blanks.
      const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
      if (Number(parent) === pid) children.push(Number(entry));
    } catch {
      // It ended meanwhile.
    }
  }
  return children;
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It ended meanwhile.
    }
  }
}

/** Settles when none of the processes holds the data any more: a zombie does not. */
async function gone(pids: readonly number[]): Promise<void> {
  const deadline = performance.now() + READY_MILLIS_MAX;
  while (pids.some(isAlive)) {
    if (performance.now() > deadline) throw new Error("a killed server does not end");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

/** Whether all threads of a process stand still, or it is gone. */
function isStopped(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      /^State:\s+[TZ]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, "latin1")),
    );
  } catch {
    return true;
  }
}
