import type { ChannelLimits, ChannelStore } from "@nats-streaming/store";
import { createSqlMessageLog, type LogContent, type SqlMessageLog } from "./messages/sql-message-log.ts";
import type { StoreContext } from "./store-context.ts";
import {
  createSqlSubscriptionLog,
  type SqlSubscriptionLog,
  type SubscriptionContent,
} from "./subscriptions/sql-subscription-log.ts";
import type { SubscriptionIds } from "./subscriptions/subscription-ids.ts";

/** One channel: a row of Channels, and what belongs to its number in the other tables. */
export interface Channel extends ChannelStore {
  /** Channel number. */
  readonly id: number;
  readonly messages: SqlMessageLog;
  readonly subscriptions: SqlSubscriptionLog;
  readonly limits: ChannelLimits;
  /** Nothing is written any more. */
  close(): void;
}

export interface ChannelOptions {
  readonly context: StoreContext;
  /** Byte string. */
  readonly name: string;
  readonly id: number;
  readonly limits: ChannelLimits;
  readonly ids: SubscriptionIds;
  readonly log: LogContent;
  readonly subscriptions: SubscriptionContent;
}

export function openChannel(options: ChannelOptions): Channel {
  const { context, name, id, limits, ids } = options;
  const messages = createSqlMessageLog({ context, channel: name, id, limits, content: options.log });
  const subscriptions = createSqlSubscriptionLog({
    context,
    channel: id,
    maxSubscriptions: limits.maxSubscriptions,
    ids,
    content: options.subscriptions,
  });
  return {
    id,
    messages,
    subscriptions,
    limits,
    close(): void {
      subscriptions.close();
      messages.close();
    },
  };
}
