/** What the server's JSON endpoints answer, as far as it is shown. Names are those of the answers. */

export interface Serverz {
  readonly cluster_id: string;
  readonly server_id: string;
  readonly version: string;
  readonly go: string;
  readonly state: string;
  readonly now: string;
  readonly start_time: string;
  readonly uptime: string;
  readonly clients: number;
  readonly subscriptions: number;
  readonly channels: number;
  readonly total_msgs: number;
  readonly total_bytes: number;
  readonly in_msgs: number;
  readonly in_bytes: number;
  readonly out_msgs: number;
  readonly out_bytes: number;
  readonly open_fds?: number;
  readonly max_fds?: number;
}

export interface Readyz {
  readonly status: string;
  readonly role: "starting" | "recovering" | "standby" | "active" | "failed" | "stopped";
  readonly state: string;
  readonly quarantined_channels: number;
  readonly conflicts: number;
}

export interface Limits {
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: number;
  readonly max_subscriptions: number;
  readonly max_inactivity: number;
}

export interface Storez {
  readonly type: string;
  readonly limits: Limits & { readonly max_channels: number; readonly channels?: Readonly<Record<string, Limits>> };
  readonly total_msgs: number;
  readonly total_bytes: number;
  readonly quarantined?: readonly Quarantined[];
}

export interface Quarantined {
  readonly name: string;
  readonly reason: string;
}

export interface Page {
  readonly offset: number;
  readonly limit: number;
  readonly count: number;
  readonly total: number;
}

export interface Channelsz extends Page {
  readonly channels?: readonly Channel[];
}

export interface Channel {
  readonly name: string;
  readonly msgs: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly subs_count: number;
  readonly subscriptions?: readonly Subscription[];
  readonly limits?: Limits;
  readonly backlogs?: readonly Backlog[];
}

export interface Subscription {
  readonly client_id: string;
  readonly inbox: string;
  readonly ack_inbox: string;
  readonly durable_name?: string;
  readonly queue_name?: string;
  readonly is_durable: boolean;
  readonly is_offline: boolean;
  readonly max_inflight: number;
  readonly ack_wait: number;
  readonly last_sent: number;
  readonly pending_count: number;
  readonly is_stalled: boolean;
}

export interface Backlog {
  readonly kind: "plain" | "durable" | "group";
  readonly name?: string;
  readonly client_id?: string;
  readonly is_durable: boolean;
  readonly is_offline: boolean;
  readonly members: number;
  readonly last_sent: number;
  readonly pending_count: number;
  readonly lag_msgs: number;
  readonly lag_bytes: number;
  readonly oldest_seq?: number;
  readonly oldest_age_ms?: number;
  readonly redelivering: number;
  readonly stalled_count: number;
  readonly stalled_ms: number;
}

export interface Clientsz extends Page {
  readonly clients: readonly Client[];
}

export interface Client {
  readonly id: string;
  readonly hb_inbox: string;
  readonly subs_count: number;
  readonly subscriptions?: Readonly<Record<string, readonly Subscription[]>>;
}

export interface Partitionsz {
  readonly cluster_id: string;
  readonly partitioning: boolean;
  readonly complete: boolean;
  readonly servers: readonly PartitionServer[];
  readonly conflicts_total: number;
  readonly conflicts: readonly Conflict[];
  readonly unowned_total: number;
  readonly unowned: readonly Unowned[];
}

export interface PartitionServer {
  readonly server_id: string;
  readonly self: boolean;
  readonly kind: "partitioned" | "other";
  readonly state: "serving" | "starting" | "unknown";
  readonly since?: string;
  readonly clients?: number;
  readonly entries_total: number;
  readonly entries: readonly string[];
}

export interface Conflict {
  readonly name: string;
  readonly servers: readonly [string, string];
}

export interface Unowned {
  readonly channel: string;
  readonly stored_by: readonly string[];
}

export interface Messagesz {
  readonly channel: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly count: number;
  readonly next: number;
  readonly messages: readonly StoredMessage[];
}

export interface StoredMessage {
  readonly seq: number;
  readonly time: string;
  readonly size: number;
  readonly reply?: string;
  /** Base64. */
  readonly data: string;
  readonly truncated?: boolean;
}
