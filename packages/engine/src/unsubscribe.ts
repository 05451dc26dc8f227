import type { BusMessage, Logger } from "@nats-streaming/kernel";
import { byteStringToText, textToByteString } from "@nats-streaming/protocol";
import { decodeUnsubscribeRequest, encodeSubscriptionResponse, stanErrors } from "@nats-streaming/protocol/stan";
import type { AckInboxes } from "./acks.ts";
import { type Channel, subscriptionsOf } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { CommitQueue } from "./commit.ts";
import type { Ending, EndingKind } from "./ending.ts";
import { channelNoLongerServed } from "./errors.ts";
import type { FormerSubscriptions } from "./rescope.ts";
import type { Respond } from "./responder.ts";
import type { ChannelScope } from "./scope.ts";
import { isActive, type Subscription } from "./subscription.ts";

export interface UnsubscribeOptions {
  readonly logger: Logger;
  readonly channels: Channels;
  readonly inboxes: AckInboxes;
  readonly commit: CommitQueue;
  readonly end: Ending;
  readonly respond: Respond;
  readonly scope: ChannelScope | undefined;
  readonly former: FormerSubscriptions;
}

/**
 * Handles unsubscribe and subscription close, which differ by their subject only.
 * Everything that arrived before is processed before: requests and acks are handled in the order of arrival.
 *
 * @see protocol.md 12.1
 */
export function createUnsubscribeHandler(options: UnsubscribeOptions, kind: EndingKind): (message: BusMessage) => void {
  const { logger, channels, inboxes, commit, respond, scope, former } = options;
  const action = kind === "unsubscribe" ? "unsub" : "sub close";

  const refuse = (reply: string, error: string): void => respond(reply, encodeSubscriptionResponse({ error }));

  const find = (channel: Channel, inbox: string): Subscription | undefined => {
    const byAckInbox = inboxes.get(inbox);
    if (byAckInbox?.channel === channel) return byAckInbox;
    for (const subscription of subscriptionsOf(channel)) {
      if (subscription.inbox === inbox && (isActive(subscription) || subscription.state === "starting")) {
        return subscription;
      }
    }
    return undefined;
  };

  return (message) => {
    const { reply } = message;
    const decoded = decodeUnsubscribeRequest(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") {
      logger.error(`Invalid ${action} request from ${message.subject}: ${decoded.reason}`);
      refuse(reply, stanErrors.invalidUnsubscribeRequest.text);
      return;
    }
    const { clientId, subject, inbox } = decoded.value;
    const name = byteStringToText(subject);
    if (scope !== undefined && scope.firstMatch(name) < 0) {
      if (former.has(inbox)) refuse(reply, channelNoLongerServed(subject));
      return;
    }
    const channel = channels.byName(subject);
    if (channel === undefined) {
      logger.error(`[Client:${byteStringToText(clientId)}] ${action} request for unknown channel ${name}`);
      refuse(reply, stanErrors.unknownChannel.text);
      return;
    }
    const subscription = find(channel, inbox);
    if (subscription === undefined) {
      logger.error(
        `[Client:${byteStringToText(clientId)}] ${action} request for unknown inbox ${byteStringToText(inbox)}`,
      );
      refuse(reply, stanErrors.invalidSubscription.text);
      return;
    }
    if (subscription.clientId !== clientId) {
      logger.error(`[Client:${byteStringToText(clientId)}] ${action} request for unknown client`);
      refuse(reply, stanErrors.unknownClient.text);
      return;
    }
    options.end(subscription, kind);
    commit.whenDurable(
      () => respond(reply, encodeSubscriptionResponse({})),
      (error) => refuse(reply, textToByteString(error.message)),
    );
  };
}
