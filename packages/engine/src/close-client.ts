import type { BusMessage, Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { decodeCloseRequest, encodeCloseResponse, stanErrors } from "@nats-streaming/protocol/stan";
import type { Store } from "@nats-streaming/store";
import type { Agreement } from "./agreement.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import type { Ending } from "./ending.ts";
import type { RecentClients } from "./recent-clients.ts";
import type { Respond } from "./responder.ts";

export interface CloseClientOptions {
  readonly logger: Logger;
  readonly store: Store;
  readonly clients: Clients;
  readonly end: Ending;
  readonly recent: RecentClients | undefined;
}

/**
 * Ends a client: it is unregistered first, then its subscriptions are closed. The store is told and not flushed.
 * What the store cannot do is logged: in memory the client is gone anyway.
 *
 * @see protocol.md 12.3
 */
export function createClientCloser(options: CloseClientOptions): (client: Client) => void {
  const { logger, store, clients } = options;
  return (client) => {
    clients.remove(client);
    options.recent?.closed(client.info);
    try {
      store.deleteClient(client.info.id);
    } catch (error) {
      logger.error(`[Client:${client.info.id}] Error unregistering client: ${(error as Error).message}`);
    }
    for (const subscription of [...client.subscriptions]) options.end(subscription, "close");
    if (logger.debugEnabled) {
      logger.debug(`[Client:${client.info.id}] Closed (Inbox=${byteStringToText(client.info.hbInbox)})`);
    }
  };
}

/**
 * Handles close requests of clients. In a partitioned cluster every server answers, and the client takes the first answer:
 * one that does not know the client says so only when the others do not know it either.
 * @see protocol.md 12.3, docs/partition-protocol.md
 */
export function createCloseHandler(options: {
  readonly logger: Logger;
  readonly clients: Clients;
  readonly commit: CommitQueue;
  readonly respond: Respond;
  readonly closeClient: (client: Client) => void;
  readonly agreement: Agreement | undefined;
  /** Settles when a connect request for a client ID is decided; undefined when there is none. */
  readonly settled: (clientId: string) => Promise<void> | undefined;
}): (message: BusMessage) => void {
  const { logger, clients, commit, respond, agreement } = options;

  const refuseUnknown = (reply: string, clientId: string): void => {
    logger.error(`Unknown client "${byteStringToText(clientId)}" in close request`);
    respond(reply, encodeCloseResponse({ error: stanErrors.unknownClient.text }));
  };

  const close = (reply: string, clientId: string): void => {
    const client = clients.get(clientId);
    if (client === undefined) {
      if (agreement === undefined || agreement.isAlone) {
        refuseUnknown(reply, clientId);
        return;
      }
      void agreement.knowsClient(clientId).then((isKnown) => {
        if (!isKnown) refuseUnknown(reply, clientId);
      });
      return;
    }
    options.closeClient(client);
    const done = (): void => respond(reply, encodeCloseResponse({}));
    // A store that cannot record it does not keep the client: in memory it is gone.
    commit.whenDurable(done, done);
  };

  return (message) => {
    const { reply } = message;
    const decoded = decodeCloseRequest(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") {
      logger.error(`Received invalid close request, subject=${message.subject}`);
      respond(reply, encodeCloseResponse({ error: stanErrors.invalidCloseRequest.text }));
      return;
    }
    const { clientId } = decoded.value;
    // A client may be closed before this server has settled with the others that it may connect.
    const settling = options.settled(clientId);
    if (settling === undefined) close(reply, clientId);
    else void settling.then(() => close(reply, clientId));
  };
}
