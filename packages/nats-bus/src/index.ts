export { connectNatsBus } from "./nats-bus.ts";
export { CONNECT_TIMEOUT_MILLIS, type NatsBusOptions, type NatsBusTls } from "./options.ts";
