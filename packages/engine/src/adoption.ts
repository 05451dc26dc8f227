import type { Logger, Random } from "@nats-streaming/kernel";
import { byteString } from "@nats-streaming/protocol";
import { type ClientInfo, type Store, StoreError } from "@nats-streaming/store";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import type { EarlyRequests } from "./early-requests.ts";
import type { Heartbeats } from "./heartbeat.ts";
import type { RecentClients } from "./recent-clients.ts";

/** Registers clients that another server of the cluster has registered. */
export interface Adoption {
  /**
   * A client that others know and this server does not. One that it has closed itself, or that is registered here with
   * another connection, stays as it is: what happened here is newer than what others tell.
   */
  adopt(info: ClientInfo): void;
  /**
   * The same at the start, before anything has happened here: of two registrations of one client ID, the one that the
   * others tell of is the newer one.
   */
  adoptAtStart(info: ClientInfo): void;
}

export interface AdoptionOptions {
  readonly store: Store;
  readonly logger: Logger;
  readonly random: Random;
  readonly clients: Clients;
  readonly commit: CommitQueue;
  readonly heartbeats: Heartbeats;
  readonly early: EarlyRequests | undefined;
  readonly recent: RecentClients;
  readonly closeClient: (client: Client) => void;
  readonly heartbeatIntervalMillis: number;
  readonly isStopped: () => boolean;
}

export function createAdoption(options: AdoptionOptions): Adoption {
  const { store, logger, clients, commit, recent } = options;

  const register = (info: ClientInfo): void => {
    try {
      store.addClient(info);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      logger.error(`[Client:${info.id}] Error registering client: ${error.message}`);
      return;
    }
    const client = clients.add(info);
    // Not all at once: there may be very many.
    options.heartbeats.start(client, options.random.next() * options.heartbeatIntervalMillis);
    // The record goes with the next batch; nobody waits for it.
    commit.whenDurable(ignore, ignore);
    options.early?.registered(info.id, byteString(info.connId));
  };

  return {
    adopt(info): void {
      if (options.isStopped() || clients.get(info.id) !== undefined || recent.wasConnectionClosed(info.connId)) return;
      register(info);
      if (logger.debugEnabled) logger.debug(`[Client:${info.id}] Taken over from another partition server`);
    },
    adoptAtStart(info): void {
      if (options.isStopped()) return;
      const present = clients.get(info.id);
      if (present !== undefined) {
        if (isSameConnection(present.info, info)) return;
        options.closeClient(present);
      }
      register(info);
    },
  };
}

const ignore = (): void => {};

/** Whether two records are of one registration. */
export function isSameConnection(a: ClientInfo, b: Pick<ClientInfo, "connId" | "hbInbox">): boolean {
  return a.hbInbox === b.hbInbox && Buffer.compare(a.connId, b.connId) === 0;
}
