import type { ChannelLimits } from "@nats-streaming/store";
import { type Draft, type GlobalLimits, type Lens, lensesOf, type OptionsDraft } from "./draft.ts";
import { type OptionDefinition, within } from "./option.ts";
import { count, duration, flag, flagOnly, size, text, texts } from "./option-builders.ts";
import type {
  ClusteringOptions,
  FileStoreOptions,
  GeneralOptions,
  MonitoringOptions,
  RedeliveryRule,
  SqlStoreOptions,
  TlsClientOptions,
} from "./streaming-options.ts";

const general = lensesOf<Draft<GeneralOptions>>();

/** Naming a key switches encryption on. @see encryption.md 2 */
const encryptionKey: Lens<Draft<GeneralOptions>, string> = {
  get: (options) => options.encryptionKey,
  set: (options, value) => {
    options.encryptionKey = value;
    options.encrypt = true;
  },
};

const storeType: Lens<Draft<GeneralOptions>, string> = {
  get: (options) => options.storeType,
  set: (options, value) => {
    options.storeType = value.toUpperCase();
  },
};

function checkStoreType(value: string): string | undefined {
  const known = ["MEMORY", "FILE", "SQL"].includes(value.toUpperCase());
  return known ? undefined : `unknown store type: ${value}`;
}

/** @see configuration.md 2.1 */
const generalOptions: readonly OptionDefinition<Draft<GeneralOptions>>[] = [
  text("cluster_id id cid", general("clusterId"), "Cluster ID"),
  text("discover_prefix", general("discoverPrefix"), "Prefix of the subject that clients connect on"),
  text("store st store_type storetype", storeType, "Store type: MEMORY, FILE or SQL", checkStoreType),
  text("dir datastore", general("directory"), "Root directory of the file store"),
  flag("stan_debug sd", general("debug"), "Log debug lines of the streaming server"),
  flag("stan_trace sv", general("trace"), "Log trace lines of the streaming server"),
  text("nats_server_url ns nats_server", general("natsServerUrl"), "URLs of external NATS servers; empty to embed one"),
  text("credentials", general("credentialsFile"), "NATS credentials file"),
  text("username user", general("username"), "User name towards NATS"),
  text("password pass", general("password"), "Password towards NATS"),
  text("token", general("token"), "Token towards NATS"),
  text("nkey_seed_file", general("nkeySeedFile"), "File with the NKey seed towards NATS"),
  flag("secure", general("secure"), "Use TLS towards NATS"),
  duration(
    "hb_interval hbi server_to_client_hb_interval",
    general("heartbeatInterval"),
    "Time between two heartbeats to a client",
  ),
  duration(
    "hb_timeout hbt server_to_client_hb_timeout",
    general("heartbeatTimeout"),
    "How long a client may take to answer a heartbeat",
  ),
  count(
    "hb_fail_count hbf server_to_client_hb_fail_count",
    general("heartbeatFailCount"),
    "Heartbeats that a client may miss",
  ),
  text("ft_group ft_group_name", general("ftGroup"), "Fault tolerance group"),
  flag("partitioning", general("partitioning"), "Serve only the channels listed under store_limits"),
  text(
    "partition_conflict",
    general("partitionConflict"),
    "Which of two serving partition servers that overlap ends: younger_exits, or exit_all for both, as in the original",
  ),
  text(
    "partition_unowned",
    general("partitionUnowned"),
    "What clients get for a channel that no partition server owns: silent leaves them to their timeout, error tells them",
  ),
  text("syslog_name", general("syslogName"), "Source of the event log on Windows"),
  flag("encrypt", general("encrypt"), "Encrypt message payloads in the store"),
  text("encryption_cipher", general("encryptionCipher"), "AES or CHACHA; empty for what suits the machine"),
  text("encryption_key", encryptionKey, "Key of the encryption; switches it on"),
  flag(
    "replace_durable replace_durables replace_duplicate_durable replace_duplicate_durables",
    general("replaceDurable"),
    "Let a new durable subscription replace the one in its place",
  ),
  flagOnly(count("io_batch_size", general("ioBatchSize"), "Most messages in one batch")),
  flagOnly(count("io_sleep_time", general("ioSleepMicros"), "How long a batch waits to fill, in microseconds")),
];

const tls = lensesOf<Draft<TlsClientOptions>>();

/** @see configuration.md 2.2 */
const tlsOptions: readonly OptionDefinition<Draft<TlsClientOptions>>[] = [
  text("client_cert", tls("certFile"), "Certificate file"),
  text("client_key", tls("keyFile"), "Private key file"),
  text("client_ca client_cacert", tls("caFile"), "File with the certificates to trust"),
  text("server_name server_hostname", tls("serverName"), "Name that the NATS server's certificate must bear"),
  flag("insecure skip_verify", tls("skipVerify"), "Take any certificate of the NATS server"),
];

const limits = lensesOf<Draft<ChannelLimits>>();

/** What can be said for all channels and for one. @see configuration.md 2.3 */
export const channelLimitOptions: readonly OptionDefinition<Draft<ChannelLimits>>[] = [
  count("max_subs msu max_subscriptions maxsubscriptions", limits("maxSubscriptions"), "Subscriptions of a channel"),
  count("max_msgs mm maxmsgs max_count maxcount", limits("maxMessages"), "Messages of a channel"),
  size("max_bytes mb maxbytes", limits("maxBytes"), "Size of a channel"),
  duration("max_age ma maxage", limits("maxAge"), "Age of a message"),
  duration(
    "max_inactivity mi maxinactivity",
    limits("maxInactivity"),
    "How long a channel may be unused before it is deleted",
  ),
];

const globalLimits = lensesOf<Draft<GlobalLimits>>();

const limitOptions: readonly OptionDefinition<Draft<GlobalLimits>>[] = [
  count("max_channels mc maxchannels", globalLimits("maxChannels"), "Channels"),
  ...channelLimitOptions.map((option) =>
    within("", (whole: Draft<GlobalLimits>): Draft<ChannelLimits> => whole, option),
  ),
];

/** Keys of the per-channel section inside the limits. */
export const CHANNELS_KEYS: readonly string[] = [
  "channels",
  "channels_limits",
  "channelslimits",
  "per_channel",
  "per_channel_limits",
];

const redelivery = lensesOf<Draft<RedeliveryRule>>();

/** What can be said of redelivery for all channels and for one. */
export const redeliveryOptions: readonly OptionDefinition<Draft<RedeliveryRule>>[] = [
  count("max_redeliveries", redelivery("maxRedeliveries"), "Redeliveries of a message at most; 0 without end"),
  text("dead_letter", redelivery("deadLetter"), "Channel that takes what was redelivered that often"),
];

type DeliveryDraft = OptionsDraft["delivery"];

const deliveryOptions: readonly OptionDefinition<DeliveryDraft>[] = [
  flag(
    "honour_max_in_flight_on_resume honor_max_in_flight_on_resume",
    lensesOf<DeliveryDraft>()("honourMaxInFlightOnResume"),
    "Send a durable that resumes no more than its max in flight at once",
  ),
  ...redeliveryOptions.map((option) => within("", (whole: DeliveryDraft): Draft<RedeliveryRule> => whole, option)),
];

/** Key of the per-channel section inside the delivery options. */
export const DELIVERY_CHANNELS_KEY = "channels";

const monitoring = lensesOf<Draft<MonitoringOptions>>();

function checkMessageAccess(value: string): string | undefined {
  const known = ["careful", "everybody", "nobody"].includes(value);
  return known ? undefined : `unknown messages ${JSON.stringify(value)}: use careful, everybody or nobody`;
}

const monitoringOptions: readonly OptionDefinition<Draft<MonitoringOptions>>[] = [
  flag("dashboard", monitoring("dashboard"), "Show the dashboard at / of the monitoring port"),
  text("token", monitoring("token"), "Token that must be shown to see anything"),
  text("username user", monitoring("username"), "User that must be named to see anything"),
  text("password pass", monitoring("password"), "Password of that user"),
  text(
    "messages",
    monitoring("messages"),
    "Who may see the contents of messages: careful (with the token or password; without one, this machine), everybody or nobody",
    checkMessageAccess,
  ),
];

const file = lensesOf<Draft<FileStoreOptions>>();

/** @see configuration.md 2.4 */
const fileOptions: readonly OptionDefinition<Draft<FileStoreOptions>>[] = [
  flag("compact compact_enabled", file("compactEnabled"), "Compact files"),
  count(
    "compact_frag compact_fragmentation",
    file("compactFragmentationPercent"),
    "Percentage of removed records that starts a compaction",
  ),
  count("compact_interval", file("compactIntervalSeconds"), "Least seconds between two compactions"),
  size("compact_min_size", file("compactMinBytes"), "Least size of a file that is compacted"),
  size("buffer_size", file("bufferBytes"), "Size of the write buffer"),
  flag("crc do_crc", file("crc"), "Check records by CRC-32 when they are recovered"),
  count("crc_poly", file("crcPolynomial"), "Polynomial of the CRC-32"),
  flag("sync do_sync sync_on_flush", file("sync"), "Sync files when they are flushed"),
  count(
    "slice_max_msgs slice_max_count slice_msgs slice_count",
    file("sliceMaxMessages"),
    "Messages of a file slice; 0 for no limit",
  ),
  size(
    "slice_max_bytes slice_max_size slice_bytes slice_size",
    file("sliceMaxBytes"),
    "Size of a file slice; 0 for no limit",
  ),
  duration(
    "slice_max_age slice_age slice_max_time slice_time_limit",
    file("sliceMaxAge"),
    "Time that a file slice covers; 0 for no limit",
  ),
  text(
    "slice_archive_script slice_archive slice_script",
    file("sliceArchiveScript"),
    "Script that is given a slice before it is removed",
  ),
  count(
    "file_descriptors_limit fds_limit",
    file("fileDescriptorsLimit"),
    "Files open at the same time; 0: three quarters of what the process may have",
  ),
  count("parallel_recovery", file("parallelRecovery"), "Channels recovered at the same time"),
  size("read_buffer_size file_read_buffer_size", file("readBufferBytes"), "Size of the read buffer"),
  duration("auto_sync file_auto_sync", file("autoSync"), "Time between two syncs of all files; 0 or less for none"),
  text(
    "recovery file_recovery",
    file("recovery"),
    "What a start does about damaged files: strict refuses, quarantine leaves the channel out, salvage keeps what can be read",
  ),
  size("cache_size file_cache_size", file("cacheBytes"), "Memory for messages that are on disk"),
  flagOnly(flag("truncate_bad_eof", file("truncateUnexpectedEof"), "Cut a file off where it ends within a record")),
];

const sql = lensesOf<Draft<SqlStoreOptions>>();

/** @see configuration.md 2.5 */
const sqlOptions: readonly OptionDefinition<Draft<SqlStoreOptions>>[] = [
  text("driver", sql("driver"), "Driver: sqlite, postgres or mysql"),
  text("source", sql("source"), "Data source; for sqlite the name of a file"),
  flag("no_caching", sql("noCaching"), "Do not gather messages before they are stored"),
  count("max_open_conns max_conns", sql("maxOpenConnections"), "Open connections; 0 for no limit"),
  count("bulk_insert_limit", sql("bulkInsertLimit"), "Messages stored by one INSERT; 0 for one each"),
];

const clustering = lensesOf<Draft<ClusteringOptions>>();

/** @see configuration.md 2.6 */
const clusteringOptions: readonly OptionDefinition<Draft<ClusteringOptions>>[] = [
  flagOnly(flag("clustered", clustering("clustered"), "Run clustered")),
  text("node_id", clustering("nodeId"), "ID of this node"),
  flag("bootstrap", clustering("bootstrap"), "Elect this node when there is no cluster yet"),
  texts("peers", clustering("peers"), "IDs of the other nodes"),
  text("log_path", clustering("logPath"), "Directory of the replication log"),
  count("log_cache_size", clustering("logCacheSize"), "Log entries kept in memory"),
  count("log_snapshots", clustering("logSnapshots"), "Snapshots kept"),
  count("trailing_logs", clustering("trailingLogs"), "Log entries kept behind a snapshot"),
  flag("sync", clustering("sync"), "Sync the log after every write"),
  flag("proceed_on_restore_failure", clustering("proceedOnRestoreFailure"), "Go on when a snapshot cannot be restored"),
  flag("allow_add_remove_node", clustering("allowAddRemoveNode"), "Let nodes be added and removed by request"),
  flag("raft_logging", clustering("raftLogging"), "Log lines of the replication"),
  duration("raft_heartbeat_timeout", clustering("raftHeartbeatTimeout"), "Silence of the leader before an election"),
  duration("raft_election_timeout", clustering("raftElectionTimeout"), "Length of an election"),
  duration("raft_lease_timeout", clustering("raftLeaseTimeout"), "How long a leader may be without its followers"),
  duration("raft_commit_timeout", clustering("raftCommitTimeout"), "Time between two commits without entries"),
  flag("bolt_free_list_sync", clustering("boltFreeListSync"), "Write the free list of the log to disk"),
  flag("bolt_free_list_map", clustering("boltFreeListMap"), "Keep the free list of the log as a map"),
  flag("nodes_connections", clustering("nodesConnections"), "Connections of its own to each node"),
];

/** A part of the file with options of its own. */
export interface OptionSection {
  /** The preferred key; empty for the section that holds the others. */
  readonly id: string;
  /** Every key of the section, lower case. */
  readonly keys: readonly string[];
  /** How messages call it: `expected <label> to be a map/struct`. */
  readonly label: string;
  /** Whether messages show keys in lower case rather than as written. */
  readonly lowerCaseKeys: boolean;
  readonly options: readonly OptionDefinition<OptionsDraft>[];
}

/** The options at the top of the streaming configuration. */
export const generalSection: OptionSection = section("", "", "", (draft) => draft.general, generalOptions);

export const tlsSection: OptionSection = section("tls", "", "TLS", (draft) => draft.tls, tlsOptions);

export const limitsSection: OptionSection = section(
  "store_limits",
  "limits storelimits",
  "store limits",
  (draft) => draft.limits,
  limitOptions,
);

/** Of this server's own: the original ignores it. */
export const deliverySection: OptionSection = section(
  "delivery",
  "",
  "delivery options",
  (draft) => draft.delivery,
  deliveryOptions,
);

/** Of this server's own: the original ignores it. */
export const monitoringSection: OptionSection = section(
  "monitoring",
  "",
  "monitoring options",
  (draft) => draft.monitoring,
  monitoringOptions,
);

export const fileSection: OptionSection = section(
  "file_options",
  "file",
  "file options",
  (draft) => draft.file,
  fileOptions,
);

export const sqlSection: OptionSection = {
  ...section("sql_options", "sql", "SQL options", (draft) => draft.sql, sqlOptions),
  lowerCaseKeys: true,
};

export const clusterSection: OptionSection = section(
  "cluster",
  "",
  "cluster",
  (draft) => draft.clustering,
  clusteringOptions,
);

/** Every section of the streaming configuration, the one that holds the others first. */
export const streamingSections: readonly OptionSection[] = [
  generalSection,
  tlsSection,
  limitsSection,
  deliverySection,
  monitoringSection,
  fileSection,
  sqlSection,
  clusterSection,
];

function section<Part>(
  id: string,
  aliases: string,
  label: string,
  pick: (draft: OptionsDraft) => Part,
  options: readonly OptionDefinition<Part>[],
): OptionSection {
  const keys = [id, ...aliases.split(" ")].filter((key) => key !== "");
  return { id, keys, label, lowerCaseKeys: false, options: options.map((option) => within(id, pick, option)) };
}
