export type { Authorization, User, UserPassword } from "./authorization.ts";
export { type Broker, type BrokerAddress, createBroker, type ListenOptions } from "./broker.ts";
export type { ClusterOptions } from "./cluster/cluster-options.ts";
export { BrokerError, type BrokerErrorCode } from "./errors.ts";
export type { LameDuck } from "./lame-duck.ts";
export type { BrokerOptions } from "./options.ts";
export type { BcryptCompare } from "./passwords.ts";
export type { Permissions, ResponsePermission, SubjectPermission } from "./permissions.ts";
export type { BrokerReload } from "./reload.ts";
export type {
  BrokerStatistics,
  ClusterStatistics,
  ConnectionStatistics,
  LocalBusStatistics,
  RouteStatistics,
  SubjectStatistics,
  SubscriptionStatistics,
} from "./statistics.ts";
export type { ClientTlsOptions, RouteTlsOptions, TlsOptions } from "./tls-options.ts";
