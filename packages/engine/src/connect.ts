import type { Bus, BusMessage, Clock, Logger } from "@nats-streaming/kernel";
import { byteString, byteStringToText, textToByteString } from "@nats-streaming/protocol";
import {
  type ClientSubjects,
  type ConnectRequest,
  decodeConnectRequest,
  encodeConnectResponse,
  stanErrors,
} from "@nats-streaming/protocol/stan";
import { type ClientInfo, type Store, StoreError } from "@nats-streaming/store";
import { isSameConnection } from "./adoption.ts";
import type { Agreement } from "./agreement.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import { type Candidate, type Contests, createContests, infoOf } from "./contests.ts";
import type { EarlyRequests } from "./early-requests.ts";
import type { Heartbeats } from "./heartbeat.ts";
import type { RecentClients } from "./recent-clients.ts";
import type { Respond } from "./responder.ts";

export interface ConnectOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: Store;
  readonly clients: Clients;
  readonly commit: CommitQueue;
  readonly heartbeats: Heartbeats;
  readonly early: EarlyRequests | undefined;
  readonly subjects: ClientSubjects;
  readonly respond: Respond;
  /** Ends a client as if it had asked for it. */
  readonly closeClient: (client: Client) => void;
  /** How long the owner of a client ID may take to show that it lives, 500 in the original. */
  readonly duplicateCheckMillis: number;
  /** The engine has stopped: whoever is still being checked gets no answer. */
  readonly isStopped: () => boolean;
  /** Set where other partition servers may have to be asked; then all three are. */
  readonly peers:
    | { readonly agreement: Agreement; readonly recent: RecentClients; readonly adopt: (info: ClientInfo) => void }
    | undefined;
}

export interface ConnectHandler {
  handle(message: BusMessage): void;
  /** Who asks for a client ID and may get it. */
  pending(clientId: string): ClientInfo | undefined;
  /** Settles when it is clear who gets a client ID; undefined when that is clear, or this server decides alone. */
  settled(clientId: string): Promise<void> | undefined;
}

/** The protocol level that every response states. @see protocol.md 7.2 */
const SERVER_PROTOCOL = 1;

const CLIENT_ID = /^[a-zA-Z0-9_-]+$/;
const NO_PAYLOAD = new Uint8Array(0);

/** Handles connect requests. @see protocol.md 7 */
export function createConnectHandler(options: ConnectOptions): ConnectHandler {
  const { bus, logger, store, clients, commit, subjects, respond } = options;
  /** Client IDs whose owner is being asked whether it lives. */
  const checking = new Set<string>();

  const refuse = (reply: string, error: string): void => respond(reply, encodeConnectResponse({ error }));

  const refuseDuplicate = (reply: string, clientId: string): void => {
    if (logger.debugEnabled) logger.debug(`[Client:${clientId}] Connect failed; already connected`);
    refuse(reply, stanErrors.duplicateClient.text);
  };

  const accept = (reply: string, request: ConnectRequest): void => {
    const pings =
      request.protocol >= 1
        ? {
            pingRequests: subjects.pings,
            pingInterval: request.pingInterval,
            pingMaxOut: request.pingMaxOut,
          }
        : {};
    respond(
      reply,
      encodeConnectResponse({
        pubPrefix: subjects.publish,
        subRequests: subjects.subscribe,
        unsubRequests: subjects.unsubscribe,
        closeRequests: subjects.close,
        subCloseRequests: subjects.subClose,
        ...pings,
        protocol: SERVER_PROTOCOL,
      }),
    );
  };

  const register = (reply: string, request: ConnectRequest, replaced: boolean): void => {
    const info = infoOf(request);
    const fail = (error: Error): void => {
      logger.error(`[Client:${info.id}] Error registering client: ${error.message}`);
      refuse(reply, textToByteString(error.message));
    };
    try {
      store.addClient(info);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      fail(error);
      return;
    }
    const client = clients.add(info);
    options.heartbeats.start(client);
    commit.whenDurable(
      () => {
        if (logger.debugEnabled) {
          const action = replaced ? "Replaced old client" : "Connected";
          logger.debug(`[Client:${info.id}] ${action} (Inbox=${byteStringToText(info.hbInbox)})`);
        }
        accept(reply, request);
      },
      (error) => {
        options.closeClient(client);
        fail(error);
      },
    );
    options.early?.registered(info.id, byteString(info.connId));
  };

  /** Somebody is registered under this ID: asks it whether it lives, and replaces it if it does not. */
  const check = async (reply: string, request: ConnectRequest, owner: Client): Promise<void> => {
    checking.add(request.clientId);
    const answer = await bus.request(owner.info.hbInbox, NO_PAYLOAD, options.duplicateCheckMillis);
    checking.delete(request.clientId);
    if (options.isStopped()) return;
    if (answer.kind === "reply") {
      refuseDuplicate(reply, request.clientId);
      return;
    }
    // It may have closed by itself meanwhile.
    const present = clients.get(request.clientId);
    if (present !== undefined) options.closeClient(present);
    register(reply, request, true);
  };

  const contests = options.peers === undefined ? undefined : contestsAmong(options.peers);

  function contestsAmong({ agreement, recent, adopt }: NonNullable<ConnectOptions["peers"]>): Contests {
    return createContests({
      bus,
      clients,
      agreement,
      recent,
      adopt,
      aliveMillis: options.duplicateCheckMillis,
      isStopped: options.isStopped,
      closeClient: options.closeClient,
      accept: ({ reply, request }: Candidate) => accept(reply, request),
      register: ({ reply, request }: Candidate, isReplaced) => register(reply, request, isReplaced),
      refuse: ({ reply, request }: Candidate) => refuseDuplicate(reply, request.clientId),
    });
  }

  const handle = (message: BusMessage): void => {
    const { reply } = message;
    const decoded = decodeConnectRequest(message.bytes, message.start, message.end);
    const request = decoded.kind === "ok" ? decoded.value : decoded.partial;
    if (decoded.kind === "invalid" || request.heartbeatInbox === "") {
      const reason = decoded.kind === "invalid" ? decoded.reason : "no heartbeat inbox";
      const clientId = byteStringToText(request.clientId);
      const inbox = byteStringToText(request.heartbeatInbox);
      logger.error(`[Client:?] Invalid conn request: ClientID=${clientId}, Inbox=${inbox}, err=${reason}`);
      refuse(reply, stanErrors.invalidConnectRequest.text);
      return;
    }
    if (!CLIENT_ID.test(request.clientId)) {
      const clientId = byteStringToText(request.clientId);
      logger.error(`[Client:${clientId}] Invalid ClientID, only alphanumeric and \`-\` or \`_\` characters allowed`);
      refuse(reply, stanErrors.invalidClientId.text);
      return;
    }
    if (checking.has(request.clientId)) {
      refuseDuplicate(reply, request.clientId);
      return;
    }
    if (contests !== undefined && options.peers?.agreement.isAlone === false) {
      contests.enter({ reply, request });
      return;
    }
    const owner = clients.get(request.clientId);
    if (owner === undefined) register(reply, request, false);
    // Taken over from a server that has gone since.
    else if (contests !== undefined && isSameConnection(owner.info, infoOf(request))) accept(reply, request);
    else void check(reply, request, owner);
  };

  return {
    handle,
    pending: (clientId) => contests?.pending(clientId),
    settled: (clientId) => contests?.settled(clientId),
  };
}
