import type { RedeliveryRule } from "@nats-streaming/engine";
import { createSubjectTree } from "@nats-streaming/subject";
import { inForce } from "./options/read-delivery.ts";
import type { RedeliveryRule as ConfiguredRule, DeliveryOptions } from "./options/streaming-options.ts";

/**
 * When redelivering ends, per channel: the narrowest entry that matches counts, and what it leaves out comes from the rule
 * for all channels. A dead-letter channel has no rule of its own making that leads back to itself.
 */
export function redeliveryRules(delivery: DeliveryOptions): (channel: string) => RedeliveryRule | undefined {
  const tree = createSubjectTree<ConfiguredRule>();
  for (const [pattern, rule] of delivery.channels) tree.insert(pattern, rule);
  return (channel) => {
    const own = tree.match(channel).at(-1);
    const rule = own === undefined ? delivery : inForce(own, delivery);
    const { maxRedeliveries, deadLetter } = rule;
    return maxRedeliveries > 0 && deadLetter !== channel ? { maxRedeliveries, deadLetter } : undefined;
  };
}
