import { type DurationNanos, durationFromMillis } from "@nats-streaming/kernel";

/**
 * What the embedded NATS server can be told. With an external one, only logging, the monitoring ports, the pid file and
 * the login are of use. Empty texts mean "not given".
 * @see configuration.md 4.3 and 7
 */
export interface NatsOptions extends NatsGeneralOptions {
  readonly authorization: AuthorizationOptions;
  readonly tls: NatsTlsOptions;
  readonly routes: RouteOptions;
}

export interface NatsGeneralOptions {
  readonly host: string;
  /** -1 for a free one. */
  readonly port: number;
  readonly serverName: string;
  /** Address that clients are told instead of the one listened on. */
  readonly clientAdvertise: string;
  /** Address of the monitoring ports; empty for that of `host`. */
  readonly httpHost: string;
  /** 0 for none, -1 for a free one. */
  readonly httpPort: number;
  /** 0 for none, -1 for a free one. */
  readonly httpsPort: number;
  readonly maxPayloadBytes: number;
  /** 0 for none at all, -1 for no limit. */
  readonly maxConnections: number;
  /** Per connection; 0 for no limit. */
  readonly maxSubscriptions: number;
  /** Most tokens that a subject subscribed to may have; 0 for no limit. */
  readonly maxSubscriptionTokens: number;
  readonly maxControlLineBytes: number;
  /** Most bytes that wait for one connection. */
  readonly maxPendingBytes: number;
  readonly writeDeadline: DurationNanos;
  readonly pingInterval: DurationNanos;
  /** How many pings may go unanswered. */
  readonly pingMax: number;
  /** How long clients are given to leave in lame duck mode, and how long before the first is asked to. */
  readonly lameDuckDuration: DurationNanos;
  readonly lameDuckGracePeriod: DurationNanos;
  readonly logFile: string;
  readonly logTime: boolean;
  /** 0 for no limit. */
  readonly logSizeLimitBytes: number;
  readonly debug: boolean;
  readonly trace: boolean;
  readonly traceVerbose: boolean;
  /** 0 for no limit. */
  readonly maxTracedMessageLength: number;
  readonly syslog: boolean;
  /** Such as `udp://localhost:514`. */
  readonly remoteSyslog: string;
  readonly pidFile: string;
  readonly portsFileDirectory: string;
}

/** Who may connect. @see configuration.md 7 */
export interface AuthorizationOptions {
  readonly user: string;
  readonly password: string;
  readonly token: string;
  /** How long a connection may take to log in. */
  readonly timeout: DurationNanos;
  readonly users: readonly UserOptions[];
  /** Of users that have none of their own; undefined when not given. */
  readonly defaultPermissions: PermissionOptions | undefined;
  /** The user that a client is taken for that names none; empty for nobody. */
  readonly noAuthUser: string;
}

/** One who may connect, and what they may do. */
export interface UserOptions {
  /** Empty for a user known by its key. */
  readonly user: string;
  /** Clear text or bcrypt. */
  readonly password: string;
  readonly nkey: string;
  /** Undefined when not given. */
  readonly permissions: PermissionOptions | undefined;
}

/** What a user may do; what is left out is allowed. */
export interface PermissionOptions {
  readonly publish: SubjectOptions | undefined;
  readonly subscribe: SubjectOptions | undefined;
  /** Answers to what was received are allowed; undefined when nothing is said of them. */
  readonly responses: ResponseOptions | undefined;
}

/** Which subjects are allowed, and which of them are not. */
export interface SubjectOptions {
  /** Undefined for all. */
  readonly allow: readonly string[] | undefined;
  readonly deny: readonly string[] | undefined;
}

/** How far requests may be answered whose reply subjects are not allowed otherwise. */
export interface ResponseOptions {
  /** Answers to one message; undefined for the default, below 0 for no limit. */
  readonly max: number | undefined;
  readonly expires: DurationNanos | undefined;
}

/** TLS for clients of the embedded server. */
export interface NatsTlsOptions extends TlsBlock {
  readonly enabled: boolean;
}

/** A `tls` block. Texts are names of files. */
export interface TlsBlock {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** Demand a certificate of whoever connects. */
  readonly verify: boolean;
  /** Take the user from that certificate. */
  readonly verifyAndMap: boolean;
  /** Routes only: do not check certificates. */
  readonly insecure: boolean;
  /** How long a handshake may take; 0 for the default. */
  readonly timeout: DurationNanos;
  /** Names as nats-server has them; empty for the default. */
  readonly cipherSuites: readonly string[];
  readonly curves: readonly string[];
}

/** Routes to other NATS servers. */
export interface RouteOptions {
  /** Where routes are listened for, by flag: `nats://[user:password@]host:port`; empty when no flag says so. */
  readonly listenUrl: string;
  /** Where routes are listened for, by file; empty host for all addresses. */
  readonly host: string;
  /** 0 for not at all, -1 for a free one. */
  readonly port: number;
  /** Routes to open. */
  readonly urls: readonly string[];
  readonly name: string;
  readonly advertise: string;
  readonly noAdvertise: boolean;
  /** 0 when not given. */
  readonly connectRetries: number;
  /** Login that other servers have to give; empty for none. */
  readonly user: string;
  readonly password: string;
  /** How long another server may take to introduce itself; 0 for the default. */
  readonly timeout: DurationNanos;
  /** Undefined when routes are not encrypted. */
  readonly tls: TlsBlock | undefined;
}

/** A `tls` block that says nothing. */
export const emptyTlsBlock: TlsBlock = {
  certFile: "",
  keyFile: "",
  caFile: "",
  verify: false,
  verifyAndMap: false,
  insecure: false,
  timeout: durationFromMillis(0),
  cipherSuites: [],
  curves: [],
};

/** What holds when nothing is said. */
export const defaultNatsOptions: NatsOptions = {
  host: "0.0.0.0",
  port: 4222,
  serverName: "",
  clientAdvertise: "",
  httpHost: "",
  httpPort: 0,
  httpsPort: 0,
  maxPayloadBytes: 1_048_576,
  maxConnections: 65_536,
  maxSubscriptions: 0,
  maxSubscriptionTokens: 0,
  maxControlLineBytes: 4_096,
  maxPendingBytes: 67_108_864,
  writeDeadline: durationFromMillis(10_000),
  pingInterval: durationFromMillis(120_000),
  pingMax: 2,
  lameDuckDuration: durationFromMillis(120_000),
  lameDuckGracePeriod: durationFromMillis(10_000),
  logFile: "",
  logTime: true,
  logSizeLimitBytes: 0,
  debug: false,
  trace: false,
  traceVerbose: false,
  maxTracedMessageLength: 0,
  syslog: false,
  remoteSyslog: "",
  pidFile: "",
  portsFileDirectory: "",
  authorization: {
    user: "",
    password: "",
    token: "",
    timeout: durationFromMillis(2_000),
    users: [],
    defaultPermissions: undefined,
    noAuthUser: "",
  },
  tls: { enabled: false, ...emptyTlsBlock },
  routes: {
    listenUrl: "",
    host: "",
    port: 0,
    urls: [],
    name: "",
    advertise: "",
    noAdvertise: false,
    connectRetries: 0,
    user: "",
    password: "",
    timeout: durationFromMillis(0),
    tls: undefined,
  },
};
