export type { Authorization, UserPassword } from "./authorization.ts";
export { type Broker, type BrokerAddress, createBroker, type ListenOptions } from "./broker.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export type { BrokerOptions } from "./options.ts";
export type { BrokerStatistics, ConnectionStatistics, LocalBusStatistics } from "./statistics.ts";
