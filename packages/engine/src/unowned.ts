import type { BusMessage, Logger } from "@nats-streaming/kernel";
import { byteString, byteStringToText, WireFault } from "@nats-streaming/protocol";
import {
  decodeSubscriptionRequest,
  encodePubAck,
  encodeSubscriptionResponse,
  isChannelNameRange,
  pubMsgView,
  readPubMsg,
} from "@nats-streaming/protocol/stan";
import { channelWithoutOwner } from "./errors.ts";
import type { Respond } from "./responder.ts";
import type { ChannelScope } from "./scope.ts";

/**
 * Answers what is sent to a channel that no server of the cluster owns with an error, instead of leaving the client to its
 * timeout. Of all servers that do this, NATS hands each request to one: they listen as a queue group.
 */
export interface UnownedHandlers {
  publish(message: BusMessage): void;
  subscribe(message: BusMessage): void;
}

export interface UnownedOptions {
  readonly logger: Logger;
  readonly scope: ChannelScope;
  readonly respond: Respond;
  /** Whether another server owns a channel (byte string); true when that cannot be found out. */
  readonly isOwned: (channel: string) => Promise<boolean>;
  /** The subject that publishes come on, without the channel and the dot before it. */
  readonly subjectPrefix: string;
}

/** Requests that wait to be told whether there is an owner; beyond, they get no answer, as without this. */
const WAITING_MAX = 65_536;

/** Who listens together. @param subjectPrefix see {@link UnownedOptions} */
export function unownedQueue(subjectPrefix: string): string {
  return `${subjectPrefix}.$unowned`;
}

export function createUnownedHandlers(options: UnownedOptions): UnownedHandlers {
  const { logger, scope, respond } = options;
  const view = pubMsgView();
  const prefixLength = options.subjectPrefix.length + 1;
  let waiting = 0;

  const unlessOwned = (channel: string, answer: (error: string) => void): void => {
    if (waiting >= WAITING_MAX) return;
    waiting++;
    void options.isOwned(channel).then((isOwned) => {
      waiting--;
      // The list may have been changed meanwhile.
      if (isOwned || scope.firstMatch(byteStringToText(channel)) >= 0) return;
      logger.warn(`Refused a request on channel ${JSON.stringify(byteStringToText(channel))}: no server lists it`);
      answer(channelWithoutOwner(channel));
    });
  };

  return {
    publish(message): void {
      const { reply, subject } = message;
      if (reply === "") return;
      const channel = subject.slice(prefixLength);
      if (scope.firstMatch(byteStringToText(channel)) >= 0) return;
      const fault = readPubMsg(view, message.bytes, message.start, message.end);
      // What no owner would take is no owner's business; and servers find each other by such messages.
      if (fault !== WireFault.none || view.guidStart === view.guidEnd) return;
      if (!isChannelNameRange(view.bytes, view.subjectStart, view.subjectEnd)) return;
      if (byteString(view.bytes, view.subjectStart, view.subjectEnd) !== channel) return;
      const guid = byteString(view.bytes, view.guidStart, view.guidEnd);
      unlessOwned(channel, (error) => respond(reply, encodePubAck({ guid, error })));
    },
    subscribe(message): void {
      const { reply } = message;
      if (reply === "") return;
      const decoded = decodeSubscriptionRequest(message.bytes, message.start, message.end);
      if (decoded.kind === "invalid") return;
      const { subject } = decoded.value;
      // Every server answers a request that is wrong in itself.
      if (!isChannelName(subject) || scope.firstMatch(byteStringToText(subject)) >= 0) return;
      unlessOwned(subject, (error) => respond(reply, encodeSubscriptionResponse({ error })));
    },
  };
}

function isChannelName(name: string): boolean {
  const bytes = Buffer.from(name, "latin1");
  return isChannelNameRange(bytes, 0, bytes.length);
}
