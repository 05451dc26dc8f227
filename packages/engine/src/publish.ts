import type { Bus, BusMessage, Logger, Sequence, Timestamp } from "@nats-streaming/kernel";
import {
  byteString,
  byteStringToText,
  copyOf,
  textToByteString,
  WireFault,
  wireFaultText,
} from "@nats-streaming/protocol";
import { decodeCtrlMsg } from "@nats-streaming/protocol/spb";
import {
  encodePubAck,
  isChannelNameRange,
  msgProtoSize,
  type PubMsgView,
  pubMsgView,
  REDELIVERY_SIZE_MAX,
  readPubMsg,
  stanErrors,
} from "@nats-streaming/protocol/stan";
import { StoreError } from "@nats-streaming/store";
import type { Channel } from "./channel.ts";
import type { Channels } from "./channels.ts";
import type { Client } from "./client.ts";
import type { Clients } from "./clients.ts";
import type { CommitQueue } from "./commit.ts";
import type { EarlyRequests } from "./early-requests.ts";
import { messageTooLarge } from "./errors.ts";
import type { ChannelScope } from "./scope.ts";
import type { Stamper } from "./stamper.ts";
import type { Statistics } from "./statistics.ts";

export interface PublishOptions {
  readonly bus: Bus;
  readonly logger: Logger;
  readonly statistics: Statistics;
  readonly clients: Clients;
  readonly channels: Channels;
  readonly commit: CommitQueue;
  readonly scope: ChannelScope | undefined;
  readonly stampFor: Stamper;
  /** Set in partition mode, where a publish may overtake the connect of its client. */
  readonly early: EarlyRequests | undefined;
  /** The subject that publishes come on, without the channel and the dot before it. */
  readonly subjectPrefix: string;
}

export interface PublishHandler {
  handle(message: BusMessage, entry: number): void;
  /** The partition's list has changed: what was found out about subjects no longer holds. */
  rescoped(): void;
}

/** Tag and length before the channel in a `MsgProto`. */
const SUBJECT_FIELD_HEAD_MAX = 6;

/**
 * By how much a `MsgProto` can at most be larger than the `PubMsg` it comes from: sequence, timestamp, redelivery fields
 * and a tag each; the client's identification, which it lacks, is not counted against it.
 */
const GROWTH_BYTES_MAX = 11 + 11 + REDELIVERY_SIZE_MAX;

/**
 * Handles publishes, the hottest path of the server: per message no object is made and no string. Validation runs in the
 * order of arrival, the message goes into the log at once, and everything that follows is the commit queue's, batch by
 * batch.
 *
 * @param entry which entry of the partition's list the subscription is for; 0 without partitioning.
 * @see protocol.md 9, partitioning.md 5 and 10
 */
export function createPublishHandler(options: PublishOptions): PublishHandler {
  const { bus, logger, statistics, clients, channels, commit, scope, early, stampFor } = options;
  const view = pubMsgView();
  const prefixLength = options.subjectPrefix.length + 1;
  let routedSubject = "";
  let routedEntry = 0;

  /** Of several entries that match one NATS subject, the first takes the message. */
  const isForEntry = (message: BusMessage, entry: number): boolean => {
    // First of all, for the subject becomes a string only when somebody looks at it.
    if (scope === undefined || !scope.selfOverlaps) return true;
    const { subject } = message;
    if (subject !== routedSubject) {
      routedSubject = subject;
      routedEntry = scope.firstMatch(byteStringToText(subject.slice(prefixLength)));
    }
    return routedEntry === entry;
  };

  const refuse = (reply: string, message: string): void => {
    if (reply === "") return;
    const payload = encodePubAck({ guid: byteString(view.bytes, view.guidStart, view.guidEnd), error: message });
    try {
      bus.publish(reply, payload);
    } catch {
      // Nobody to tell; the publisher's own timeout does.
    }
  };

  const refuseAsInvalid = (reply: string): void => {
    logger.error(`Received invalid client publish message ${describe(view)}`);
    refuse(reply, stanErrors.invalidPublish.text);
  };

  const undecodable = (message: BusMessage, fault: WireFault): void => {
    // The original drops its own control messages here without an answer, and so do we.
    if (decodeCtrlMsg(message.bytes, message.start, message.end).kind === "ok") return;
    logger.error(`Unable to unmarshal PubMsg: ${wireFaultText(fault)}`);
    refuse(message.reply, stanErrors.invalidPublish.text);
  };

  const publisher = (): Client | undefined => {
    if (view.connIdStart !== view.connIdEnd) {
      return clients.byConnection(view.bytes, view.connIdStart, view.connIdEnd);
    }
    return clients.get(byteString(view.bytes, view.clientIdStart, view.clientIdEnd));
  };

  /** The publisher is not known (yet): in partition mode its connect may be on the way. */
  const unknownPublisher = (message: BusMessage): void => {
    if (early === undefined) {
      refuseAsInvalid(message.reply);
      return;
    }
    const kept: BusMessage = {
      subject: message.subject,
      reply: message.reply,
      bytes: copyOf(message.bytes, message.start, message.end),
      start: 0,
      end: message.end - message.start,
    };
    early.wait({
      clientId: byteString(view.bytes, view.clientIdStart, view.clientIdEnd),
      connId: byteString(view.bytes, view.connIdStart, view.connIdEnd),
      bytes: kept.end,
      registered: () => {
        readPubMsg(view, kept.bytes, kept.start, kept.end);
        const client = publisher();
        if (client === undefined) refuseAsInvalid(kept.reply);
        else store(kept, client);
      },
      refused: () => {
        readPubMsg(view, kept.bytes, kept.start, kept.end);
        refuseAsInvalid(kept.reply);
      },
    });
  };

  /** @param text byte string */
  const processingError = (message: BusMessage, client: Client, text: string): void => {
    logger.error(
      `[Client:${client.info.id}] Error processing message for subject "${byteStringToText(message.subject)}": ${byteStringToText(text)}`,
    );
    refuse(message.reply, text);
  };

  /** The view holds a valid publish of a known client: puts it into its channel's log. */
  const store = (message: BusMessage, client: Client): void => {
    let channel = channels.get(view.bytes, view.subjectStart, view.subjectEnd);
    if (channel === undefined || channel.isDeleting) {
      const name = byteString(view.bytes, view.subjectStart, view.subjectEnd);
      if (scope !== undefined && scope.firstMatch(byteStringToText(name)) < 0) {
        refuseAsInvalid(message.reply);
        return;
      }
      const found = channels.findOrCreate(name);
      if (found.kind === "refused") {
        processingError(message, client, found.message);
        return;
      }
      channel = found.channel;
    }
    // What the NATS subject says decides who gets a message; what the message says must be served here, too.
    if (channel.entry < 0) {
      refuseAsInvalid(message.reply);
      return;
    }
    const size = message.end - message.start;
    if (size + GROWTH_BYTES_MAX > bus.maxPayload && isTooLarge(channel)) {
      processingError(message, client, messageTooLarge(size, bus.maxPayload));
      return;
    }
    const log = channel.messages;
    try {
      log.append((log.lastSequence + 1) as Sequence, view, stampFor(channel));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      processingError(message, client, textToByteString(error.message));
      return;
    }
    commit.touch(channel);
    if (logger.traceEnabled) trace(client, message.reply !== "");
    commit.acknowledge(message.reply, view.bytes, view.guidStart, view.guidEnd);
  };

  /** Whether no subscriber could ever receive it. @see protocol.md 18 PK7 */
  const isTooLarge = (channel: Channel): boolean => {
    const size = msgProtoSize(
      Number.MAX_SAFE_INTEGER,
      channel.nameBytes.length + SUBJECT_FIELD_HEAD_MAX,
      view.replyEnd - view.replyStart,
      view.dataEnd - view.dataStart,
      LATEST,
    );
    return size + REDELIVERY_SIZE_MAX > bus.maxPayload;
  };

  const trace = (client: Client, isAcked: boolean): void => {
    const channel = byteStringToText(byteString(view.bytes, view.subjectStart, view.subjectEnd));
    const guid = byteStringToText(byteString(view.bytes, view.guidStart, view.guidEnd));
    logger.trace(`[Client:${client.info.id}] Received message from publisher subj=${channel} guid=${guid}`);
    if (isAcked) commit.traceAcked(`[Client:${client.info.id}] Acking Publisher subj=${channel} guid=${guid}`);
  };

  const handle = (message: BusMessage, entry: number): void => {
    if (!isForEntry(message, entry)) return;
    statistics.inMessages++;
    statistics.inBytes += message.end - message.start;
    const fault = readPubMsg(view, message.bytes, message.start, message.end);
    if (fault !== WireFault.none) {
      undecodable(message, fault);
      return;
    }
    if (view.guidStart === view.guidEnd || !isChannelNameRange(view.bytes, view.subjectStart, view.subjectEnd)) {
      refuseAsInvalid(message.reply);
      return;
    }
    const client = publisher();
    if (client === undefined) unknownPublisher(message);
    else store(message, client);
  };

  return {
    handle,
    rescoped(): void {
      routedSubject = "";
    },
  };
}

/** A timestamp that takes as many bytes as any of this century. */
const LATEST: Timestamp = { millis: 4_000_000_000_000, nanos: 0 };

/** A publish for a log line: who and where, never what. */
function describe(view: PubMsgView): string {
  const text = (start: number, end: number): string =>
    JSON.stringify(byteStringToText(byteString(view.bytes, start, end)));
  return (
    `clientID=${text(view.clientIdStart, view.clientIdEnd)} guid=${text(view.guidStart, view.guidEnd)} ` +
    `subject=${text(view.subjectStart, view.subjectEnd)} size=${view.dataEnd - view.dataStart}`
  );
}
