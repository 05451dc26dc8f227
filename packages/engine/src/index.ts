export { type Engine, type EngineStart, startEngine } from "./engine.ts";
export type { InspectedChannel, InspectedClient, InspectedSubscription, Inspection } from "./inspection.ts";
export type { EngineOptions } from "./options.ts";
export type { RedeliveryRule } from "./redelivery-rule.ts";
export type { ChannelScope } from "./scope.ts";
export type { Statistics } from "./statistics.ts";
