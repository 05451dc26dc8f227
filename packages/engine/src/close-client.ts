import type { BusMessage, Logger } from "@nats-streaming/kernel";
import { byteStringToText } from "@nats-streaming/protocol";
import { decodeCloseRequest, encodeCloseResponse, stanErrors } from "@nats-streaming/protocol/stan";
import type { Store } from "@nats-streaming/store";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import type { Ending } from "./ending.ts";
import type { Respond } from "./responder.ts";

export interface CloseClientOptions {
  readonly logger: Logger;
  readonly store: Store;
  readonly clients: Clients;
  readonly end: Ending;
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

/** Handles close requests of clients. @see protocol.md 12.3 */
export function createCloseHandler(options: {
  readonly logger: Logger;
  readonly clients: Clients;
  readonly commit: CommitQueue;
  readonly respond: Respond;
  readonly closeClient: (client: Client) => void;
}): (message: BusMessage) => void {
  const { logger, clients, commit, respond } = options;
  return (message) => {
    const { reply } = message;
    const decoded = decodeCloseRequest(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") {
      logger.error(`Received invalid close request, subject=${message.subject}`);
      respond(reply, encodeCloseResponse({ error: stanErrors.invalidCloseRequest.text }));
      return;
    }
    const client = clients.get(decoded.value.clientId);
    if (client === undefined) {
      logger.error(`Unknown client "${byteStringToText(decoded.value.clientId)}" in close request`);
      respond(reply, encodeCloseResponse({ error: stanErrors.unknownClient.text }));
      return;
    }
    options.closeClient(client);
    const done = (): void => respond(reply, encodeCloseResponse({}));
    // A store that cannot record it does not keep the client: in memory it is gone.
    commit.whenDurable(done, done);
  };
}
