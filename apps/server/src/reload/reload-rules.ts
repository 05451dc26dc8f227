/** What has to be done for a changed option to hold. */
export type ReloadArea =
  /** Which of the finer log lines are written. */
  | "verbosity"
  /** Where log lines go, and in which form. */
  | "target"
  /** The embedded NATS server takes it over. */
  | "broker"
  /** The store and the partition take it over. */
  | "limits"
  | "pid_file"
  | "ports_file"
  /** It is looked up when it is needed. */
  | "later";

/** Whether a changed option can hold without a restart. */
export type ReloadRule =
  | {
      readonly kind: "applies";
      readonly area: ReloadArea;
      /** For whom, when not for everybody. */
      readonly remark: string;
    }
  | { readonly kind: "needs_restart"; readonly reason: string }
  /** The option changes nothing here, whatever it says. */
  | { readonly kind: "no_effect"; readonly reason: string };

/** The rule for an option, by its id in the option tables, or of a group of options. */
export function reloadRuleOf(id: string): ReloadRule | undefined {
  return rules.get(id);
}

/** Ids of everything that has a rule, in the order of the documentation. */
export function ruledIds(): readonly string[] {
  return [...rules.keys()];
}

const NEW_CHANNELS = "channels created from now on";
const NEW_CONNECTIONS = "connections from now on";
const NEW_SUBSCRIPTIONS = "subscriptions from now on";

const STORE = "the store is opened once, at the start";
const NATS_LOGIN = "connections to NATS are made at the start";
const IDENTITY = "clients and other servers know this one by it";
const PLACE = "the server listens at one place as long as it runs";
const HEARTBEATS = "the heartbeats of connected clients run by it";
const ENGINE = "it is taken at the start";
const MONITORING = "monitoring is set up once, at the start";
const ROLE = "it decides what the server is";
const CLUSTERING = "streaming clustering is not supported";
const UNUSED = "this server does not use it";

const rules: ReadonlyMap<string, ReloadRule> = new Map([
  ...applies("verbosity", "", "stan_debug stan_trace nats.debug nats.trace"),
  ...applies("target", "", "nats.logfile nats.logtime nats.log_size_limit nats.syslog nats.remote_syslog"),
  ...applies("broker", "", "nats.authorization.user nats.authorization.password nats.authorization.token"),
  ...applies("broker", "", "nats.authorization.users nats.authorization.default_permissions nats.no_auth_user"),
  ...applies("broker", "", "nats.authorization.timeout"),
  ...applies("broker", NEW_CONNECTIONS, "nats.tls"),
  ...applies("broker", "", "nats.max_connections nats.write_deadline nats.ping_interval nats.ping_max"),
  ...applies("broker", "a higher one: connections from now on", "nats.max_payload"),
  ...applies("broker", NEW_CONNECTIONS, "nats.max_control_line nats.max_pending nats.client_advertise"),
  ...applies("broker", NEW_SUBSCRIPTIONS, "nats.max_subscriptions nats.max_sub_tokens"),
  ...applies("broker", "", "nats.cluster.routes nats.cluster.authorization nats.cluster.no_advertise"),
  ...applies("broker", "", "nats.cluster.connect_retries"),
  ...applies("broker", "routes from now on", "nats.cluster.tls nats.cluster.timeout"),
  ...applies("limits", NEW_CHANNELS, "store_limits.max_channels store_limits.max_subs store_limits.max_msgs"),
  ...applies("limits", NEW_CHANNELS, "store_limits.max_bytes store_limits.max_age store_limits.max_inactivity"),
  ...applies("limits", `limits: ${NEW_CHANNELS}`, "store_limits.channels"),
  ...applies("pid_file", "", "nats.pid_file"),
  ...applies("ports_file", "", "nats.ports_file_dir"),
  ...applies("later", "", "nats.lame_duck_duration nats.lame_duck_grace_period"),
  ...needsRestart(IDENTITY, "cluster_id discover_prefix nats.server_name nats.cluster.name nats.cluster.advertise"),
  ...needsRestart(PLACE, "nats.host nats.port nats.http_port nats.https_port nats.http_host nats.cluster.listen"),
  ...needsRestart(STORE, "store dir encrypt encryption_cipher encryption_key"),
  ...needsRestart(STORE, ...inSection("file_options", fileOptions()), ...inSection("sql_options", sqlOptions())),
  ...needsRestart(NATS_LOGIN, "nats_server_url credentials username password token nkey_seed_file secure"),
  ...needsRestart(NATS_LOGIN, ...inSection("tls", "client_cert client_key client_ca server_name insecure")),
  ...needsRestart(HEARTBEATS, "hb_interval hb_timeout hb_fail_count"),
  ...needsRestart(ROLE, "ft_group partitioning partition_conflict partition_unowned"),
  ...needsRestart(ENGINE, "replace_durable io_batch_size io_sleep_time"),
  ...needsRestart(ENGINE, "delivery.honour_max_in_flight_on_resume delivery.max_redeliveries delivery.dead_letter"),
  ...needsRestart(ENGINE, "delivery.channels"),
  ...needsRestart(MONITORING, "monitoring.dashboard monitoring.token monitoring.username monitoring.password"),
  ...needsRestart(MONITORING, "monitoring.messages"),
  ...noEffect(CLUSTERING, ...inSection("cluster", clusterOptions())),
  ...noEffect(UNUSED, "syslog_name nats.trace_verbose nats.max_traced_msg_len"),
]);

function fileOptions(): string {
  return [
    "compact compact_frag compact_interval compact_min_size buffer_size crc crc_poly sync slice_max_msgs slice_max_bytes",
    "slice_max_age slice_archive_script file_descriptors_limit parallel_recovery read_buffer_size auto_sync recovery",
    "cache_size truncate_bad_eof",
  ].join(" ");
}

function sqlOptions(): string {
  return "driver source no_caching max_open_conns bulk_insert_limit";
}

function clusterOptions(): string {
  return [
    "clustered node_id bootstrap peers log_path log_cache_size log_snapshots trailing_logs sync proceed_on_restore_failure",
    "allow_add_remove_node raft_logging raft_heartbeat_timeout raft_election_timeout raft_lease_timeout",
    "raft_commit_timeout bolt_free_list_sync bolt_free_list_map nodes_connections",
  ].join(" ");
}

function inSection(section: string, ids: string): readonly string[] {
  return ids.split(" ").map((id) => `${section}.${id}`);
}

type Entry = readonly [id: string, rule: ReloadRule];

function applies(area: ReloadArea, remark: string, ids: string): readonly Entry[] {
  return ids.split(" ").map((id): Entry => [id, { kind: "applies", area, remark }]);
}

function needsRestart(reason: string, ...ids: readonly string[]): readonly Entry[] {
  return ids.flatMap((words) => words.split(" ")).map((id): Entry => [id, { kind: "needs_restart", reason }]);
}

function noEffect(reason: string, ...ids: readonly string[]): readonly Entry[] {
  return ids.flatMap((words) => words.split(" ")).map((id): Entry => [id, { kind: "no_effect", reason }]);
}
