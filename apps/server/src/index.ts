export type { Level } from "./logging/line.ts";
export {
  type AuthorizationOptions,
  defaultNatsOptions,
  type NatsOptions,
  type NatsTlsOptions,
  type PermissionOptions,
  type ResponseOptions,
  type RouteOptions,
  type SubjectOptions,
  type TlsBlock,
  type UserOptions,
} from "./options/nats-options.ts";
export {
  type ClusteringOptions,
  type DeliveryOptions,
  defaultStreamingOptions,
  type FileStoreOptions,
  type MonitoringOptions,
  type RedeliveryRule,
  type SqlStoreOptions,
  type StreamingOptions,
  type TlsClientOptions,
} from "./options/streaming-options.ts";
export { NATS_VERSION, SERVER_VERSION } from "./options/version.ts";
export type { ListenAddress, ServerPorts } from "./reload/ports-file.ts";
export type { Leaving } from "./reload/reload-target.ts";
export {
  type RunningServer,
  type RunServerOptions,
  runServer,
  ServerError,
  type ServerErrorCode,
  type ServerEvents,
  type ServerListener,
} from "./run-server.ts";
export { type LimitsReload, type Server, type ServerOptions, type ServerStart, startServer } from "./server.ts";
export type * from "./server-config.ts";
export type { ServerState } from "./server-state.ts";
export type { StartFailure } from "./start-failure.ts";
