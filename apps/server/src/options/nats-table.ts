import { type Draft, lensesOf, type OptionsDraft } from "./draft.ts";
import type {
  AuthorizationOptions,
  NatsGeneralOptions,
  NatsTlsOptions,
  RouteOptions,
  UserOptions,
} from "./nats-options.ts";
import { type OptionDefinition, within } from "./option.ts";
import { count, duration, flag, flagOnly, size, text, texts } from "./option-builders.ts";

const nats = lensesOf<Draft<NatsGeneralOptions>>();

const generalOptions: readonly OptionDefinition<Draft<NatsGeneralOptions>>[] = [
  text("host net addr", nats("host"), "Address to listen on"),
  count("port", nats("port"), "Port for clients; -1 for a free one"),
  text("server_name", nats("serverName"), "Name of the NATS server"),
  text("client_advertise", nats("clientAdvertise"), "Address that clients are told"),
  count("http_port monitor_port", nats("httpPort"), "Port for monitoring over HTTP; 0 for none"),
  count("https_port", nats("httpsPort"), "Port for monitoring over HTTPS; 0 for none"),
  size("max_payload", nats("maxPayloadBytes"), "Largest payload of a message"),
  count("max_connections max_conn", nats("maxConnections"), "Connections; -1 for no limit"),
  count("max_subscriptions max_subs", nats("maxSubscriptions"), "Subscriptions of a connection; 0 for no limit"),
  count(
    "max_sub_tokens max_subscription_tokens",
    nats("maxSubscriptionTokens"),
    "Tokens of a subject subscribed to; 0 for no limit",
  ),
  size("max_control_line", nats("maxControlLineBytes"), "Longest protocol line"),
  size("max_pending", nats("maxPendingBytes"), "Bytes that may wait for one connection"),
  duration("write_deadline", nats("writeDeadline"), "How long a write to a connection may take"),
  duration("ping_interval", nats("pingInterval"), "Time between two pings to a connection"),
  count("ping_max", nats("pingMax"), "Pings that may go unanswered"),
  duration("lame_duck_duration", nats("lameDuckDuration"), "How long clients are given to leave"),
  duration("lame_duck_grace_period", nats("lameDuckGracePeriod"), "How long before the first client is asked to leave"),
  text("logfile log_file", nats("logFile"), "File for log lines"),
  flag("logtime", nats("logTime"), "Begin log lines with the time"),
  size(
    "log_size_limit logfile_size_limit",
    nats("logSizeLimitBytes"),
    "Size at which the log file is rotated; 0 for none",
  ),
  flag("debug", nats("debug"), "Log debug lines of the NATS server"),
  flag("trace", nats("trace"), "Log trace lines of the NATS server"),
  flag("trace_verbose", nats("traceVerbose"), "Log every protocol line"),
  count(
    "max_traced_msg_len",
    nats("maxTracedMessageLength"),
    "Longest piece of a message in a trace line; 0 for no limit",
  ),
  flag("syslog", nats("syslog"), "Log to the local syslog"),
  text("remote_syslog", nats("remoteSyslog"), "Log to this syslog server"),
  text("pid_file pidfile", nats("pidFile"), "File for the process ID"),
  text("ports_file_dir", nats("portsFileDirectory"), "Directory for the file with the ports in use"),
];

const authorization = lensesOf<Draft<AuthorizationOptions>>();

const authorizationOptions: readonly OptionDefinition<Draft<AuthorizationOptions>>[] = [
  text("user username", authorization("user"), "User that must be named to connect"),
  text("password pass", authorization("password"), "Password of that user, clear or bcrypt"),
  text("token", authorization("token"), "Token that must be named to connect"),
];

const routes = lensesOf<Draft<RouteOptions>>();

/** What flags say of routes; the `cluster` block of a file has a reader of its own. */
const routeOptions: readonly OptionDefinition<Draft<RouteOptions>>[] = [
  text("listen", routes("listenUrl"), "URL to listen for routes on"),
  texts("routes", routes("urls"), "Routes to open"),
  text("name", routes("name"), "Name of the NATS cluster"),
  text("cluster_advertise", routes("advertise"), "Address that other NATS servers are told"),
  flag("no_advertise", routes("noAdvertise"), "Do not tell clients of other NATS servers"),
  count("connect_retries", routes("connectRetries"), "Attempts to open a route that was learnt"),
];

const tls = lensesOf<Draft<NatsTlsOptions>>();

/** What flags say of TLS; the `tls` block of a file has a reader of its own. */
const tlsOptions: readonly OptionDefinition<Draft<NatsTlsOptions>>[] = [
  flag("enabled", tls("enabled"), "Use TLS for clients"),
  text("cert_file", tls("certFile"), "Certificate file"),
  text("key_file", tls("keyFile"), "Private key file"),
  text("ca_file", tls("caFile"), "File with the certificates to trust"),
  flag("verify", tls("verify"), "Demand a certificate of every client"),
];

/** Options at the top of the NATS configuration. Their ids begin with `nats.`, for some keys mean two things. */
export const natsGeneral: readonly OptionDefinition<OptionsDraft>[] = generalOptions.map((option) =>
  within("nats", (draft: OptionsDraft) => draft.nats, option),
);

/** Options of the `authorization` block. */
export const natsAuthorization: readonly OptionDefinition<OptionsDraft>[] = authorizationOptions.map((option) =>
  within("nats.authorization", (draft: OptionsDraft) => draft.authorization, option),
);

/** What flags set of routes and of TLS. */
export const natsFlagOptions: readonly OptionDefinition<OptionsDraft>[] = [
  ...routeOptions.map((option) => within("nats.cluster", (draft: OptionsDraft) => draft.routes, flagOnly(option))),
  ...tlsOptions.map((option) => within("nats.tls", (draft: OptionsDraft) => draft.natsTls, flagOnly(option))),
];

const user = lensesOf<Draft<UserOptions>>();

/** Options of an entry in `authorization { users }`. */
export const userOptions: readonly OptionDefinition<Draft<UserOptions>>[] = [
  text("user username", user("user"), "User name"),
  text("password pass", user("password"), "Password, clear or bcrypt"),
  text("nkey", user("nkey"), "Public NKey, instead of a user name"),
];

/** Keys of a user beside its options. */
export const PERMISSION_KEYS: readonly string[] = ["permission", "permissions", "authorization"];

/** Keys of a user that change nothing here: there is one kind of connection. */
export const CONNECTION_TYPE_KEYS: readonly string[] = ["allowed_connection_types", "connection_types", "clients"];

/** Keys of `authorization` beside its options. */
export const AUTHORIZATION_KEYS: readonly string[] = [
  ...["timeout", "users", "default_permission", "default_permissions", "permissions"],
];

/** Keys that the NATS `cluster` block knows; any other is refused. */
export const CLUSTER_KEYS: readonly string[] = [
  ...["name", "listen", "port", "host", "net", "authorization", "routes", "tls", "cluster_advertise", "advertise"],
  ...["no_advertise", "connect_retries", "permissions"],
];

/** Keys that the NATS `tls` block knows; any other is refused. */
export const TLS_KEYS: readonly string[] = [
  ...["cert_file", "key_file", "ca_file", "verify", "verify_and_map", "verify_cert_and_check_known_urls", "insecure"],
  ...["cipher_suites", "curve_preferences", "timeout", "connection_rate_limit", "pinned_certs"],
];

/** Keys at the top that are read by code of their own. */
export const SPECIAL_KEYS: readonly string[] = [
  ...["listen", "http", "https", "authorization", "cluster", "tls", "no_auth_user"],
];

/** Keys of `nats-server` that change nothing here. */
export const KEYS_WITHOUT_EFFECT: readonly string[] = [
  ...["disable_sublist_cache", "no_sublist_cache", "http_base_path", "prof_port", "allow_non_tls"],
  ...["system_account", "system", "no_system_account", "no_system", "no_sys_acc", "connect_error_reports"],
  ...["reconnect_error_reports", "server_tags", "store_dir", "storedir", "default_js_domain"],
  ...["resolver_tls", "resolver_preload", "resolver_pinned_accounts"],
];

/** Keys of features that only the full `nats-server` has, with what to call the feature. */
export const KEYS_OF_FULL_SERVER: ReadonlyMap<string, string> = new Map([
  ["jetstream", "JetStream"],
  ["leaf", "leaf nodes"],
  ["leafnodes", "leaf nodes"],
  ["gateway", "gateways"],
  ["mqtt", "MQTT"],
  ["websocket", "WebSocket"],
  ["ws", "WebSocket"],
  ["accounts", "accounts"],
  ["mappings", "subject mappings"],
  ["maps", "subject mappings"],
  ["ocsp", "OCSP"],
  ...[..."operator operators root roots root_operator root_operators trusted trusted_keys".split(" ")].map(
    (key): [string, string] => [key, "operator mode"],
  ),
  ...["resolver", "account_resolver", "accounts_resolver"].map((key): [string, string] => [key, "account resolvers"]),
]);

/** Every key that means something at the top of a NATS configuration, lower case. */
export const natsTopLevelKeys: ReadonlySet<string> = new Set([
  ...natsGeneral.flatMap((option) => option.keys),
  ...SPECIAL_KEYS,
  ...KEYS_WITHOUT_EFFECT,
  ...KEYS_OF_FULL_SERVER.keys(),
]);
