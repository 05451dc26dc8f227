import type { BrokerOptions } from "@nats-streaming/broker";
import { type Clock, durationToMillis, type Logger, type Random } from "@nats-streaming/kernel";
import type { NatsOptions } from "./options/nats-options.ts";
import { NATS_VERSION } from "./options/version.ts";

export interface BrokerSetup {
  readonly nats: NatsOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/** The embedded broker's options from those of the configuration. */
export function brokerOptions({ nats, logger, clock, random }: BrokerSetup): BrokerOptions {
  const { user, password, token, users, timeout } = nats.authorization;
  const authorization: BrokerOptions["authorization"] =
    users.length > 0
      ? { kind: "users", users: users.map((one) => ({ user: one.user, password: one.password })) }
      : token !== ""
        ? { kind: "token", token }
        : user !== ""
          ? { kind: "user", user, password }
          : undefined;
  return {
    host: nats.host,
    port: Math.max(0, nats.port),
    version: NATS_VERSION,
    ...(nats.serverName === "" ? {} : { serverName: nats.serverName }),
    maxPayload: nats.maxPayloadBytes,
    maxControlLine: nats.maxControlLineBytes,
    maxConnections: Math.max(0, nats.maxConnections),
    maxSubscriptions: Math.max(0, nats.maxSubscriptions),
    maxPending: nats.maxPendingBytes,
    writeDeadlineMillis: durationToMillis(nats.writeDeadline),
    pingIntervalMillis: durationToMillis(nats.pingInterval),
    pingMax: nats.pingMax,
    ...(authorization === undefined ? {} : { authorization, authTimeoutMillis: durationToMillis(timeout) }),
    clock,
    random,
    logger,
  };
}
