export { processFileDescriptors } from "./file-descriptors.ts";
export { MonitoringError, type MonitoringErrorCode } from "./monitoring-error.ts";
export { compareNames, createNameIndex, type NameIndex } from "./name-index.ts";
export { jsonResponse, type MonitoringResponse, type MonitoringRoute, textResponse } from "./response.ts";
export { monitoringRoutes } from "./routes.ts";
export type {
  ChannelDirectory,
  ChannelLimitsSnapshot,
  ClientDirectory,
  ClientSubscription,
  FileDescriptors,
  Integer,
  MonitoredChannel,
  MonitoredClient,
  MonitoringSource,
  NamedChannelLimits,
  QuarantinedChannel,
  ServerSnapshot,
  ServerState,
  StoreLimitsSnapshot,
  StoreSnapshot,
  StoreTotals,
  SubscriptionSnapshot,
} from "./source.ts";
export { type MonitoringOptions, type MonitoringServer, startMonitoring } from "./start-monitoring.ts";
