import { parseArgs } from "node:util";
import { readSystemFile } from "@nats-streaming/config";
import { silentLogger, systemClock, systemRandom } from "@nats-streaming/kernel";
import { connectNatsBus } from "@nats-streaming/nats-bus";
import {
  checkAgainstMap,
  collectMap,
  type MapCheck,
  type PartitionMap,
  renderCheckJson,
  renderCheckText,
  renderMapJson,
  renderMapText,
} from "@nats-streaming/partition";
import { natsBusOptions } from "../nats-bus-options.ts";
import { defaultNatsOptions } from "../options/nats-options.ts";
import { resolveOptions } from "../options/resolve-options.ts";
import { defaultStreamingOptions, type StreamingOptions } from "../options/streaming-options.ts";
import { startFailure } from "../start-failure.ts";

/** What the subcommand prints, and the status that a script goes by. */
export interface PartitionsOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** 0: no conflict, and every stored channel has an owner. 1: there is something to mend, or nothing could be found out. 2: usage. */
  readonly exitStatus: 0 | 1 | 2;
}

const USAGE = `Usage: nats-streaming-server partitions [options]

Shows which server of a cluster owns which channels, or what a configuration would lead to.

    -s, --server <urls>        NATS servers to connect to (default nats://127.0.0.1:4222); also -ns
        --cluster_id <id>      Cluster ID (default test-cluster); also -cid
        --check <file>         Check this configuration against the servers that run, and start nothing
        --replaces <server id> With --check: the configuration is to take the place of this server's
        --json                 JSON for scripts
        --timeout <seconds>    How long answers are waited for (default 5)
        --user, --pass, --auth Login; --auth is a token
        --credentials <file>   NATS credentials
        --nkey_seed_file <file>
        --tls_client_cacert, --tls_client_cert, --tls_client_key <file>
    -h, --help                 Show this help

Exit status: 0 when all is well; 1 with a conflict, a stored channel without an owner, or no answer; 2 for a wrong command line.
`;

const TIMEOUT_SECONDS = 5;
const TIMEOUT_SECONDS_MAX = 3_600;

/** `nats-streaming-server partitions`: the partition map from any machine that reaches NATS. Changes nothing. */
export async function runPartitions(args: readonly string[]): Promise<PartitionsOutcome> {
  const read = readArguments(args);
  if (typeof read === "string") return { stdout: "", stderr: `${read}\n\n${USAGE}`, exitStatus: 2 };
  if (read.help === true) return { stdout: USAGE, stderr: "", exitStatus: 0 };
  const seconds = Number(read.timeout ?? TIMEOUT_SECONDS);
  if (!(seconds > 0 && seconds <= TIMEOUT_SECONDS_MAX)) {
    return {
      stdout: "",
      stderr: `--timeout ${read.timeout}: give seconds, up to ${TIMEOUT_SECONDS_MAX}\n`,
      exitStatus: 2,
    };
  }
  const entries = read.check === undefined ? undefined : entriesOf(read.check);
  if (typeof entries === "string") return { stdout: "", stderr: `${entries}\n`, exitStatus: 1 };
  let map: PartitionMap;
  try {
    map = await fetchMap(streamingOptions(read), seconds * 1000);
  } catch (error) {
    const { reason, detail } = startFailure(error);
    return { stdout: "", stderr: `${reason}\n${detail === "" ? "" : `${detail}\n`}`, exitStatus: 1 };
  }
  if (entries === undefined) {
    const isWell = map.servers.length > 0 && map.conflicts.length === 0 && map.unowned.length === 0;
    return {
      stdout: (read.json === true ? renderMapJson : renderMapText)(map),
      stderr: "",
      exitStatus: isWell ? 0 : 1,
    };
  }
  const check = checkAgainstMap(map, entries, read.replaces === undefined ? {} : { replaces: read.replaces });
  return {
    stdout: (read.json === true ? renderCheckJson : renderCheckText)(check),
    stderr: "",
    exitStatus: isClean(check) ? 0 : 1,
  };
}

function isClean(check: MapCheck): boolean {
  return check.kind === "checked" && check.conflicts.length === 0 && check.unowned.length === 0;
}

const OPTIONS = {
  server: { type: "string", short: "s" },
  cluster_id: { type: "string" },
  check: { type: "string" },
  replaces: { type: "string" },
  json: { type: "boolean" },
  timeout: { type: "string" },
  user: { type: "string" },
  pass: { type: "string" },
  auth: { type: "string" },
  credentials: { type: "string" },
  nkey_seed_file: { type: "string" },
  tls_client_cacert: { type: "string" },
  tls_client_cert: { type: "string" },
  tls_client_key: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** The server's own short spellings, which hands know. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ns: "server",
  nats_server: "server",
  cid: "cluster_id",
  c: "check",
  sc: "check",
};

type Arguments = {
  -readonly [Name in keyof typeof OPTIONS]?: (typeof OPTIONS)[Name]["type"] extends "boolean" ? boolean : string;
};

/** One dash or two, as with the server. @returns what is wrong with them otherwise */
function readArguments(args: readonly string[]): Arguments | string {
  const spelled = args.map((word) => {
    const match = /^--?([a-z_]+)(=.*)?$/i.exec(word);
    if (match === null) return word;
    const [, name = "", value = ""] = match;
    if (name.length === 1 && word.startsWith("-") && !word.startsWith("--") && SPELLINGS[name] === undefined)
      return word;
    return `--${SPELLINGS[name] ?? name}${value}`;
  });
  try {
    return parseArgs({ args: spelled, options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    return error instanceof Error ? (error.message.split(". ")[0] ?? error.message) : String(error);
  }
}

/** The channel list of a configuration file. @returns what is wrong with it otherwise */
function entriesOf(file: string): readonly string[] | string {
  const resolved = resolveOptions(["-sc", file], process.env, { readFile: readSystemFile });
  if (resolved.kind === "error") return `${resolved.text}${resolved.detail === "" ? "" : `\n${resolved.detail}`}`;
  if (resolved.kind !== "run") return `${file} is no configuration of a server`;
  if (!resolved.streaming.partitioning)
    return `${file} does not say "partitioning: true": such a server serves every channel`;
  return [...resolved.streaming.storeLimits.channels.keys()];
}

function streamingOptions(read: Arguments): StreamingOptions {
  return {
    ...defaultStreamingOptions,
    clusterId: read.cluster_id ?? defaultStreamingOptions.clusterId,
    natsServerUrl: read.server ?? "nats://127.0.0.1:4222",
    username: read.user ?? "",
    password: read.pass ?? "",
    token: read.auth ?? "",
    credentialsFile: read.credentials ?? "",
    nkeySeedFile: read.nkey_seed_file ?? "",
    tls: {
      ...defaultStreamingOptions.tls,
      caFile: read.tls_client_cacert ?? "",
      certFile: read.tls_client_cert ?? "",
      keyFile: read.tls_client_key ?? "",
    },
  };
}

async function fetchMap(streaming: StreamingOptions, timeoutMillis: number): Promise<PartitionMap> {
  const [clock, random] = [systemClock(), systemRandom()];
  const name = `_NSS-${streaming.clusterId}-map`;
  const bus = await connectNatsBus(
    natsBusOptions({ name, streaming, nats: defaultNatsOptions, clock, logger: silentLogger }),
  );
  try {
    return await collectMap({ bus, clusterId: streaming.clusterId, clock, random, timeoutMillis });
  } finally {
    await bus.close();
  }
}
