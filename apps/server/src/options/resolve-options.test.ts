import type { FileRead } from "@nats-streaming/config";
import { durationFromMillis, durationNanos } from "@nats-streaming/kernel";
import { describe, expect, it } from "vitest";
import { formatWarning } from "./option-warning.ts";
import { type OptionsError, type ResolvedOptions, type RunRequest, resolveOptions } from "./resolve-options.ts";

interface Inputs {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

function resolve(line: string | readonly string[], inputs: Inputs = {}): ResolvedOptions {
  const args = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  const readFile = (path: string): FileRead => {
    if (path.startsWith("locked")) return { kind: "failed", reason: `open ${path}: permission denied` };
    const text = inputs.files?.[path];
    return text === undefined
      ? { kind: "failed", reason: `open ${path}: no such file or directory` }
      : { kind: "text", text };
  };
  return resolveOptions(args, inputs.env ?? {}, { readFile });
}

/** Resolves a command line; `text` is the file that `-sc f` names. */
function run(line: string | readonly string[], text?: string, env?: Readonly<Record<string, string>>): RunRequest {
  const resolved = resolve(line, {
    ...(text === undefined ? {} : { files: { f: text } }),
    ...(env === undefined ? {} : { env }),
  });
  if (resolved.kind !== "run") throw new Error(JSON.stringify(resolved));
  return resolved;
}

function streaming(text: string): RunRequest["streaming"] {
  return run("-sc f", text).streaming;
}

function refused(line: string | readonly string[], text?: string): OptionsError {
  const resolved = resolve(line, text === undefined ? {} : { files: { f: text } });
  if (resolved.kind !== "error")
    throw new Error(
      `not refused: ${JSON.stringify(resolved, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))}`,
    );
  return resolved;
}

const seconds = (count: number) => durationFromMillis(count * 1000);

const EVERY_OPTION = `
streaming: {
  cluster_id: "my_cluster"
  discover_prefix: "my_prefix"
  store: "file"
  dir: "/path/to/datastore"
  sd: true
  sv: true
  nats_server_url: "nats://localhost:7777"
  credentials: "credentials.creds"
  username: "user1"
  password: "pass1"
  token: "token1"
  nkey_seed_file: "seedfile"
  secure: true
  hb_interval: "9s"
  hb_timeout: "8s"
  hb_fail_count: 7
  ft_group: "ft"
  partitioning: true
  partition_conflict: "exit_all"
  partition_unowned: "error"
  syslog_name: "myservice"
  encrypt: false
  encryption_cipher: "CHACHA"
  encryption_key: "key1"
  replace_durable: true
  tls: { client_cert: "/path/to/client/cert", client_key: "/path/to/client/key", client_ca: "/path/to/client/ca", server_name: "localhost", insecure: true }
  store_limits: {
    max_channels: 11, max_msgs: 12, max_bytes: 13, max_age: "14s", max_subs: 15, max_inactivity: "16s"
    channels: {
      "foo": { max_msgs: 1, max_bytes: 2, max_age: "3s", max_subs: 4, max_inactivity: "5s" }
      "bar": { max_msgs: 5, max_bytes: 6, max_age: "7s", max_subs: 8, max_inactivity: "9s" }
    }
  }
  file_options: {
    compact: false, compact_frag: 1, compact_interval: 2, compact_min_size: 3, buffer_size: 4, crc: false, crc_poly: 5, sync: false
    slice_max_msgs: 6, slice_max_bytes: 7, slice_max_age: "8s", slice_archive_script: "myscript", file_descriptors_limit: 9
    parallel_recovery: 10, read_buffer_size: 11, auto_sync: "2m", cache: true
    recovery: "salvage", cache_size: 12
  }
  sql_options: { driver: "mysql", source: "root:@/", no_caching: true, max_open_conns: 6, bulk_insert_limit: 7 }
  cluster: {
    node_id: "a", bootstrap: true, peers: ["b", "c"], log_path: "/path/to/log", log_cache_size: 1024, log_snapshots: 1, trailing_logs: 256
    sync: true, proceed_on_restore_failure: true, allow_add_remove_node: true, raft_logging: true, raft_heartbeat_timeout: "1s"
    raft_election_timeout: "3s", raft_lease_timeout: "500ms", raft_commit_timeout: "50ms", bolt_free_list_sync: true
    bolt_free_list_map: true, nodes_connections: true
  }
}
`;

/** Takes the clustering out of the sample, which the server reads but refuses to run. */
const RUNNABLE = EVERY_OPTION.replace(/ {2}cluster: \{[^}]*\}\n/, "");

describe("what becomes of conflicts and of channels without an owner", () => {
  it.each([
    ["-partition_conflict", "both", "partition_conflict is younger_exits or exit_all, not both"],
    ["-partition_unowned", "loud", "partition_unowned is silent or error, not loud"],
  ])("%s %s is refused", (flag, value, text) => {
    expect(resolve([flag, value])).toMatchObject({ kind: "error", text, exitCode: 1 });
  });
});

describe("file_recovery", () => {
  it.each(["strict", "quarantine", "Salvage"])("may be %s", (mode) => {
    expect(resolve(["-file_recovery", mode]).kind).toBe("run");
  });

  it("is refused when it is anything else, in the file and as a flag", () => {
    expect(resolve(["-file_recovery", "later"])).toMatchObject({
      kind: "error",
      text: "unknown file recovery mode: later",
      detail: "strict, quarantine or salvage: see docs/file-store.md",
      exitCode: 1,
    });
  });

  it("goes with recover_only, which is a flag of its own", () => {
    expect(resolve(["-recover_only"])).toMatchObject({ kind: "run", recoverOnly: true });
    expect(resolve([])).toMatchObject({ kind: "run", recoverOnly: false });
  });
});

describe("the file", () => {
  it("CONF-01 reads every option inside streaming { }", () => {
    expect(streaming(RUNNABLE)).toEqual({
      clusterId: "my_cluster",
      discoverPrefix: "my_prefix",
      storeType: "FILE",
      directory: "/path/to/datastore",
      debug: true,
      trace: true,
      natsServerUrl: "nats://localhost:7777",
      credentialsFile: "credentials.creds",
      username: "user1",
      password: "pass1",
      token: "token1",
      nkeySeedFile: "seedfile",
      secure: true,
      heartbeatInterval: seconds(9),
      heartbeatTimeout: seconds(8),
      heartbeatFailCount: 7,
      ftGroup: "ft",
      partitioning: true,
      partitionConflict: "exit_all",
      partitionUnowned: "error",
      syslogName: "myservice",
      encrypt: true,
      encryptionCipher: "CHACHA",
      encryptionKey: "key1",
      replaceDurable: true,
      ioBatchSize: 1024,
      ioSleepMicros: 0,
      tls: {
        certFile: "/path/to/client/cert",
        keyFile: "/path/to/client/key",
        caFile: "/path/to/client/ca",
        serverName: "localhost",
        skipVerify: true,
      },
      storeLimits: {
        maxChannels: 11,
        maxMessages: 12,
        maxBytes: 13,
        maxAge: seconds(14),
        maxSubscriptions: 15,
        maxInactivity: seconds(16),
        channels: new Map([
          ["foo", { maxMessages: 1, maxBytes: 2, maxAge: seconds(3), maxSubscriptions: 4, maxInactivity: seconds(5) }],
          ["bar", { maxMessages: 5, maxBytes: 6, maxAge: seconds(7), maxSubscriptions: 8, maxInactivity: seconds(9) }],
        ]),
      },
      delivery: { honourMaxInFlightOnResume: false, maxRedeliveries: 0, deadLetter: "", channels: new Map() },
      monitoring: { dashboard: true, token: "", username: "", password: "", messages: "careful" },
      fileStore: {
        compactEnabled: false,
        compactFragmentationPercent: 1,
        compactIntervalSeconds: 2,
        compactMinBytes: 3,
        bufferBytes: 4,
        crc: false,
        crcPolynomial: 5,
        sync: false,
        recovery: "salvage",
        cacheBytes: 12,
        sliceMaxMessages: 6,
        sliceMaxBytes: 7,
        sliceMaxAge: seconds(8),
        sliceArchiveScript: "myscript",
        fileDescriptorsLimit: 9,
        parallelRecovery: 10,
        readBufferBytes: 11,
        autoSync: seconds(120),
        truncateUnexpectedEof: false,
      },
      sqlStore: { driver: "mysql", source: "root:@/", noCaching: true, maxOpenConnections: 6, bulkInsertLimit: 7 },
      clustering: run("").streaming.clustering,
    });
  });

  it("CONF-01 reads every option of clustering, and warns of the unknown key `cache`", () => {
    const checked = resolve("-sc f -t", { files: { f: EVERY_OPTION } });
    expect(checked).toMatchObject({
      kind: "error",
      text: "stan: channels partitioning in clustering mode is not supported",
    });
    expect(run("-sc f -clustered=false", EVERY_OPTION).streaming.clustering).toEqual({
      clustered: false,
      nodeId: "a",
      bootstrap: true,
      peers: ["b", "c"],
      logPath: "/path/to/log",
      logCacheSize: 1024,
      logSnapshots: 1,
      trailingLogs: 256,
      sync: true,
      proceedOnRestoreFailure: true,
      allowAddRemoveNode: true,
      raftLogging: true,
      raftHeartbeatTimeout: seconds(1),
      raftElectionTimeout: seconds(3),
      raftLeaseTimeout: seconds(0.5),
      raftCommitTimeout: seconds(0.05),
      boltFreeListSync: true,
      boltFreeListMap: true,
      nodesConnections: true,
    });
    expect(run("-sc f", RUNNABLE).warnings.map(formatWarning)).toEqual(['f:39:67: unknown key "cache" is ignored']);
  });

  it("CONF-02 refuses a file that cannot be read", () => {
    expect(refused("-sc locked.conf")).toMatchObject({
      text: "open locked.conf: permission denied",
      exitCode: 1,
      stream: "stderr",
    });
  });

  it("CONF-03 refuses what does not parse", () => {
    expect(refused("-sc f", "x=.")).toMatchObject({
      text: "Parse error on line 1: 'Floats must start with a digit'",
      exitCode: 1,
    });
  });

  it.each(["memory", "MEMORY", "FILE", "SQL", "sql", "File"])("CONF-04 takes the store type %s", (type) => {
    expect(streaming(`store=${type}`).storeType).toBe(type.toUpperCase());
  });

  it("CONF-04 refuses another store type in the file, and leaves that of a flag to the start", () => {
    expect(refused("-sc f", "store=xyz").text).toBe("unknown store type: xyz");
    expect(run("-store xyz").streaming.storeType).toBe("XYZ");
  });

  it("CONF-05 takes a 0 of a channel as unlimited, and what is absent as inherited", () => {
    const text = `store_limits: { channels: {
      foo: { max_msgs: 0, max_bytes: 0, max_age: "0", max_subs: 0, max_inactivity: "0s" }
      bar: {}
    } }`;
    expect(streaming(text).storeLimits.channels).toEqual(
      new Map([
        [
          "foo",
          {
            maxMessages: -1,
            maxBytes: -1,
            maxAge: durationNanos(-1n),
            maxSubscriptions: -1,
            maxInactivity: durationNanos(-1n),
          },
        ],
        ["bar", { maxMessages: 0, maxBytes: 0, maxAge: 0n, maxSubscriptions: 0, maxInactivity: 0n }],
      ]),
    );
    expect(streaming("store_limits: { max_msgs: 0, max_age: 0s }").storeLimits).toMatchObject({
      maxMessages: 0,
      maxAge: 0n,
    });
  });

  it.each([
    ["streaming: xxx", "expected streaming section to be a map/struct, got xxx"],
    ["store_limits: 5", "expected store limits to be a map/struct, got 5"],
    ["limits: xxx", "expected store limits to be a map/struct, got xxx"],
    ["store_limits: {channels: [foo]}", "expected per channel limits to be a map/struct, got [foo]"],
    ["store_limits: {channels: {foo: 1}}", "expected channel limits to be a map/struct, got 1"],
    ["tls: 5", "expected TLS to be a map/struct, got 5"],
    ["file: 5", "expected file options to be a map/struct, got 5"],
    ["file_options: [a , 1]", "expected file options to be a map/struct, got [a 1]"],
    ["sql: 5", "expected SQL options to be a map/struct, got 5"],
    ["cluster: 5", "expected cluster to be a map/struct, got 5"],
  ])("CONF-06 refuses %s", (text, message) => {
    expect(refused("-sc f", text)).toMatchObject({ text: message, exitCode: 1, stream: "stderr" });
  });

  const stringKeys = [
    ..."id cid cluster_id discover_prefix store st store_type storetype dir datastore ns nats_server nats_server_url".split(
      " ",
    ),
    ..."credentials username user password pass token nkey_seed_file ft_group ft_group_name syslog_name".split(" "),
    ..."encryption_cipher encryption_key hbi hb_interval server_to_client_hb_interval hbt hb_timeout".split(" "),
    "server_to_client_hb_timeout",
  ];
  const boolKeys = [
    ..."sd stan_debug sv stan_trace secure partitioning encrypt replace_durable replace_durables".split(" "),
    ..."replace_duplicate_durable replace_duplicate_durables".split(" "),
  ];
  const wrongTypes: [text: string, key: string, want: string, have: string][] = [
    ...stringKeys.map((key): [string, string, string, string] => [`${key}: 123`, key, "string", "int64"]),
    ...boolKeys.map((key): [string, string, string, string] => [`${key}: 123`, key, "bool", "int64"]),
    ...["hbf", "hb_fail_count", "server_to_client_hb_fail_count"].map((key): [string, string, string, string] => [
      `${key}: false`,
      key,
      "int64",
      "bool",
    ]),
    ...["client_cert", "client_key", "client_ca", "client_cacert", "server_name", "server_hostname"].map(
      (key): [string, string, string, string] => [`tls: {${key}: 123}`, key, "string", "int64"],
    ),
    ...["insecure", "skip_verify"].map((key): [string, string, string, string] => [
      `tls: {${key}: "no"}`,
      key,
      "bool",
      "string",
    ]),
    ..."max_channels mc maxchannels max_subs msu max_subscriptions maxsubscriptions max_msgs mm maxmsgs max_count maxcount max_bytes mb maxbytes"
      .split(" ")
      .map((key): [string, string, string, string] => [`limits: {${key}: false}`, key, "int64", "bool"]),
    ..."max_age ma maxage max_inactivity mi maxinactivity"
      .split(" ")
      .map((key): [string, string, string, string] => [`limits: {${key}: 123}`, key, "string", "int64"]),
    ..."max_subs max_msgs max_bytes"
      .split(" ")
      .map((key): [string, string, string, string] => [
        `limits: {channels: {foo: {${key}: false}}}`,
        key,
        "int64",
        "bool",
      ]),
    ..."max_age max_inactivity"
      .split(" ")
      .map((key): [string, string, string, string] => [
        `limits: {per_channel: {foo: {${key}: 1.5}}}`,
        key,
        "string",
        "float64",
      ]),
    ..."compact compact_enabled crc do_crc sync do_sync sync_on_flush"
      .split(" ")
      .map((key): [string, string, string, string] => [`file: {${key}: 123}`, key, "bool", "int64"]),
    ..."compact_frag compact_fragmentation compact_interval compact_min_size buffer_size crc_poly slice_max_msgs slice_max_count slice_msgs slice_count slice_max_bytes slice_max_size slice_bytes slice_size file_descriptors_limit fds_limit parallel_recovery read_buffer_size file_read_buffer_size"
      .split(" ")
      .map((key): [string, string, string, string] => [`file: {${key}: false}`, key, "int64", "bool"]),
    ..."slice_max_age slice_age slice_max_time slice_time_limit slice_archive_script slice_archive slice_script auto_sync file_auto_sync"
      .split(" ")
      .map((key): [string, string, string, string] => [`file: {${key}: 123}`, key, "string", "int64"]),
    ...["driver", "source"].map((key): [string, string, string, string] => [
      `sql: {${key}: false}`,
      key,
      "string",
      "bool",
    ]),
    ["sql: {no_caching: 123}", "no_caching", "bool", "int64"],
    ...["max_open_conns", "max_conns", "bulk_insert_limit"].map((key): [string, string, string, string] => [
      `sql: {${key}: false}`,
      key,
      "int64",
      "bool",
    ]),
    ["sql: {Driver: 5}", "driver", "string", "int64"],
    ...[
      "node_id",
      "log_path",
      "raft_heartbeat_timeout",
      "raft_election_timeout",
      "raft_lease_timeout",
      "raft_commit_timeout",
    ].map((key): [string, string, string, string] => [`cluster: {${key}: false}`, key, "string", "bool"]),
    ..."bootstrap sync proceed_on_restore_failure allow_add_remove_node raft_logging bolt_free_list_sync bolt_free_list_map nodes_connections"
      .split(" ")
      .map((key): [string, string, string, string] => [`cluster: {${key}: 1}`, key, "bool", "int64"]),
    ...["log_cache_size", "log_snapshots", "trailing_logs"].map((key): [string, string, string, string] => [
      `cluster: {${key}: false}`,
      key,
      "int64",
      "bool",
    ]),
    ['cluster: {peers: "b,c"}', "peers", "slice", "string"],
    ["cluster: {peers: [b, 5 ]}", "peers", "string", "int64"],
    ["Cluster_ID: 5", "Cluster_ID", "string", "int64"],
  ];
  it.each(wrongTypes)("CONF-07 refuses %s", (text, key, want, have) => {
    const message = `parameter "${key}" value is expected to be ${want}, got ${have}`;
    expect(refused("-sc f", text)).toMatchObject({ text: message, exitCode: 1, stream: "stderr" });
    expect(refused("-sc f", `streaming { ${text} }`).text).toBe(message);
  });

  it.each([
    "hbi: foo",
    "hb_timeout: foo",
    "limits: {max_age: foo}",
    "limits: {max_inactivity: foo}",
    "limits: {channels: {foo: {max_age: foo}}}",
    "file: {slice_max_age: foo}",
    "file: {auto_sync: foo}",
    "cluster: {raft_heartbeat_timeout: foo}",
    "cluster: {raft_commit_timeout: foo}",
  ])("CONF-07 refuses the duration in %s", (text) => {
    expect(refused("-sc f", text).text).toBe('time: invalid duration "foo"');
  });

  it.each(["foo.*bar", "foo.>.>", "foo..bar", "foo/bar"])("CONF-07 refuses the channel name %s", (name) => {
    expect(refused("-sc f", `limits: {channels: {${name}: {}}}`).text).toBe(`invalid channel name "${name}"`);
  });
});

describe("flags and files", () => {
  it("CONF-08 takes the cluster ID from -cid", () => {
    expect(run("-cid me").streaming.clusterId).toBe("me");
    expect(run("--cluster_id=me").streaming.clusterId).toBe("me");
  });

  it("CONF-08 refuses an unknown flag with exit code 2, and suggests the nearest", () => {
    expect(refused("-xyz")).toMatchObject({
      text: "flag provided but not defined: -xyz",
      exitCode: 2,
      stream: "stderr",
    });
    expect(refused("--ft_groupname x").detail).toContain("did you mean -ft_group_name?");
    expect(refused("-partitioning").detail).toContain("option of the configuration file only");
  });

  it.each(["-sc nope.conf", "-c nope.conf", "-sc f -c nope.conf", "-sc nope.conf -c f"])(
    "CONF-08 refuses %s",
    (line) => {
      expect(refused(line, "port: 1").text).toBe("open nope.conf: no such file or directory");
    },
  );

  it("CONF-08 lets -SDV=false win over the file", () => {
    expect(run("-sc f", "sd: true\nsv: true").streaming).toMatchObject({ debug: true, trace: true });
    expect(run("-sc f -SDV=false", "sd: true\nsv: true").streaming).toMatchObject({ debug: false, trace: false });
  });

  const sizeFlags: [flag: string, read: (run: RunRequest) => number][] = [
    ["max_bytes", (r) => r.streaming.storeLimits.maxBytes],
    ["mb", (r) => r.streaming.storeLimits.maxBytes],
    ["file_compact_min_size", (r) => r.streaming.fileStore.compactMinBytes],
    ["file_buffer_size", (r) => r.streaming.fileStore.bufferBytes],
    ["file_read_buffer_size", (r) => r.streaming.fileStore.readBufferBytes],
    ["file_slice_max_bytes", (r) => r.streaming.fileStore.sliceMaxBytes],
  ];
  it.each(sizeFlags)("CONF-08 reads sizes of -%s", (flag, read) => {
    expect(read(run(`-${flag} 100KB`))).toBe(102_400);
    expect(read(run(`--${flag}=1MB`))).toBe(1_048_576);
    for (const bad of ["12abc", "x1x", "100a"]) {
      expect(refused(`-${flag} ${bad}`)).toMatchObject({ text: `${flag} should be a size, got '${bad}'`, exitCode: 1 });
    }
  });

  it("CONF-08 lets the last of two aliases count", () => {
    expect(run("-mb 1MB -max_bytes 100KB").streaming.storeLimits.maxBytes).toBe(102_400);
    expect(run("-max_bytes 100KB -mb 1MB").streaming.storeLimits.maxBytes).toBe(1_048_576);
  });

  it("CONF-09 reads each of two files for its own side only", () => {
    const files = {
      "s.conf": "port: 1111\nstreaming { cid: s }\nlogfile: s.log",
      "n.conf": "port: 2222\nstreaming { cid: n }\nlogfile: n.log",
    };
    const both = resolve("-sc s.conf -c n.conf", { files });
    expect(both).toMatchObject({
      kind: "run",
      streaming: { clusterId: "s" },
      nats: { port: 2222, logFile: "n.log" },
      configFiles: { streaming: "s.conf", nats: "n.conf" },
      filesRead: ["n.conf", "s.conf"],
      warnings: [],
    });
    for (const flag of ["-sc", "-c"]) {
      expect(resolve(`${flag} s.conf`, { files })).toMatchObject({
        kind: "run",
        streaming: { clusterId: "s" },
        nats: { port: 1111, logFile: "s.log" },
        filesRead: ["s.conf"],
      });
    }
  });

  it("CONF-10 begins log lines with the time unless the file says otherwise", () => {
    expect(run("").nats.logTime).toBe(true);
    expect(run("-sc f", "port: 4222").nats.logTime).toBe(true);
    expect(run("-sc f", "logtime: false").nats.logTime).toBe(false);
    expect(run("-c f", "logtime: false").nats.logTime).toBe(false);
    expect(run("-c f -T", "logtime: false").nats.logTime).toBe(true);
    expect(run("-T=false").nats.logTime).toBe(false);
  });

  it("CONF-11 reads the cluster flags and removes the own ID from the peers", () => {
    // Refused to run, so the flags are seen with clustering switched off behind them.
    const { clustering } = run([
      "-clustered",
      "-cluster_node_id",
      "a",
      "-cluster_peers",
      "b, a ,,c",
      "-clustered=false",
    ]).streaming;
    expect(clustering).toMatchObject({ nodeId: "a", peers: ["b", "c"] });
    expect(run("-cluster_peers a,b -cluster_node_id a").streaming.clustering.peers).toEqual(["b"]);
    expect(run("-sc f", "streaming { cid: x }\n").streaming.clustering.peers).toEqual([]);
  });

  it.each([
    ["version", "version"],
    ["Version", "version"],
    ["-p 4333 version", "version"],
    ["-v", "version"],
    ["--version", "version"],
    ["help", "help"],
    ["-- help", "help"],
    ["-h", "help"],
    ["-help", "help"],
    ["-help_tls", "help_tls"],
  ])("CONF-12 answers %j", (line, kind) => {
    expect(resolve(line).kind).toBe(kind);
  });

  it("CONF-12 refuses any other word", () => {
    expect(refused("bogus")).toMatchObject({ text: 'unrecognized command: "bogus"', exitCode: 1, stream: "stderr" });
    expect(refused("-SD true")).toMatchObject({ text: 'unrecognized command: "true"', exitCode: 1 });
    expect(refused("-SD true").detail).toContain("write -SD=true");
  });

  it("prints the version as documented", () => {
    expect(resolve("-v")).toEqual({
      kind: "version",
      text: "nats-streaming-server version 0.1.0, nats-server: v2.9.10-compatible",
    });
  });

  it("lets every flag win over the file", () => {
    const file = `id: f, store: file, dir: f, mc: 1, sd: false, ft_group: f, encryption_key: f
      file { crc: true }, sql { driver: f }, port: 1, debug: false, trace: false, authorization { user: f, password: f }`;
    const flags =
      "-cid x -st sql -dir x -mc 2 -SD -ft_group_name x -encryption_key x -file_crc=false -sql_driver x -p 2 -DV -user x";
    const { streaming: s, nats } = run(`-sc f ${flags}`, file);
    expect(s).toMatchObject({
      clusterId: "x",
      storeType: "SQL",
      directory: "x",
      debug: true,
      ftGroup: "x",
      encryptionKey: "x",
    });
    expect(s.storeLimits.maxChannels).toBe(2);
    expect(s.fileStore.crc).toBe(false);
    expect(s.sqlStore.driver).toBe("x");
    expect(nats).toMatchObject({ port: 2, debug: true, trace: true });
    expect(nats.authorization).toMatchObject({ user: "x", password: "f" });
  });

  it("takes the encryption key from the environment before file and flag, without switching encryption on", () => {
    const env = { NATS_STREAMING_ENCRYPTION_KEY: "e" };
    expect(run("-encryption_key x", undefined, env).streaming).toMatchObject({ encryptionKey: "e", encrypt: true });
    expect(run("", undefined, env).streaming).toMatchObject({ encryptionKey: "e", encrypt: false });
    expect(run("-encrypt", undefined, { NATS_STREAMING_ENCRYPTION_KEY: "" }).streaming.encryptionKey).toBe("");
  });

  it("takes variables of the file from the environment", () => {
    expect(run("-sc f", "cid: $ID\nport: $P", { ID: "x", P: "4k" })).toMatchObject({
      streaming: { clusterId: "x" },
      nats: { port: 4000 },
    });
  });

  it("takes the four command lines of the seed", () => {
    const line =
      "-store file -dir /nss/datastore/foodata -sc f -ft_group_name foo -p 4223 -cluster nats://host1:6222 -routes nats://host2:6222,nats://host2:6223";
    const {
      streaming: s,
      nats,
      warnings,
    } = run(line, "partitioning: true\nstore_limits: {\n channels: {\n foo.>: {}\n }\n}\n");
    expect(s).toMatchObject({
      storeType: "FILE",
      directory: "/nss/datastore/foodata",
      ftGroup: "foo",
      partitioning: true,
    });
    expect([...s.storeLimits.channels.keys()]).toEqual(["foo.>"]);
    expect(nats.port).toBe(4223);
    expect(nats.routes).toMatchObject({
      listenUrl: "nats://host1:6222",
      urls: ["nats://host2:6222", "nats://host2:6223"],
    });
    expect(warnings).toEqual([]);
  });
});

describe("the partition list", () => {
  it("keeps the channels in the order of the file, a repeated one where it was written last", () => {
    const text = 'limits { channels { "z": {}, 10: {}, foo.>: {}, a: {}, z: {}, 9: {} } }';
    const resolved = run("-sc f", text);
    expect([...resolved.streaming.storeLimits.channels.keys()]).toEqual(["10", "foo.>", "a", "z", "9"]);
    expect(resolved.warnings).toMatchObject([{ code: "repeated_option" }]);
  });

  it.each(["", ".", ".foo", "foo.", "foo..bar", "foo*", "foo.*.", "foo.>.bar", "foo.*bar", "foo.>.>", "foo/bar"])(
    "PART-02 refuses the entry %j",
    (name) => {
      expect(refused("-sc f", `partitioning: true\nlimits { channels { "${name}": {} } }`)).toMatchObject({
        text: `invalid channel name "${name}"`,
        exitCode: 1,
        stream: "stderr",
      });
    },
  );

  it("PART-D13 refuses names with white space", () => {
    expect(refused("-sc f", 'limits { channels { "foo bar": {} } }').text).toBe('invalid channel name "foo bar"');
    expect(refused("-sc f", 'limits { channels { "foo\tbar": {} } }').text).toBe('invalid channel name "foo\\tbar"');
  });

  it("PART-D12 takes a top-level cluster map without a key of streaming clustering for the routes of NATS", () => {
    const routes = 'cluster { listen: "0.0.0.0:6222", routes: ["nats://h:6222"], name: n }';
    const resolved = run("-sc f", `partitioning: true\n${routes}`);
    expect(resolved.streaming.clustering.clustered).toBe(false);
    expect(resolved.nats.routes).toMatchObject({ host: "0.0.0.0", port: 6222, urls: ["nats://h:6222"], name: "n" });
    expect(resolved.warnings).toEqual([]);
    expect(run("-sc f", "partitioning: true\ncluster {}").streaming.clustering.clustered).toBe(false);
  });

  it("refuses partitioning with clustering before everything else, bare on stdout", () => {
    const expected = {
      text: "stan: channels partitioning in clustering mode is not supported",
      detail: "",
      exitCode: 1,
      stream: "stdout",
    };
    expect(refused("-sc f", "streaming { partitioning: true, cluster {} }")).toMatchObject(expected);
    expect(refused("-sc f -clustered -p 99999", "partitioning: true")).toMatchObject(expected);
  });

  it("refuses clustering alone and names the two supported ways", () => {
    const error = refused("-clustered");
    expect(error).toMatchObject({ exitCode: 1, stream: "stderr" });
    expect(error.text).toContain("fault tolerance");
    expect(error.text).toContain("replicated database");
    expect(refused("-sc f", "streaming { cluster { node_id: a } }").text).toBe(error.text);
  });
});

describe("mistakes", () => {
  it("warns of unknown keys with their place and the nearest known one", () => {
    const text = `partitionning: true
      store_limits { max_msg: 5, channels { foo { max_byte: 1 } } }
      file { buffersize: 1 }, sql { drivers: x }
      max_pyload: 5
      nothing_like_it_at_all: 1
      TOKEN: t
      token: $TOKEN`;
    expect(run("-sc f", text).warnings.map(formatWarning)).toEqual([
      'f:1:1: unknown key "partitionning" is ignored; did you mean "partitioning"?',
      'f:2:22: unknown key "max_msg" is ignored; did you mean "max_msgs"?',
      'f:2:51: unknown key "max_byte" is ignored; did you mean "max_bytes"?',
      'f:3:14: unknown key "buffersize" is ignored; did you mean "buffer_size"?',
      'f:3:37: unknown key "drivers" is ignored; did you mean "driver"?',
      'f:4:7: unknown key "max_pyload" is ignored; did you mean "max_payload"?',
      'f:5:7: unknown key "nothing_like_it_at_all" is ignored',
      'f:7:7: "token" and "TOKEN" are the same option; the later one counts',
    ]);
  });

  it("says where an option belongs that stands in the wrong place", () => {
    const text = `max_channels: 5
      channels { foo {} }
      max_chanels: 5
      sync: false
      store_limits { partitioning: true, driver: x }
      sql { max_msgs: 5 }`;
    expect(run("-sc f", text).warnings.map(formatWarning)).toEqual([
      'f:1:1: "max_channels" is ignored here: it belongs inside store_limits { }',
      'f:2:7: "channels" is ignored here: it belongs inside store_limits { }',
      'f:3:7: unknown key "max_chanels" is ignored; did you mean "max_channels" inside store_limits { }?',
      'f:4:7: unknown key "sync" is ignored; did you mean "sync" inside file_options { }?',
      'f:5:22: "partitioning" is ignored here: it belongs outside of store_limits { }',
      'f:5:42: "driver" is ignored here: it belongs inside sql_options { }',
      'f:6:13: "max_msgs" is ignored here: it belongs inside store_limits { }',
    ]);
  });

  it("warns of streaming keys beside a streaming section", () => {
    const { streaming: s, warnings } = run("-sc f", "partitioning: true\nstreaming { cid: x }\nport: 1\nlistne: 2");
    expect(s).toMatchObject({ partitioning: false, clusterId: "x" });
    expect(warnings.map(formatWarning)).toEqual([
      'f:1:1: "partitioning" is ignored here: the file has a streaming { } section, and streaming options are read from it alone',
      'f:4:1: unknown key "listne" is ignored; did you mean "listen"?',
    ]);
  });

  it("warns of two spellings of one option, the later of which counts", () => {
    const { streaming: s, warnings } = run("-sc f", "id: a\ncluster_id: b");
    expect(s.clusterId).toBe("b");
    expect(warnings).toMatchObject([
      { code: "repeated_option", message: '"cluster_id" and "id" are the same option; the later one counts' },
    ]);
  });

  it("warns of foo.>{}, which the original swallows", () => {
    const { streaming: s, warnings } = run("-sc f", "partitioning: true\nlimits { channels { foo.>{} } }");
    expect(s.storeLimits.channels.size).toBe(0);
    expect(warnings.map((warning) => warning.code)).toEqual(["syntax", "syntax"]);
    expect(warnings[0]?.message).toContain('"foo.>{}"');
  });

  it("explains 5m without quotes below the original's text", () => {
    const error = refused("-sc f", "limits {\n  max_age: 5m\n}");
    expect(error.text).toBe('parameter "max_age" value is expected to be string, got int64');
    expect(error.detail).toBe(
      'at f:2:12\n    max_age: 5m\n             ^\n5m without quotes is the number 5000000; write max_age: "5m"',
    );
  });

  it("warns of -sd, which is not -SD", () => {
    expect(run("-sd dir").warnings.map(formatWarning)[0]).toContain("write -SD");
    expect(run("-sd dir").streaming.debug).toBe(false);
  });

  it("refuses ports that cannot be, routes without a listener, and half a TLS configuration", () => {
    expect(refused("-p 99999").text).toBe("port 99999 is out of the range 0 to 65535");
    expect(refused("-m -2").text).toBe("port -2 is out of the range 0 to 65535");
    expect(run("-p -1").nats.port).toBe(-1);
    expect(refused("-routes nats://h:1").text).toBe("solicited routes require cluster capabilities, e.g. --cluster");
    expect(run("-routes nats://h:1 -c f", "cluster { port: 6222 }").nats.routes.urls).toEqual(["nats://h:1"]);
    expect(refused("-cluster nats://u@h:1").text).toBe("expected cluster password to be set");
    expect(refused("-cluster nats://h").text).toBe("missing port in address");
    expect(refused("-tlscert x").text).toBe("TLS Server certificate must be present and valid");
    expect(run("-tls_client_cacert ca.pem").streaming.tls.caFile).toBe("ca.pem");
    expect(run("-tlscert x -tlskey y").nats.tls.enabled).toBe(true);
    expect(run("-tlscert x -tlskey y -tls=false").nats.tls.enabled).toBe(false);
  });
});

describe("checking a configuration (-t)", () => {
  it("says that a good one is valid", () => {
    expect(resolve("-c f -t", { files: { f: "partitioning: true\nlimits { channels { foo {} } }" } })).toMatchObject({
      kind: "check",
      lines: ["nats-streaming-server: configuration file f is valid"],
      exitCode: 0,
    });
  });

  it("makes keys that do nothing, limits and a missing partition list problems", () => {
    const f = "partitionning: true\nlimits { max_msgs: -1 }\npartitioning: true";
    expect(resolve("-sc f -t", { files: { f } })).toMatchObject({
      kind: "check",
      exitCode: 1,
      lines: [
        'f:1:1: unknown key "partitionning" is ignored; did you mean "partitioning"?',
        "max messages limit cannot be negative (-1)",
        "stan: no configured channel",
      ],
    });
    const many = Array.from({ length: 3 }, (_, n) => `c${n}: {}`).join(", ");
    expect(resolve("-sc f -t", { files: { f: `limits { mc: 2, channels { ${many} } }` } })).toMatchObject({
      exitCode: 1,
      lines: ["too many channels defined (3). The max channels limit is set to 2"],
    });
  });

  it("shows entries that cross each other, and not those that refine each other", () => {
    const f = "limits { channels { foo.*: {}, *.bar: {}, foo.>: {}, foo.bar: {}, a.*.c: {}, a.b.>: {} } }";
    expect(resolve("-sc f -t", { files: { f } })).toMatchObject({
      exitCode: 0,
      lines: [
        'the entries "foo.*" and "*.bar" cross: a channel that both match takes the limits of only one of them',
        'the entries "*.bar" and "foo.>" cross: a channel that both match takes the limits of only one of them',
        'the entries "a.*.c" and "a.b.>" cross: a channel that both match takes the limits of only one of them',
        "nats-streaming-server: configuration file f is valid",
      ],
    });
    const many = Array.from({ length: 50 }, (_, n) => `x${n}.*: {}, *.y${n}: {}`).join(", ");
    const checked = resolve("-sc f -t", { files: { f: `limits { channels { ${many} } }` } });
    expect(checked.kind === "check" && checked.lines).toHaveLength(11);
  });

  it("makes a URL of NATS that is none a problem", () => {
    expect(resolve("-sc f -t", { files: { f: "ns: localhost" } })).toMatchObject({
      exitCode: 1,
      lines: ["malformed url: localhost"],
    });
  });

  it("shows other remarks without failing", () => {
    expect(resolve("-sc f -t", { files: { f: "prof_port: 1" } })).toMatchObject({
      exitCode: 0,
      lines: [
        'f:1:1: "prof_port" has no effect on the embedded NATS server',
        "nats-streaming-server: configuration file f is valid",
      ],
    });
  });

  it("needs a file", () => {
    expect(refused("-t").text).toBe("must specify [-c, --config] option to check configuration file syntax");
  });

  it("refuses a faulty file as a start does", () => {
    expect(refused("-t -sc f", "partitioning: 5").text).toBe(
      'parameter "partitioning" value is expected to be bool, got int64',
    );
  });
});
