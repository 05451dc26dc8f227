import { type DurationNanos, durationFromMillis } from "@nats-streaming/kernel";
import { defaultStoreLimits, type StoreLimits } from "@nats-streaming/store";
import {
  CACHE_BYTES_DEFAULT,
  defaultFileStoreOptions,
  type FileStoreOptions as FileStoreTuning,
} from "@nats-streaming/store-file";

/** What the streaming side of the server can be told. Empty texts mean "not given". @see configuration.md 2 */
export interface StreamingOptions extends GeneralOptions {
  readonly tls: TlsClientOptions;
  /** Channels are in file order, which is the order of the partition list. */
  readonly storeLimits: StoreLimits;
  readonly delivery: DeliveryOptions;
  readonly monitoring: MonitoringOptions;
  readonly fileStore: FileStoreOptions;
  readonly sqlStore: SqlStoreOptions;
  readonly clustering: ClusteringOptions;
}

/** @see configuration.md 2.1 */
export interface GeneralOptions {
  readonly clusterId: string;
  /** Prefix of the subject that clients send their connect request to. */
  readonly discoverPrefix: string;
  /**
   * In upper case. A file can only say `MEMORY`, `FILE` or `SQL`; a flag can say anything, which is refused at the start
   * with `unsupported store type: <type>`.
   */
  readonly storeType: string;
  /** Root directory of the file store. */
  readonly directory: string;
  readonly debug: boolean;
  readonly trace: boolean;
  /** URLs of the NATS servers to connect to, parted by commas; empty to embed one. */
  readonly natsServerUrl: string;
  /** File with the NATS credentials (JWT and seed). */
  readonly credentialsFile: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly nkeySeedFile: string;
  /** Use TLS towards NATS even where no certificate is named. */
  readonly secure: boolean;
  readonly heartbeatInterval: DurationNanos;
  readonly heartbeatTimeout: DurationNanos;
  /** How many heartbeats a client may miss. */
  readonly heartbeatFailCount: number;
  /** Name of the fault tolerance group; empty for none. */
  readonly ftGroup: string;
  readonly partitioning: boolean;
  /** What becomes of two serving partition servers that meet and overlap: `younger_exits` or `exit_all`. */
  readonly partitionConflict: string;
  /** What a client gets that asks for a channel which no partition server owns: `silent` or `error`. */
  readonly partitionUnowned: string;
  /** Source of the event log on Windows. */
  readonly syslogName: string;
  readonly encrypt: boolean;
  /** `AES`, `CHACHA` in any case, or empty for automatic; anything else is refused at the start. */
  readonly encryptionCipher: string;
  readonly encryptionKey: string;
  /** Whether a durable subscription may be replaced by a new one of the same client and name. */
  readonly replaceDurable: boolean;
  /** Most messages that are stored as one batch. */
  readonly ioBatchSize: number;
  /** How long to wait for a batch to fill, in microseconds; 0 not at all. */
  readonly ioSleepMicros: number;
}

/** TLS towards NATS. @see configuration.md 2.2 */
export interface TlsClientOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  /** The name that the certificate of the NATS server must bear, when it is not that of the URL. */
  readonly serverName: string;
  /** Take any certificate. */
  readonly skipVerify: boolean;
}

/** What this server adds to the original's delivery; nothing of it is on by default. */
export interface DeliveryOptions extends RedeliveryRule {
  /** A durable that resumes gets no more than its max in flight at once, instead of everything pending. */
  readonly honourMaxInFlightOnResume: boolean;
  /** Rules of named channels and patterns, in file order; the narrowest that matches counts. */
  readonly channels: ReadonlyMap<string, RedeliveryRule>;
}

/** When redelivering ends. */
export interface RedeliveryRule {
  /** How often a message is redelivered at most; 0 without end. For a channel, -1 as for all channels. */
  readonly maxRedeliveries: number;
  /** The channel that takes what was redelivered that often. For a channel, empty as for all channels. */
  readonly deadLetter: string;
}

/** What this server adds to the original's monitoring. Its address and port are NATS options. */
export interface MonitoringOptions {
  /** Show the dashboard at `/`. */
  readonly dashboard: boolean;
  /** Whoever asks must show it; empty for none. Not together with {@link username}. */
  readonly token: string;
  readonly username: string;
  readonly password: string;
  /** Who may see the contents of messages: `careful`, `everybody` or `nobody`; anything else is refused at the start. */
  readonly messages: string;
}

/** The file store and what it does about damage. @see configuration.md 2.4 */
export interface FileStoreOptions extends FileStoreTuning {
  /** `strict`, `quarantine` or `salvage`; anything else is refused at the start. */
  readonly recovery: string;
  /** Most bytes of messages that are kept in memory once they are on disk. */
  readonly cacheBytes: number;
}

/** The SQL store. @see configuration.md 2.5 */
export interface SqlStoreOptions {
  readonly driver: string;
  readonly source: string;
  readonly noCaching: boolean;
  /** 0 for no limit. */
  readonly maxOpenConnections: number;
  /** Most messages that one INSERT stores; 0 for one each. */
  readonly bulkInsertLimit: number;
}

/** Streaming clustering, which this server reads but does not run. @see configuration.md 2.6 */
export interface ClusteringOptions {
  readonly clustered: boolean;
  readonly nodeId: string;
  readonly bootstrap: boolean;
  readonly peers: readonly string[];
  readonly logPath: string;
  readonly logCacheSize: number;
  readonly logSnapshots: number;
  readonly trailingLogs: number;
  readonly sync: boolean;
  readonly proceedOnRestoreFailure: boolean;
  readonly allowAddRemoveNode: boolean;
  readonly raftLogging: boolean;
  readonly raftHeartbeatTimeout: DurationNanos;
  readonly raftElectionTimeout: DurationNanos;
  readonly raftLeaseTimeout: DurationNanos;
  readonly raftCommitTimeout: DurationNanos;
  readonly boltFreeListSync: boolean;
  readonly boltFreeListMap: boolean;
  readonly nodesConnections: boolean;
}

/** What holds when nothing is said. */
export const defaultStreamingOptions: StreamingOptions = {
  clusterId: "test-cluster",
  discoverPrefix: "_STAN.discover",
  storeType: "MEMORY",
  directory: "",
  debug: false,
  trace: false,
  natsServerUrl: "",
  credentialsFile: "",
  username: "",
  password: "",
  token: "",
  nkeySeedFile: "",
  secure: false,
  heartbeatInterval: durationFromMillis(30_000),
  heartbeatTimeout: durationFromMillis(10_000),
  heartbeatFailCount: 10,
  ftGroup: "",
  partitioning: false,
  partitionConflict: "younger_exits",
  partitionUnowned: "silent",
  syslogName: "",
  encrypt: false,
  encryptionCipher: "",
  encryptionKey: "",
  replaceDurable: false,
  ioBatchSize: 1024,
  ioSleepMicros: 0,
  tls: { certFile: "", keyFile: "", caFile: "", serverName: "", skipVerify: false },
  storeLimits: defaultStoreLimits,
  delivery: { honourMaxInFlightOnResume: false, maxRedeliveries: 0, deadLetter: "", channels: new Map() },
  monitoring: { dashboard: true, token: "", username: "", password: "", messages: "careful" },
  fileStore: { ...defaultFileStoreOptions, recovery: "quarantine", cacheBytes: CACHE_BYTES_DEFAULT },
  sqlStore: { driver: "", source: "", noCaching: false, maxOpenConnections: 0, bulkInsertLimit: 0 },
  clustering: {
    clustered: false,
    nodeId: "",
    bootstrap: false,
    peers: [],
    logPath: "",
    logCacheSize: 512,
    logSnapshots: 2,
    trailingLogs: 10_240,
    sync: false,
    proceedOnRestoreFailure: false,
    allowAddRemoveNode: false,
    raftLogging: false,
    raftHeartbeatTimeout: durationFromMillis(2_000),
    raftElectionTimeout: durationFromMillis(2_000),
    raftLeaseTimeout: durationFromMillis(1_000),
    raftCommitTimeout: durationFromMillis(100),
    boltFreeListSync: false,
    boltFreeListMap: false,
    nodesConnections: false,
  },
};
