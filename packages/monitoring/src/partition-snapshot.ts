/**
 * Who owns which channels in a partitioned cluster, as far as this server knows. Names are text. What the partition
 * coordinator calls its map has this form.
 */
export interface PartitionSnapshot {
  /** By server ID, this server among them. */
  readonly servers: readonly PartitionServer[];
  /** Overlaps between the lists of two servers. */
  readonly conflicts: readonly PartitionConflict[];
  /** Stored channels that no list covers. */
  readonly unowned: readonly UnownedChannel[];
  /** Whether every server that was found has told everything. */
  readonly isComplete: boolean;
}

/** A server of the cluster, as far as it has told about itself. */
export interface PartitionServer {
  readonly serverId: string;
  /** `other`: one of another kind, such as the original. */
  readonly kind: "partitioned" | "other";
  readonly phase: "serving" | "starting" | "unknown";
  /** Wall-clock milliseconds since 1970 since which it serves; 0 for unknown. */
  readonly since: number;
  /** Undefined for unknown. */
  readonly clientCount: number | undefined;
  /** Channel names and patterns in file order. */
  readonly entries: readonly string[];
}

/** A channel or pattern that two servers list. */
export interface PartitionConflict {
  readonly name: string;
  readonly servers: readonly [string, string];
}

/** A channel that is stored somewhere, and that no server lists. */
export interface UnownedChannel {
  readonly channel: string;
  /** Who stores it. */
  readonly serverIds: readonly string[];
}
