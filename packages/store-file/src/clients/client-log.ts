import { encodeClientDelete, encodeClientInfo } from "@nats-streaming/protocol/spb";
import type { ClientInfo } from "@nats-streaming/store";
import type { CommitLog } from "../commit-log/commit-log.ts";
import { writeFailed } from "../errors.ts";
import type { Compactable, CompactionContent } from "../files/compaction.ts";
import type { PooledFile } from "../files/file-pool.ts";
import type { RecordFile } from "../files/record-file.ts";
import { encodeRecord, FILE_HEADER } from "../format/record.ts";
import { ClientRecord } from "../recovery/root-recovery.ts";
import type { Flushable, StoreContext } from "../store-context.ts";
import type { ClientTable } from "./client-table.ts";

/** clients.dat. A record is durable with the next flush; without syncs it is handed to the operating system at once. */
export interface ClientLog extends Flushable, Compactable {
  readonly clients: readonly ClientInfo[];
  /** @throws StoreError `write_failed`; nothing is recorded then */
  add(client: ClientInfo): void;
  /** @throws StoreError `write_failed` */
  delete(clientId: string): void;
}

export interface ClientLogOptions {
  readonly context: StoreContext;
  readonly file: PooledFile;
  readonly records: RecordFile;
  readonly table: ClientTable;
  readonly requestCompaction: (log: ClientLog) => void;
}

export function createClientLog(options: ClientLogOptions): ClientLog {
  return new RecordedClientLog(options);
}

class RecordedClientLog implements ClientLog {
  behindSince: object | undefined;
  readonly file: PooledFile;
  readonly records: RecordFile;
  /** As long as the store is open there are clients. */
  readonly isClosed = false;
  readonly #options: ClientLogOptions;
  #isGathered = false;

  constructor(options: ClientLogOptions) {
    this.file = options.file;
    this.records = options.records;
    this.#options = options;
  }

  get clients(): readonly ClientInfo[] {
    return [...this.#options.table.byId.values()];
  }

  add(client: ClientInfo): void {
    this.#record(ClientRecord.add, encodeClientInfo(client));
    this.#options.table.add({ ...client });
  }

  delete(clientId: string): void {
    this.#record(ClientRecord.remove, encodeClientDelete({ id: clientId }));
    this.#options.table.delete(clientId);
    this.#compactIfWorth();
  }

  prepare(): void {
    this.records.prepare();
  }

  seal(commitLog: CommitLog | undefined): void {
    this.#isGathered = false;
    this.records.seal(commitLog);
  }

  settled(): void {
    this.records.settled();
  }

  refused(): void {
    this.records.refused();
    this.#isGathered = false;
    if (!this.records.isDurable) this.#gather();
  }

  write(): void {
    this.records.write();
  }

  compactionContent(): CompactionContent {
    const { context, table } = this.#options;
    const parts: Uint8Array[] = [FILE_HEADER];
    for (const client of table.byId.values()) {
      parts.push(encodeRecord(ClientRecord.add, encodeClientInfo(client), context.checksum));
    }
    const { deletes } = table;
    table.deletes = 0;
    return {
      bytes: Buffer.concat(parts),
      failed: () => {
        table.deletes += deletes;
      },
    };
  }

  #record(type: number, payload: Uint8Array): void {
    const { size } = this.records;
    this.records.append(type, payload);
    if (this.#options.context.options.sync) {
      this.#gather();
      return;
    }
    try {
      this.records.prepare();
      this.records.seal(undefined);
      this.records.write();
    } catch (error) {
      this.records.takeBack(this.records.size - size);
      this.records.noteRest();
      throw writeFailed(error);
    }
  }

  #gather(): void {
    if (this.#isGathered) return;
    this.#isGathered = true;
    this.#options.context.gathering.touchRecords(this);
  }

  #compactIfWorth(): void {
    const { context, table } = this.#options;
    const { compactEnabled, compactMinBytes, compactFragmentationPercent } = context.options;
    if (!compactEnabled || this.records.size - FILE_HEADER.length < compactMinBytes) return;
    const { deletes, byId } = table;
    const fragmentation = Math.floor((deletes * 100) / (deletes + byId.size));
    if (fragmentation >= compactFragmentationPercent) this.#options.requestCompaction(this);
  }
}
