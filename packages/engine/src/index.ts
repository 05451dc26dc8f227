export { type Engine, type EngineStart, startEngine } from "./engine.ts";
export type {
  InspectedChannel,
  InspectedClient,
  InspectedCounts,
  InspectedSubscription,
  Inspection,
} from "./inspection.ts";
export type { InspectedBacklog } from "./inspection-backlog.ts";
export type { InspectedMessage, InspectedMessages, MessageLimits, MessageStart } from "./inspection-messages.ts";
export type { EngineOptions } from "./options.ts";
export type { ClientKnowledge, ClientPeers, ClientQuestion, ClientSource } from "./peers.ts";
export type { RedeliveryRule } from "./redelivery-rule.ts";
export type { ChannelScope } from "./scope.ts";
export type { LatencyHistogram, Statistics } from "./statistics.ts";
