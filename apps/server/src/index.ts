export { defaultNatsOptions, type NatsOptions } from "./options/nats-options.ts";
export { defaultStreamingOptions, type StreamingOptions } from "./options/streaming-options.ts";
export { NATS_VERSION, SERVER_VERSION } from "./options/version.ts";
export {
  type RunningServer,
  type RunServerOptions,
  runServer,
  ServerError,
  type ServerErrorCode,
  type ServerEvents,
  type ServerListener,
} from "./run-server.ts";
export { type Server, type ServerOptions, type ServerStart, startServer } from "./server.ts";
export type * from "./server-config.ts";
export type { ServerState } from "./server-state.ts";
