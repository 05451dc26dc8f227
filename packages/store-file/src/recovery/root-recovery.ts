import { FileError } from "@nats-streaming/kernel";
import {
  type ClientDelete,
  decodeClientDelete,
  decodeClientInfo,
  decodeServerInfo,
  type ServerInfo,
} from "@nats-streaming/protocol/spb";
import type { ClientInfo, StoreError } from "@nats-streaming/store";
import type { ClientTable } from "../clients/client-table.ts";
import { rootFileText, unrecoverable } from "../errors.ts";
import type { PooledFile } from "../files/file-pool.ts";
import { nameOf } from "../files/paths.ts";
import { FILE_HEADER_SIZE, RECORD_HEADER_SIZE } from "../format/record.ts";
import { RecordReader } from "../format/record-reader.ts";
import { isUnborn, writeHeader } from "./channel-recovery.ts";
import { DamagedFile } from "./damage.ts";
import { keepAside } from "./keep-aside.ts";
import { type RecoveredRecords, recoverRecords, salvageRecords } from "./record-file-recovery.ts";
import { clientSense } from "./record-sense.ts";
import { checkVersion, type RecoveryScope, type Repair } from "./recovery-scope.ts";

/** Opens server.dat or clients.dat, making it where it is missing. @throws StoreError `corrupt` */
export function openRootFile(scope: RecoveryScope, file: PooledFile, kind: "server" | "client"): void {
  const { fileSystem } = scope.context;
  try {
    const isMissing = fileSystem.statNow(file.path) === undefined;
    if (isMissing || (scope.mode !== "strict" && isUnborn(file))) writeHeader(file);
    else if (scope.mode === "strict") checkVersion(file.forReading());
  } catch (error) {
    throw failure(kind, nameOf(file.path), error);
  }
}

/** Bytes of a file of the root directory that no commit log has: all of server.dat, the version of clients.dat. */
const UNLOGGED_BYTES = 4096;

/**
 * Writes what the commit log is going to rely on once more, so that a sync takes it along: if an earlier start has ended
 * with a failed sync, the system may show bytes that the disk does not have, and never write them.
 * @throws StoreError `corrupt`
 */
export function rewriteStart(file: PooledFile, kind: "server" | "client"): void {
  try {
    const open = file.forWriting();
    const bytes = new Uint8Array(UNLOGGED_BYTES);
    const length = open.readNow(bytes, 0, UNLOGGED_BYTES, 0);
    open.writeNow(bytes, 0, length, 0);
    file.markMade();
  } catch (error) {
    throw failure(kind, nameOf(file.path), error);
  }
}

/** What server.dat says; undefined when it says nothing. @throws StoreError `corrupt` @see file-store.md 4 */
export function recoverServerInfo(scope: RecoveryScope, file: PooledFile): ServerInfo | undefined {
  try {
    if (scope.mode !== "strict") checkVersion(file.forReading());
    return readServerInfo(scope, file);
  } catch (error) {
    if (scope.mode === "strict" || !(error instanceof DamagedFile)) throw failure("server", file.path, error);
    startAnew(scope, file, error);
    return undefined;
  }
}

function readServerInfo(scope: RecoveryScope, file: PooledFile): ServerInfo | undefined {
  const { context, mode } = scope;
  const open = file.forReading();
  const size = open.sizeNow();
  const reader = new RecordReader(open, size, false, context.verify, FILE_HEADER_SIZE);
  const step = reader.next();
  if (step === "end") return undefined;
  if (step !== "record") {
    const fault = step === "padding" ? "end of file padded with zeros" : reader.fault;
    if (mode === "strict") {
      context.logger.error(`Server file "${file.path}" corrupted: ${fault}`);
      context.logger.error("Follow instructions in documentation in order to recover from this");
    }
    throw new DamagedFile(file.path, reader.at, fault);
  }
  const expected = FILE_HEADER_SIZE + RECORD_HEADER_SIZE + reader.size;
  if (size !== expected && mode === "strict") {
    throw new DamagedFile(file.path, expected, `incorrect file size, expected ${expected} bytes, got ${size} bytes`);
  }
  const decoded = decodeServerInfo(reader.bytes, reader.start, reader.end);
  if (decoded.kind === "invalid") throw new DamagedFile(file.path, FILE_HEADER_SIZE, `proto: ${decoded.reason}`);
  if (size !== expected) cutSurplus(scope, file, expected, size);
  return decoded.value;
}

function cutSurplus(scope: RecoveryScope, file: PooledFile, expected: number, size: number): void {
  const copy = keepAside(scope.context.fileSystem, file.path);
  file.forWriting().truncateNow(expected);
  file.markUnsynced();
  const places = [{ offset: expected, bytes: size - expected }];
  const text = `File "${file.path}" had ${size - expected} bytes too many; the damaged file is kept as "${copy}"`;
  scope.report({ kind: "salvaged", file: file.path, copy, text, places, placeCount: 1 });
}

/** Nothing of server.dat can be read: it is the server's to say anew who it is. */
function startAnew(scope: RecoveryScope, file: PooledFile, damage: DamagedFile): void {
  const copy = keepAside(scope.context.fileSystem, file.path);
  writeHeader(file);
  const text = `File "${file.path}" cannot be read (${damage.message}); it is written anew, the damaged file is kept as "${copy}"`;
  scope.report({ kind: "salvaged", file: file.path, copy, text, places: [], placeCount: 1 });
}

/** Replays clients.dat into `clients`. @throws StoreError `corrupt` @see file-store.md 5 */
export function recoverClients(scope: RecoveryScope, file: PooledFile, clients: ClientTable): RecoveredRecords {
  const repairs: Repair[] = [];
  const slot = {
    file,
    channel: undefined,
    sense: clientSense,
    repair: (repair: Repair) => repairs.push(repair),
    replay: (type: number, bytes: Uint8Array, start: number, end: number) =>
      replayClient(clients, type, bytes, start, end),
  };
  try {
    let found: RecoveredRecords;
    try {
      if (scope.mode !== "strict") checkVersion(file.forReading());
      found = recoverRecords(scope, slot);
    } catch (error) {
      if (scope.mode === "strict" || !(error instanceof DamagedFile)) throw error;
      clients.clear();
      repairs.length = 0;
      found = salvageRecords(scope, slot);
    }
    for (const repair of repairs) repair.apply();
    return found;
  } catch (error) {
    throw failure("client", file.path, error);
  }
}

/** Types of records in clients.dat. */
export const ClientRecord = { add: 1, remove: 2 } as const;

function replayClient(
  clients: ClientTable,
  type: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  switch (type) {
    case ClientRecord.add: {
      const decoded = decodeClientInfo(bytes, start, end);
      if (decoded.kind === "invalid") return `proto: ${decoded.reason}`;
      const info: ClientInfo = decoded.value;
      clients.add(info);
      return undefined;
    }
    case ClientRecord.remove: {
      const decoded = decodeClientDelete(bytes, start, end);
      if (decoded.kind === "invalid") return `proto: ${decoded.reason}`;
      const { id }: ClientDelete = decoded.value;
      clients.delete(id);
      return undefined;
    }
    default:
      return `invalid client record type: ${type}`;
  }
}

function failure(kind: "server" | "client", name: string, error: unknown): StoreError {
  if (error instanceof DamagedFile || error instanceof FileError || error instanceof RangeError) {
    return unrecoverable(rootFileText(kind, name, error.message), error);
  }
  throw error;
}
