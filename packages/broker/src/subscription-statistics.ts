import type { SubscriptionStatistics } from "./statistics.ts";
import { textOfKey } from "./subject-key.ts";
import type { Subscription } from "./subscription.ts";

/** The figures of subscriptions, each made as it is reached. */
export function* subscriptionStatistics(
  subscriptions: Iterable<Subscription>,
): IterableIterator<SubscriptionStatistics> {
  for (const { subject, queue, sid, delivered, max } of subscriptions) {
    yield { subject: textOfKey(subject), queue: textOfKey(queue), sid: textOfKey(sid), delivered, max };
  }
}
