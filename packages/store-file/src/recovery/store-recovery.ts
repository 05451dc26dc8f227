import { FileError } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import type { ServerInfo as StoredServerInfo } from "@nats-streaming/protocol/spb";
import {
  type RecoveredChannel,
  type RecoveredState,
  type ServerInfo,
  StoreError,
  storeError,
} from "@nats-streaming/store";
import type { ChannelDirectory } from "../channel-directory.ts";
import { type ClientLog, createClientLog } from "../clients/client-log.ts";
import { clientTable } from "../clients/client-table.ts";
import { unrecoverable } from "../errors.ts";
import type { RequestCompaction } from "../file-store.ts";
import type { PooledFile, Syncable } from "../files/file-pool.ts";
import { CLIENTS_FILE, channelDirectory, directoryChannel } from "../files/names.ts";
import { pathIn } from "../files/paths.ts";
import { RecordFile } from "../files/record-file.ts";
import { syncFiles } from "../files/sync-files.ts";
import { DAMAGE_REMEDY, DISK_REMEDY, type QuarantinedChannel } from "../quarantine.ts";
import { type RecoveredFiles, recoverChannel } from "./channel-recovery.ts";
import { warmFiles } from "./read-ahead.ts";
import type { RecoveryScope } from "./recovery-scope.ts";
import { openRootFile, recoverClients, recoverServerInfo, rewriteStart } from "./root-recovery.ts";

export interface StoreRecovery {
  readonly state: RecoveredState;
  readonly channels: ReadonlyMap<string, ChannelDirectory>;
  readonly quarantined: readonly QuarantinedChannel[];
}

export interface StoreRecoveryParts {
  readonly serverFile: PooledFile;
  readonly requestCompaction: RequestCompaction;
  /** Makes a channel out of its files. */
  readonly open: (channel: string, files: RecoveredFiles) => ChannelDirectory;
  /** clients.dat is ready to be written to. */
  readonly onClients: (clients: ClientLog) => void;
}

/** Temporary files of a compaction of clients.dat: its name and digits. */
const COMPACTION_PREFIX = CLIENTS_FILE;

/**
 * Recovers everything below the root directory.
 * @returns undefined when there is no state
 * @throws (rejects) StoreError `no_server_info`, `corrupt`
 * @see file-store.md 14.2
 */
export async function recoverStore(
  scope: RecoveryScope,
  parts: StoreRecoveryParts,
): Promise<StoreRecovery | undefined> {
  const { context } = scope;
  const { root, pool, fileSystem } = context;
  const clientsFile = pool.file(pathIn(root, CLIENTS_FILE));
  openRootFile(scope, parts.serverFile, "server");
  openRootFile(scope, clientsFile, "client");
  const info = recoverServerInfo(scope, parts.serverFile);
  const channels = listChannels(scope);
  if (context.options.sync) {
    rewriteStart(parts.serverFile, "server");
    rewriteStart(clientsFile, "client");
  }

  const table = clientTable();
  const found =
    info === undefined
      ? { end: fileSystem.statNow(clientsFile.path)?.size ?? 0, hasRest: false }
      : recoverClients(scope, clientsFile, table);
  const records = new RecordFile(clientsFile, CLIENTS_FILE, found.end, found.hasRest, context);
  const clients = createClientLog({
    context,
    file: clientsFile,
    records,
    table,
    requestCompaction: (log) => parts.requestCompaction(log, CLIENTS_FILE, COMPACTION_PREFIX),
  });
  parts.onClients(clients);
  if (info === undefined) {
    // What was made just now is what the commit log is going to rely on.
    if (context.options.sync) await syncFiles(pool.takeUnsynced());
    if (channels.length > 0) throw storeError("no_server_info");
    return undefined;
  }
  const recovery = await recoverChannels(scope, parts, channels, info, clients);
  if (context.options.sync) await syncRecovered(context, recovery.channels, { ...parts, clientsFile });
  return recovery;
}

/**
 * Recovered messages are delivered, and further ones come behind them: they must not get lost in a power loss any more. After
 * a clean stop there is nothing to write, which costs some microseconds per file.
 */
async function syncRecovered(
  context: RecoveryScope["context"],
  channels: ReadonlyMap<string, ChannelDirectory>,
  { serverFile, clientsFile }: { readonly serverFile: PooledFile; readonly clientsFile: PooledFile },
): Promise<void> {
  const { pool, root } = context;
  const files: Syncable[] = [...pool.takeUnsynced(), serverFile, clientsFile, pool.directory(root)];
  for (const [name, { messages, subscriptions }] of channels) {
    files.push(...messages.tailFiles, ...subscriptions.files, pool.directory(pathIn(root, channelDirectory(name))));
  }
  await syncFiles([...new Map(files.map((file) => [file.path, file])).values()]);
  for (const channel of channels.values()) channel.closeFiles();
}

/** Byte strings. @throws StoreError `corrupt` */
function listChannels({ context }: RecoveryScope): string[] {
  try {
    const entries = context.fileSystem.listNow(context.root);
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => directoryChannel(name));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw unrecoverable(error.message, error);
  }
}

async function recoverChannels(
  scope: RecoveryScope,
  parts: StoreRecoveryParts,
  names: readonly string[],
  info: StoredServerInfo,
  clients: ClientLog,
): Promise<StoreRecovery> {
  const { context, mode } = scope;
  const channels = new Map<string, ChannelDirectory>();
  const recovered = new Map<string, RecoveredChannel>();
  const quarantined: QuarantinedChannel[] = [];
  const now = { millis: 0, nanos: 0 };
  const width = context.options.parallelRecovery;
  try {
    for (let i = 0; i < names.length; i++) {
      // With several channels at a time, their files are read into the system's memory side by side.
      if (width > 1 && i % width === 0) await warmFiles(context, names.slice(i, i + width).map(channelDirectory));
      else if (i % TURN_CHANNELS === 0) await turn();
      const name = names[i]!;
      let files: RecoveredFiles;
      try {
        files = recoverChannel(scope, name);
      } catch (error) {
        if (mode === "strict" || !(error instanceof StoreError) || error.code !== "corrupt") throw error;
        const remedy = isOfTheDisk(error) ? DISK_REMEDY : DAMAGE_REMEDY;
        quarantined.push({ channel: name, reason: error.message, remedy });
        scope.report({
          kind: "quarantined",
          channel: name,
          file: pathIn(context.root, channelDirectory(name)),
          text: `Channel ${byteStringToText(name)} cannot be recovered and is not served: ${error.message}`,
          places: [],
          placeCount: 1,
        });
        continue;
      }
      const channel = parts.open(name, files);
      channels.set(name, channel);
      context.clock.read(now);
      channel.messages.enforceRecovered(now);
      channel.closeFiles();
      const { messages, subscriptions } = channel;
      recovered.set(name, { messages, subscriptions, subscriptionStates: subscriptions.states() });
    }
  } catch (error) {
    for (const channel of channels.values()) channel.close();
    if (error instanceof FileError) throw unrecoverable(error.message, error);
    throw error;
  }
  return {
    state: { serverInfo: serverInfo(info), clients: clients.clients, channels: recovered },
    channels,
    quarantined,
  };
}

/** Whether the disk has refused something, rather than given what makes no sense. */
function isOfTheDisk(error: unknown): boolean {
  return error instanceof FileError || (error instanceof Error && isOfTheDisk(error.cause));
}

/** Channels after which others get their turn: signals, and the log. */
const TURN_CHANNELS = 64;

/** Nothing here depends on time: the loop is only let go round once. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Without the field that only clustered servers use. */
function serverInfo({ nodeId: _, ...info }: StoredServerInfo): ServerInfo {
  return info;
}
