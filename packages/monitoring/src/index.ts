export type { BacklogSnapshot } from "./backlog-snapshot.ts";
export {
  type BrokerCluster,
  type BrokerConnection,
  type BrokerDirectory,
  type BrokerLocalBus,
  type BrokerRoute,
  type BrokerSettings,
  type BrokerSnapshot,
  type BrokerSubjects,
  type BrokerSubscription,
  type BrokerTraffic,
  idleBroker,
} from "./broker-directory.ts";
export { processFileDescriptors } from "./file-descriptors.ts";
export type { Guard } from "./guard.ts";
export type { MessageLimits, MessagePage, MessageStart, StoredMessageSnapshot } from "./message-page.ts";
export type { MessageAccess } from "./messagesz.ts";
export { MonitoringError, type MonitoringErrorCode } from "./monitoring-error.ts";
export { compareNames, createNameIndex, type NameIndex } from "./name-index.ts";
export type { PartitionConflict, PartitionServer, PartitionSnapshot, UnownedChannel } from "./partition-snapshot.ts";
export { type Asker, jsonResponse, type MonitoringResponse, type MonitoringRoute, textResponse } from "./response.ts";
export { monitoringRoutes } from "./routes.ts";
export type {
  ChannelDirectory,
  ChannelLimitsSnapshot,
  ChannelTotals,
  ClientDirectory,
  ClientSubscription,
  FileDescriptors,
  Integer,
  LimitsList,
  MonitoredChannel,
  MonitoredClient,
  MonitoringSource,
  NamedChannelLimits,
  NameList,
  QuarantinedChannel,
  ServerPhase,
  ServerSnapshot,
  ServerState,
  StoreLimitsSnapshot,
  StoreSnapshot,
  StoreTotals,
  SubscriptionSnapshot,
} from "./source.ts";
export { type MonitoringOptions, type MonitoringServer, startMonitoring } from "./start-monitoring.ts";
export type { HistogramSnapshot, StorageSnapshot, WorkSnapshot } from "./work-snapshot.ts";
