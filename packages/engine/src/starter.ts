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
  const queue: Subscription[] = [];
  let isRunning = false;

  const start = (subscription: Subscription): void => {
    if (subscription.state !== "starting") return;
    begin(subscription);
    if (subscription.group === undefined) delivery.toSubscription(subscription);
    else delivery.toGroup(subscription.group);
  };

  const run = async (): Promise<void> => {
    isRunning = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      // Only what has something pending waits: a start without it happens in this very turn.
      if (next.state === "starting" && next.pending.size > 0) await redelivery.everything(next);
      start(next);
    }
    isRunning = false;
  };

  return {
    enqueue(subscription) {
      queue.push(subscription);
      if (!isRunning) void run();
    },
  };
}
