import type { FlagDefinition, FlagGroup, FlagKind } from "./flag.ts";

/** What a row may say beyond its columns. */
interface FlagExtra {
  readonly default?: string;
  readonly noEffect?: string;
}

type Row = (names: string, kind: FlagKind, sets: string, help: string, extra?: FlagExtra) => FlagDefinition;

/** Rows of one group: names and option ids are parted by blanks. */
function rowsOf(group: FlagGroup): Row {
  return (names, kind, sets, help, extra = {}) => ({
    names: names.split(" "),
    kind,
    default: extra.default ?? "",
    group,
    help,
    sets: sets === "" ? [] : sets.split(" "),
    noEffect: extra.noEffect ?? "",
  });
}

const streaming = rowsOf("Streaming Server Options");
const clustering = rowsOf("Streaming Server Clustering Options");
const file = rowsOf("Streaming Server File Store Options");
const sql = rowsOf("Streaming Server SQL Store Options");
const clientTls = rowsOf("Streaming Server TLS Options");
const streamingLog = rowsOf("Streaming Server Logging Options");
const nats = rowsOf("Embedded NATS Server Options");
const log = rowsOf("Logging Options");
const login = rowsOf("Authorization Options");
const tls = rowsOf("TLS Options");
const routes = rowsOf("NATS Clustering Options");
const common = rowsOf("Common Options");

const NO_JETSTREAM =
  "the embedded NATS server has no JetStream: connect to a nats-server that has it with -ns nats://host:4222";

/**
 * Every flag of the server: the parser, the help and the documentation are made from this table alone.
 * @see configuration.md 4.2, 4.3
 */
export const flagTable: readonly FlagDefinition[] = [
  streaming("cid cluster_id", "string", "cluster_id", "Cluster ID", { default: "test-cluster" }),
  streaming("st store", "string", "store", "Store type: MEMORY, FILE or SQL", { default: "MEMORY" }),
  streaming("dir", "string", "dir", "Root directory of the file store"),
  streaming("mc max_channels", "int", "store_limits.max_channels", "Most channels; 0 for no limit", { default: "100" }),
  streaming("msu max_subs", "int", "store_limits.max_subs", "Most subscriptions of a channel; 0 for no limit", {
    default: "1000",
  }),
  streaming("mm max_msgs", "int", "store_limits.max_msgs", "Most messages of a channel; 0 for no limit", {
    default: "1000000",
  }),
  streaming("mb max_bytes", "size", "store_limits.max_bytes", "Most bytes of a channel; 0 for no limit", {
    default: "1024000000",
  }),
  streaming("ma max_age", "duration", "store_limits.max_age", "How long a message is kept; 0s for ever", {
    default: "0s",
  }),
  streaming(
    "mi max_inactivity",
    "duration",
    "store_limits.max_inactivity",
    "How long a channel without messages and subscriptions is kept; 0s for ever",
    { default: "0s" },
  ),
  streaming("ns nats_server", "string", "nats_server_url", "Connect to these NATS servers instead of embedding one"),
  streaming("sc stan_config", "string", "", "Configuration file of the streaming server"),
  streaming("hbi hb_interval", "duration", "hb_interval", "Time between two heartbeats to a client", {
    default: "30s",
  }),
  streaming("hbt hb_timeout", "duration", "hb_timeout", "How long a client may take to answer a heartbeat", {
    default: "10s",
  }),
  streaming("hbf hb_fail_count", "int", "hb_fail_count", "Heartbeats that a client may miss before it is closed", {
    default: "10",
  }),
  streaming(
    "ft_group_name ft_group",
    "string",
    "ft_group",
    "Fault tolerance group: servers that share a store, one of them active",
  ),
  streaming(
    "partition_conflict",
    "string",
    "partition_conflict",
    "Which of two serving partition servers that overlap ends: younger_exits, or exit_all for both",
    { default: "younger_exits" },
  ),
  streaming(
    "partition_unowned",
    "string",
    "partition_unowned",
    "What clients get for a channel that no partition server owns: silent (their timeout) or error",
    { default: "silent" },
  ),
  streaming(
    "sl signal",
    "string",
    "",
    "Send a signal to a server: stop, quit, term, reopen, reload or ldm, with =<pid> or =<pid file>",
  ),
  streaming("encrypt", "bool", "encrypt", "Encrypt message payloads in the store", { default: "false" }),
  streaming("encryption_cipher", "string", "encryption_cipher", "AES or CHACHA; what suits the machine if not given"),
  streaming(
    "encryption_key",
    "string",
    "encryption_key",
    "Key of the encryption; better given as NATS_STREAMING_ENCRYPTION_KEY in the environment",
  ),
  streaming(
    "replace_durable",
    "bool",
    "replace_durable",
    "Let a new durable subscription replace the one in its place",
    { default: "false" },
  ),
  streaming("io_batch_size", "int", "io_batch_size", "Most messages stored as one batch", { default: "1024" }),
  streaming("io_sleep_time", "int", "io_sleep_time", "How long a batch waits to fill, in microseconds", {
    default: "0",
  }),

  clustering(
    "clustered",
    "bool",
    "cluster.clustered",
    "Run clustered; refused: use fault tolerance or a replicated SQL database",
    { default: "false" },
  ),
  clustering("cluster_node_id", "string", "cluster.node_id", "ID of this node"),
  clustering("cluster_bootstrap", "bool", "cluster.bootstrap", "Elect this node when there is no cluster yet", {
    default: "false",
  }),
  clustering("cluster_peers", "list", "cluster.peers", "IDs of the other nodes"),
  clustering("cluster_log_path", "string", "cluster.log_path", "Directory of the replication log"),
  clustering("cluster_log_cache_size", "int", "cluster.log_cache_size", "Log entries kept in memory", {
    default: "512",
  }),
  clustering("cluster_log_snapshots", "int", "cluster.log_snapshots", "Snapshots kept", { default: "2" }),
  clustering("cluster_trailing_logs", "int", "cluster.trailing_logs", "Log entries kept behind a snapshot", {
    default: "10240",
  }),
  clustering("cluster_sync", "bool", "cluster.sync", "Sync the log after every write", { default: "false" }),
  clustering("cluster_raft_logging", "bool", "cluster.raft_logging", "Log lines of the replication", {
    default: "false",
  }),
  clustering(
    "cluster_proceed_on_restore_failure",
    "bool",
    "cluster.proceed_on_restore_failure",
    "Go on when a snapshot cannot be restored",
    { default: "false" },
  ),
  clustering(
    "cluster_allow_add_remove_node",
    "bool",
    "cluster.allow_add_remove_node",
    "Let nodes be added and removed by request",
    { default: "false" },
  ),

  file("file_compact_enabled", "bool", "file_options.compact", "Compact files", { default: "true" }),
  file(
    "file_compact_frag",
    "int",
    "file_options.compact_frag",
    "Percentage of removed records that starts a compaction",
    { default: "50" },
  ),
  file("file_compact_interval", "int", "file_options.compact_interval", "Least seconds between two compactions", {
    default: "300",
  }),
  file("file_compact_min_size", "size", "file_options.compact_min_size", "Least size of a file that is compacted", {
    default: "1048576",
  }),
  file("file_buffer_size", "size", "file_options.buffer_size", "Size of the write buffer", { default: "2097152" }),
  file("file_read_buffer_size", "size", "file_options.read_buffer_size", "Size of the read buffer", {
    default: "2097152",
  }),
  file("file_crc", "bool", "file_options.crc", "Check records by CRC-32 when they are recovered", { default: "true" }),
  file("file_crc_poly", "int", "file_options.crc_poly", "Polynomial of the CRC-32", { default: "3988292384" }),
  file("file_sync", "bool", "file_options.sync", "Sync files when they are flushed", { default: "true" }),
  file("file_slice_max_msgs", "int", "file_options.slice_max_msgs", "Most messages of a file slice; 0 for no limit", {
    default: "0",
  }),
  file("file_slice_max_bytes", "size", "file_options.slice_max_bytes", "Most bytes of a file slice; 0 for no limit", {
    default: "67108864",
  }),
  file(
    "file_slice_max_age",
    "duration",
    "file_options.slice_max_age",
    "Longest time that a file slice covers; 0s for no limit",
    { default: "0s" },
  ),
  file(
    "file_slice_archive_script",
    "string",
    "file_options.slice_archive_script",
    "Script that is given a slice before it is removed",
  ),
  file(
    "file_fds_limit",
    "int",
    "file_options.file_descriptors_limit",
    "Most files open at the same time; 0: three quarters of what the process may have",
    { default: "0" },
  ),
  file("file_parallel_recovery", "int", "file_options.parallel_recovery", "Channels recovered at the same time", {
    default: "1",
  }),
  file(
    "file_auto_sync",
    "duration",
    "file_options.auto_sync",
    "Time between two syncs of all files; 0s or less for none",
    { default: "1m0s" },
  ),
  file(
    "file_recovery",
    "string",
    "file_options.recovery",
    "What a start does about damaged files: strict refuses to start, quarantine leaves their channels out, salvage keeps what can be read",
    { default: "quarantine" },
  ),
  file("file_cache_size", "size", "file_options.cache_size", "Memory for messages that are on disk", {
    default: "67108864",
  }),
  file("recover_only", "bool", "", "Recover the store, as a start does, and exit", { default: "false" }),
  file(
    "file_truncate_bad_eof",
    "bool",
    "file_options.truncate_bad_eof",
    "Cut a file off where it ends within a record; may lose data",
    { default: "false" },
  ),

  sql("sql_driver", "string", "sql_options.driver", "Driver of the database: sqlite, postgres or mysql"),
  sql("sql_source", "string", "sql_options.source", "Data source of the database; for sqlite the name of a file"),
  sql("sql_print_schema", "bool", "", "Print the schema that -sql_driver needs, and exit", { default: "false" }),
  sql("sql_create_schema", "bool", "", "Create the schema in the database of -sql_source, and exit", {
    default: "false",
  }),
  sql("sql_no_caching", "bool", "sql_options.no_caching", "Do not gather messages before they are stored", {
    default: "false",
  }),
  sql("sql_max_open_conns", "int", "sql_options.max_open_conns", "Most open connections; 0 for no limit", {
    default: "0",
  }),
  sql(
    "sql_bulk_insert_limit",
    "int",
    "sql_options.bulk_insert_limit",
    "Most messages stored by one INSERT; 0 for one each",
    { default: "0" },
  ),

  clientTls("secure", "bool", "secure", "Use TLS towards the NATS server, trusting the certificates of the system", {
    default: "false",
  }),
  clientTls("tls_client_key", "string", "tls.client_key", "Private key file towards the NATS server"),
  clientTls("tls_client_cert", "string", "tls.client_cert", "Certificate file towards the NATS server"),
  clientTls("tls_client_cacert", "string", "tls.client_ca", "File with the certificates to trust of the NATS server"),

  streamingLog("SD stan_debug", "bool", "stan_debug", "Log debug lines of the streaming server", { default: "false" }),
  streamingLog("SV stan_trace", "bool", "stan_trace", "Log trace lines of the streaming server", { default: "false" }),
  streamingLog("SDV", "bool", "stan_debug stan_trace", "Both of these", { default: "false" }),
  streamingLog("syslog_name", "string", "syslog_name", "Source of the event log on Windows"),

  nats("a net addr", "string", "nats.host", "Address to listen on", { default: "0.0.0.0" }),
  nats("p port", "int", "nats.port", "Port for clients; -1 for a free one", { default: "4222" }),
  nats("n name server_name", "string", "nats.server_name", "Name of the NATS server; a random one if not given"),
  nats(
    "client_advertise",
    "string",
    "nats.client_advertise",
    "Address that clients are told instead of the one listened on",
  ),
  nats("P pid", "string", "nats.pid_file", "File for the process ID"),
  nats("ports_file_dir", "string", "nats.ports_file_dir", "Directory for the file with the ports in use"),
  nats("m http_port", "int", "nats.http_port", "Port for monitoring over HTTP"),
  nats("ms https_port", "int", "nats.https_port", "Port for monitoring over HTTPS"),
  nats("c config", "string", "", "Configuration file"),
  nats("t", "bool", "", "Check the configuration and exit"),
  nats("js jetstream", "bool", "", "JetStream", { noEffect: NO_JETSTREAM }),
  nats("sd store_dir", "string", "", "JetStream directory", {
    noEffect:
      "-sd is the directory of JetStream, which the embedded NATS server does not have; for debug lines of the streaming server write -SD",
  }),
  nats("profile", "int", "", "Profiling port", {
    noEffect: "-profile has no effect: use the inspector of Node.js (node --inspect)",
  }),

  log("l log", "string", "nats.logfile", "File for log lines"),
  log("log_size_limit", "int", "nats.log_size_limit", "Size at which the log file is rotated"),
  log("T logtime", "bool", "nats.logtime", "Begin log lines with the time", { default: "true" }),
  log("s syslog", "bool", "nats.syslog", "Log to the local syslog", { default: "false" }),
  log("r remote_syslog", "string", "nats.remote_syslog", "Log to this syslog server, such as udp://localhost:514"),
  log("D debug", "bool", "nats.debug", "Log debug lines of the NATS server", { default: "false" }),
  log("V trace", "bool", "nats.trace", "Log trace lines of the NATS server", { default: "false" }),
  log("VV", "bool", "nats.trace nats.trace_verbose", "Trace every protocol line", { default: "false" }),
  log("DV", "bool", "nats.debug nats.trace", "Debug and trace", { default: "false" }),
  log("DVV", "bool", "nats.debug nats.trace nats.trace_verbose", "Debug and trace every protocol line", {
    default: "false",
  }),
  log(
    "max_traced_msg_len",
    "int",
    "nats.max_traced_msg_len",
    "Longest piece of a message in a trace line; 0 for no limit",
    { default: "0" },
  ),

  login("user", "string", "nats.authorization.user", "User that clients must name"),
  login("pass", "string", "nats.authorization.password", "Password that clients must name, clear or bcrypt"),
  login("auth", "string", "nats.authorization.token", "Token that clients must name"),

  tls("tls", "bool", "nats.tls.enabled", "Use TLS for clients", { default: "false" }),
  tls("tlscert", "string", "nats.tls.cert_file", "Certificate file of the server"),
  tls("tlskey", "string", "nats.tls.key_file", "Private key file of the server"),
  tls("tlsverify", "bool", "nats.tls.verify", "Use TLS for clients, and demand their certificates", {
    default: "false",
  }),
  tls("tlscacert", "string", "nats.tls.ca_file", "File with the certificates to trust of clients"),

  routes("routes", "list", "nats.cluster.routes", "NATS servers to open routes to"),
  routes(
    "cluster_listen cluster",
    "string",
    "nats.cluster.listen",
    "Listen for routes on this URL, such as nats://0.0.0.0:6222",
  ),
  routes("cluster_name", "string", "nats.cluster.name", "Name of the NATS cluster; a random one if not given"),
  routes("cluster_advertise", "string", "nats.cluster.cluster_advertise", "Address that other NATS servers are told"),
  routes("no_advertise", "bool", "nats.cluster.no_advertise", "Do not tell clients of other NATS servers", {
    default: "false",
  }),
  routes("connect_retries", "int", "nats.cluster.connect_retries", "Attempts to open a route that was learnt", {
    default: "0",
  }),

  common("h help", "bool", "", "Show this help"),
  common("v version", "bool", "", "Show the version"),
  common("help_tls", "bool", "", "Show help on TLS"),
];
