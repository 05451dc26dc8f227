// Made from the option tables by `pnpm run docs`; a test holds it to them.

/** What an embedded server can be told, under the names that configuration files use. */
export interface ServerConfig {
  /** Cluster ID. Default: test-cluster. */
  readonly cluster_id?: string;
  /** Prefix of the subject that clients connect on. Default: _STAN.discover. */
  readonly discover_prefix?: string;
  /** Store type: MEMORY, FILE or SQL. Default: MEMORY. */
  readonly store?: string;
  /** Root directory of the file store. */
  readonly dir?: string;
  /** Log debug lines of the streaming server. Default: false. */
  readonly stan_debug?: boolean;
  /** Log trace lines of the streaming server. Default: false. */
  readonly stan_trace?: boolean;
  /** URLs of external NATS servers; empty to embed one. */
  readonly nats_server_url?: string;
  /** NATS credentials file. */
  readonly credentials?: string;
  /** User name towards NATS. */
  readonly username?: string;
  /** Password towards NATS. */
  readonly password?: string;
  /** Token towards NATS. */
  readonly token?: string;
  /** File with the NKey seed towards NATS. */
  readonly nkey_seed_file?: string;
  /** Use TLS towards NATS. Default: false. */
  readonly secure?: boolean;
  /** Time between two heartbeats to a client. Default: 30s. */
  readonly hb_interval?: string;
  /** How long a client may take to answer a heartbeat. Default: 10s. */
  readonly hb_timeout?: string;
  /** Heartbeats that a client may miss. Default: 10. */
  readonly hb_fail_count?: number;
  /** Fault tolerance group. */
  readonly ft_group?: string;
  /** Serve only the channels listed under store_limits. Default: false. */
  readonly partitioning?: boolean;
  /** Which of two serving partition servers that overlap ends: younger_exits, or exit_all for both, as in the original. Default: younger_exits. */
  readonly partition_conflict?: string;
  /** What clients get for a channel that no partition server owns: silent leaves them to their timeout, error tells them. Default: silent. */
  readonly partition_unowned?: string;
  /** Source of the event log on Windows. */
  readonly syslog_name?: string;
  /** Encrypt message payloads in the store. Default: false. */
  readonly encrypt?: boolean;
  /** AES or CHACHA; empty for what suits the machine. */
  readonly encryption_cipher?: string;
  /** Key of the encryption; switches it on. */
  readonly encryption_key?: string;
  /** Let a new durable subscription replace the one in its place. Default: false. */
  readonly replace_durable?: boolean;
  /** Address to listen on. Default: 0.0.0.0. */
  readonly host?: string;
  /** Port for clients; -1 for a free one. Default: 4222. */
  readonly port?: number;
  /** Name of the NATS server. */
  readonly server_name?: string;
  /** Address that clients are told. */
  readonly client_advertise?: string;
  /** Port for monitoring over HTTP; 0 for none. Default: 0. */
  readonly http_port?: number;
  /** Port for monitoring over HTTPS; 0 for none. Default: 0. */
  readonly https_port?: number;
  /** Largest payload of a message. Default: 1048576. */
  readonly max_payload?: number | string;
  /** Connections; -1 for no limit. Default: 65536. */
  readonly max_connections?: number;
  /** Subscriptions of a connection; 0 for no limit. Default: 0. */
  readonly max_subscriptions?: number;
  /** Tokens of a subject subscribed to; 0 for no limit. Default: 0. */
  readonly max_sub_tokens?: number;
  /** Longest protocol line. Default: 4096. */
  readonly max_control_line?: number | string;
  /** Bytes that may wait for one connection. Default: 67108864. */
  readonly max_pending?: number | string;
  /** How long a write to a connection may take. Default: 10s. */
  readonly write_deadline?: string;
  /** Time between two pings to a connection. Default: 2m0s. */
  readonly ping_interval?: string;
  /** Pings that may go unanswered. Default: 2. */
  readonly ping_max?: number;
  /** How long clients are given to leave. Default: 2m0s. */
  readonly lame_duck_duration?: string;
  /** How long before the first client is asked to leave. Default: 10s. */
  readonly lame_duck_grace_period?: string;
  /** File for log lines. */
  readonly logfile?: string;
  /** Begin log lines with the time. Default: true. */
  readonly logtime?: boolean;
  /** Size at which the log file is rotated; 0 for none. Default: 0. */
  readonly log_size_limit?: number | string;
  /** Log debug lines of the NATS server. Default: false. */
  readonly debug?: boolean;
  /** Log trace lines of the NATS server. Default: false. */
  readonly trace?: boolean;
  /** Log every protocol line. Default: false. */
  readonly trace_verbose?: boolean;
  /** Longest piece of a message in a trace line; 0 for no limit. Default: 0. */
  readonly max_traced_msg_len?: number;
  /** Log to the local syslog. Default: false. */
  readonly syslog?: boolean;
  /** Log to this syslog server. */
  readonly remote_syslog?: string;
  /** File for the process ID. */
  readonly pid_file?: string;
  /** Directory for the file with the ports in use. */
  readonly ports_file_dir?: string;
  readonly tls?: TlsClientConfig;
  readonly store_limits?: StoreLimitsConfig;
  readonly delivery?: DeliveryConfig;
  readonly monitoring?: MonitoringConfig;
  readonly file_options?: FileOptionsConfig;
  readonly sql_options?: SqlOptionsConfig;
  readonly authorization?: AuthorizationConfig;
}

/** TLS towards an external NATS server. */
export interface TlsClientConfig {
  /** Certificate file. */
  readonly client_cert?: string;
  /** Private key file. */
  readonly client_key?: string;
  /** File with the certificates to trust. */
  readonly client_ca?: string;
  /** Name that the NATS server's certificate must bear. */
  readonly server_name?: string;
  /** Take any certificate of the NATS server. Default: false. */
  readonly insecure?: boolean;
}

/** Limits, and the list of channels. */
export interface StoreLimitsConfig {
  /** Channels. Default: 100. */
  readonly max_channels?: number;
  /** Subscriptions of a channel. Default: 1000. */
  readonly max_subs?: number;
  /** Messages of a channel. Default: 1000000. */
  readonly max_msgs?: number;
  /** Size of a channel. Default: 1024000000. */
  readonly max_bytes?: number | string;
  /** Age of a message. Default: 0s. */
  readonly max_age?: string;
  /** How long a channel may be unused before it is deleted. Default: 0s. */
  readonly max_inactivity?: string;
  /** Limits of single channels and patterns; with partitioning also the list of what is served. */
  readonly channels?: Readonly<Record<string, ChannelLimitsConfig>>;
}

/** Limits of a channel; what is left out is inherited. */
export interface ChannelLimitsConfig {
  /** Subscriptions of a channel. */
  readonly max_subs?: number;
  /** Messages of a channel. */
  readonly max_msgs?: number;
  /** Size of a channel. */
  readonly max_bytes?: number | string;
  /** Age of a message. */
  readonly max_age?: string;
  /** How long a channel may be unused before it is deleted. */
  readonly max_inactivity?: string;
}

/** What this server adds to delivery. */
export interface DeliveryConfig {
  /** Send a durable that resumes no more than its max in flight at once. Default: false. */
  readonly honour_max_in_flight_on_resume?: boolean;
  /** Redeliveries of a message at most; 0 without end. Default: 0. */
  readonly max_redeliveries?: number;
  /** Channel that takes what was redelivered that often. */
  readonly dead_letter?: string;
  /** Rules of single channels and patterns. */
  readonly channels?: Readonly<Record<string, RedeliveryConfig>>;
}

/** When redelivering ends. */
export interface RedeliveryConfig {
  /** Redeliveries of a message at most; 0 without end. */
  readonly max_redeliveries?: number;
  /** Channel that takes what was redelivered that often. */
  readonly dead_letter?: string;
}

/** What this server adds to monitoring. */
export interface MonitoringConfig {
  /** Show the dashboard at / of the monitoring port. Default: true. */
  readonly dashboard?: boolean;
  /** Token that must be shown to see anything. */
  readonly token?: string;
  /** User that must be named to see anything. */
  readonly username?: string;
  /** Password of that user. */
  readonly password?: string;
  /** Who may see the contents of messages: careful (with the token or password; without one, this machine), everybody or nobody. Default: careful. */
  readonly messages?: string;
}

/** The file store. */
export interface FileOptionsConfig {
  /** Compact files. Default: true. */
  readonly compact?: boolean;
  /** Percentage of removed records that starts a compaction. Default: 50. */
  readonly compact_frag?: number;
  /** Least seconds between two compactions. Default: 300. */
  readonly compact_interval?: number;
  /** Least size of a file that is compacted. Default: 1048576. */
  readonly compact_min_size?: number | string;
  /** Size of the write buffer. Default: 2097152. */
  readonly buffer_size?: number | string;
  /** Check records by CRC-32 when they are recovered. Default: true. */
  readonly crc?: boolean;
  /** Polynomial of the CRC-32. Default: 3988292384. */
  readonly crc_poly?: number;
  /** Sync files when they are flushed. Default: true. */
  readonly sync?: boolean;
  /** Messages of a file slice; 0 for no limit. Default: 0. */
  readonly slice_max_msgs?: number;
  /** Size of a file slice; 0 for no limit. Default: 67108864. */
  readonly slice_max_bytes?: number | string;
  /** Time that a file slice covers; 0 for no limit. Default: 0s. */
  readonly slice_max_age?: string;
  /** Script that is given a slice before it is removed. */
  readonly slice_archive_script?: string;
  /** Files open at the same time; 0: three quarters of what the process may have. Default: 0. */
  readonly file_descriptors_limit?: number;
  /** Channels recovered at the same time. Default: 1. */
  readonly parallel_recovery?: number;
  /** Size of the read buffer. Default: 2097152. */
  readonly read_buffer_size?: number | string;
  /** Time between two syncs of all files; 0 or less for none. Default: 1m0s. */
  readonly auto_sync?: string;
  /** What a start does about damaged files: strict refuses, quarantine leaves the channel out, salvage keeps what can be read. Default: quarantine. */
  readonly recovery?: string;
  /** Memory for messages that are on disk. Default: 67108864. */
  readonly cache_size?: number | string;
}

/** The SQL store. */
export interface SqlOptionsConfig {
  /** Driver: sqlite, postgres or mysql. */
  readonly driver?: string;
  /** Data source; for sqlite the name of a file. */
  readonly source?: string;
  /** Do not gather messages before they are stored. Default: false. */
  readonly no_caching?: boolean;
  /** Open connections; 0 for no limit. Default: 0. */
  readonly max_open_conns?: number;
  /** Messages stored by one INSERT; 0 for one each. Default: 0. */
  readonly bulk_insert_limit?: number;
}

/** Who may connect to the embedded NATS server. */
export interface AuthorizationConfig {
  /** User that must be named to connect. */
  readonly user?: string;
  /** Password of that user, clear or bcrypt. */
  readonly password?: string;
  /** Token that must be named to connect. */
  readonly token?: string;
  /** Seconds that a connection may take to log in. */
  readonly timeout?: number;
  readonly users?: readonly UserConfig[];
  readonly default_permissions?: PermissionsConfig;
}

/** A user, known by name and password or by its key. */
export interface UserConfig {
  readonly user?: string;
  /** Clear text or bcrypt. */
  readonly password?: string;
  readonly nkey?: string;
  readonly permissions?: PermissionsConfig;
}

/** Subjects that a user may use. */
export interface PermissionsConfig {
  readonly publish?: SubjectsConfig;
  readonly subscribe?: SubjectsConfig;
  readonly allow_responses?: boolean;
}

/** Subjects that are allowed, or what is allowed and denied. */
export type SubjectsConfig =
  | string
  | readonly string[]
  | { readonly allow?: string | readonly string[]; readonly deny?: string | readonly string[] };
