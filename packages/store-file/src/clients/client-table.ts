import type { ClientInfo } from "@nats-streaming/store";

/** The clients that are registered, and how many removals their file holds. */
export interface ClientTable {
  readonly byId: ReadonlyMap<string, ClientInfo>;
  /** Since the last compaction. */
  deletes: number;
  /** A client of the same ID is replaced. */
  add(client: ClientInfo): void;
  /** An unknown ID is fine. */
  delete(id: string): void;
  clear(): void;
}

export function clientTable(): ClientTable {
  const byId = new Map<string, ClientInfo>();
  return {
    byId,
    deletes: 0,
    add: (client) => {
      byId.set(client.id, client);
    },
    delete(id): void {
      byId.delete(id);
      this.deletes++;
    },
    clear(): void {
      byId.clear();
      this.deletes = 0;
    },
  };
}
