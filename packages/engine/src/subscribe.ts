import type { BusMessage, Clock, Logger } from "@nats-streaming/kernel";
import { byteStringBytes, byteStringToText, textToByteString } from "@nats-streaming/protocol";
import {
  decodeSubscriptionRequest,
  encodeSubscriptionResponse,
  isChannelNameRange,
  StartPosition,
  type SubscriptionRequest,
  stanErrors,
} from "@nats-streaming/protocol/stan";
import { StoreError } from "@nats-streaming/store";
import { type Channel, durableKey } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import type { EarlyRequests } from "./early-requests.ts";
import type { Ending } from "./ending.ts";
import type { Inactivity } from "./inactivity.ts";
import { groupKey } from "./queue-group.ts";
import type { Respond } from "./responder.ts";
import type { ChannelScope } from "./scope.ts";
import { type Start, startPosition, startPositionNow } from "./start-position.ts";
import type { Starter } from "./starter.ts";
import { subscriptionLine } from "./subscription-line.ts";
import { type SubscriptionMaker, undoSubscription } from "./subscription-maker.ts";

export interface SubscribeOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clients: Clients;
  readonly channels: Channels;
  readonly commit: CommitQueue;
  readonly early: EarlyRequests | undefined;
  readonly end: Ending;
  readonly inactivity: Inactivity;
  readonly maker: SubscriptionMaker;
  readonly respond: Respond;
  readonly scope: ChannelScope | undefined;
  readonly starter: Starter;
  /** A second request for an active durable takes it over. @see protocol.md 10.4 */
  readonly replaceDurable: boolean;
}

/** Handles subscription requests: checks in the order of protocol.md 10.1, then creates, joins or resumes. */
export function createSubscribeHandler(options: SubscribeOptions): (message: BusMessage) => void {
  const { clock, logger, clients, channels, commit, early, inactivity, maker, respond, scope } = options;

  const refuse = (reply: string, error: string): void => respond(reply, encodeSubscriptionResponse({ error }));

  const onChannel = (reply: string, request: SubscriptionRequest, client: Client): void => {
    const found = channels.findOrCreate(request.subject);
    if (found.kind === "refused") {
      refuse(reply, found.message);
      return;
    }
    const { channel } = found;
    // From here to its end the request keeps the channel from being deleted.
    channel.requests++;
    inactivity.unwatch(channel);
    const done = (): void => {
      channel.requests--;
      inactivity.watch(channel);
    };
    const failed = (error: unknown): void => {
      if (!(error instanceof StoreError)) throw error;
      const name = byteStringToText(channel.name);
      logger.error(`Unable to create subscription on "${name}": ${error.message}`);
      refuse(reply, textToByteString(error.message));
      done();
    };
    try {
      const waits = onExistingChannel(reply, request, channel, client, done);
      waits?.catch(failed);
    } catch (error) {
      failed(error);
    }
  };

  /** @returns a promise only where the start position has to be looked up. */
  const onExistingChannel = (
    reply: string,
    request: SubscriptionRequest,
    channel: Channel,
    client: Client,
    done: () => void,
  ): Promise<void> | undefined => {
    const refused = refusalOf(request, channel, client);
    if (refused !== undefined) {
      refuse(reply, refused);
      done();
      return undefined;
    }
    if (!isNew(request, channel)) {
      accept(reply, request, channel, client, undefined, done);
      return undefined;
    }
    const log = channel.store.messages;
    if (request.startPosition !== StartPosition.timeDeltaStart) {
      accept(reply, request, channel, client, startPositionNow(request, log), done);
      return undefined;
    }
    return startPosition(request, log, clock).then((start) => {
      // Whatever was true before the look-up may have changed meanwhile.
      const late = refusalOf(request, channel, client);
      if (late === undefined) accept(reply, request, channel, client, start, done);
      else {
        refuse(reply, late);
        done();
      }
    });
  };

  /** Steps 9 to 13, without the start position. */
  const refusalOf = (request: SubscriptionRequest, channel: Channel, client: Client): string | undefined => {
    const id = client.info.id;
    if (client.state === "closed") return stanErrors.unknownClient.text;
    if (request.durableName === "") return undefined;
    if (request.qGroup !== "") {
      if (!request.durableName.includes(":")) return undefined;
      const name = byteStringToText(request.durableName);
      logger.error(
        `[Client:${id}] Invalid DurableName ("${name}") for queue subscriber from ${byteStringToText(request.subject)}`,
      );
      return stanErrors.invalidDurableQueueName.text;
    }
    const durable = channel.durables.get(durableKey(id, request.durableName));
    if (durable === undefined || durable.state === "offline") return undefined;
    if (options.replaceDurable) {
      options.end(durable, "close");
      return undefined;
    }
    logger.error(`[Client:${id}] Duplicate durable subscription registration`);
    return stanErrors.duplicateDurable.text;
  };

  const accept = (
    reply: string,
    request: SubscriptionRequest,
    channel: Channel,
    client: Client,
    start: Start | undefined,
    done: () => void,
  ): void => {
    const made = maker.make(request, channel, client, start);
    const { subscription } = made;
    const { ackInbox } = subscription;
    done();
    commit.whenDurable(
      () => {
        // The client may have closed, or the subscription been replaced, before its record was durable.
        if (subscription.state !== "starting" || subscription.ackInbox !== ackInbox) {
          refuse(reply, stanErrors.unknownClient.text);
          return;
        }
        if (logger.debugEnabled) logger.debug(subscriptionLine(made.action, subscription, start?.description));
        respond(reply, encodeSubscriptionResponse({ ackInbox }));
        options.starter.enqueue(subscription);
      },
      (error) => {
        undoSubscription(made, options.end);
        const name = byteStringToText(channel.name);
        logger.error(`Unable to create subscription on "${name}": ${error.message}`);
        refuse(reply, textToByteString(error.message));
      },
    );
  };

  const unknownClient = (reply: string, request: SubscriptionRequest, size: number): void => {
    if (early === undefined) {
      refuse(reply, stanErrors.unknownClient.text);
      return;
    }
    const refused = (): void => {
      const clientId = byteStringToText(request.clientId);
      const name = byteStringToText(request.subject);
      logger.error(`[Client:${clientId}] Rejecting subscription on "${name}": connection not created yet`);
      refuse(reply, stanErrors.invalidSubscriptionRequest.text);
    };
    early.wait({
      clientId: request.clientId,
      connId: "",
      bytes: size,
      registered: () => {
        const client = clients.get(request.clientId);
        if (client === undefined) refused();
        else onChannel(reply, request, client);
      },
      refused,
    });
  };

  return (message) => {
    const { reply } = message;
    const decoded = decodeSubscriptionRequest(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") {
      logger.error(`Invalid Subscription request from ${message.subject}: ${decoded.reason}`);
      refuse(reply, stanErrors.invalidSubscriptionRequest.text);
      return;
    }
    const request = decoded.value;
    const invalid = checkRequest(request);
    if (invalid !== undefined) {
      logger.error(`${invalid.log} in subscription request from ${message.subject}`);
      refuse(reply, invalid.error);
      return;
    }
    if (scope !== undefined && scope.firstMatch(byteStringToText(request.subject)) < 0) return;
    const client = clients.get(request.clientId);
    if (client === undefined) unknownClient(reply, request, message.end - message.start);
    else onChannel(reply, request, client);
  };
}

interface InvalidRequest {
  readonly error: string;
  readonly log: string;
}

/** Steps 2 to 6 of protocol.md 10.1. */
function checkRequest(request: SubscriptionRequest): InvalidRequest | undefined {
  if (request.clientId === "") return { error: stanErrors.missingClientId.text, log: "Missing ClientID" };
  const who = `[Client:${byteStringToText(request.clientId)}]`;
  if (request.ackWaitInSecs < 1) {
    return { error: stanErrors.invalidAckWait.text, log: `${who} Invalid AckWait (${request.ackWaitInSecs})` };
  }
  if (request.maxInFlight < 1) {
    return { error: stanErrors.invalidMaxInFlight.text, log: `${who} Invalid MaxInflight (${request.maxInFlight})` };
  }
  if (request.startPosition < StartPosition.newOnly || request.startPosition > StartPosition.first) {
    const log = `${who} Invalid StartPosition (${request.startPosition})`;
    return { error: stanErrors.invalidStartPosition.text, log };
  }
  const name = byteStringBytes(request.subject);
  if (!isChannelNameRange(name, 0, name.length)) {
    const log = `${who} Invalid channel "${byteStringToText(request.subject)}"`;
    return { error: stanErrors.invalidSubject.text, log };
  }
  return undefined;
}

/** Whether a request makes a new subscription or group, so that its start position counts. */
function isNew(request: SubscriptionRequest, channel: Channel): boolean {
  if (request.qGroup !== "") return !channel.groups.has(groupKey(request));
  if (request.durableName === "") return true;
  return !channel.durables.has(durableKey(request.clientId, request.durableName));
}
