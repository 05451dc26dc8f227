import type { Delivery } from "./delivery.ts";
import type { Redelivery } from "./redelivery.ts";
import { begin, type Subscription } from "./subscription.ts";

/**
 * Starts subscriptions whose response is sent, one after the other: first what is pending, then new messages. One at a
 * time, so that a large backlog of one does not hold up the responses of others.
 *
 * @see delivery.md 5.1
 */
export interface Starter {
  enqueue(subscription: Subscription): void;
}

export function createStarter(delivery: Delivery, redelivery: Redelivery): Starter {
  const queue: Queued[] = [];
  let isRunning = false;

  const start = (subscription: Subscription): void => {
    begin(subscription);
    if (subscription.group === undefined) delivery.toSubscription(subscription);
    else delivery.toGroup(subscription.group);
  };

  const run = async (): Promise<void> => {
    isRunning = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { subscription } = next;
      // Only what has something pending waits: a start without it happens in this very turn.
      if (isCurrent(next) && subscription.pending.size > 0) await redelivery.everything(subscription);
      if (isCurrent(next)) start(subscription);
    }
    isRunning = false;
  };

  return {
    enqueue(subscription) {
      queue.push({ subscription, ackInbox: subscription.ackInbox });
      if (!isRunning) void run();
    },
  };
}

/** A start, and the ack inbox of the response that it follows. */
interface Queued {
  readonly subscription: Subscription;
  readonly ackInbox: string;
}

/** Not once it has ended, nor when it was closed and resumed: then another response comes first, and another start. */
function isCurrent({ subscription, ackInbox }: Queued): boolean {
  return subscription.state === "starting" && subscription.ackInbox === ackInbox;
}
