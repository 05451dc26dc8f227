import { readFileSync } from "node:fs";
import type { Clock, Logger } from "@nats-streaming/kernel";
import type { NatsBusOptions, NatsBusTls } from "@nats-streaming/nats-bus";
import type { NatsOptions } from "./options/nats-options.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";

/**
 * How to reach the external NATS server that was given. Flags and the NATS part of the configuration name the login; what
 * they leave out comes from the streaming part.
 * @throws the system's error when a certificate, seed or credentials file cannot be read
 * @see configuration.md 7, operations.md 6
 */
export function natsBusOptions(options: {
  readonly name: string;
  readonly streaming: StreamingOptions;
  readonly nats: NatsOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}): NatsBusOptions {
  const { name, streaming, nats, clock, logger } = options;
  const { authorization } = nats;
  const user = authorization.user === "" ? streaming.username : authorization.user;
  const pass = authorization.password === "" ? streaming.password : authorization.password;
  const token = authorization.token === "" ? streaming.token : authorization.token;
  const tls = tlsOptions(streaming, logger);
  return {
    servers: streaming.natsServerUrl.split(",").map((url) => url.trim()),
    name,
    clock,
    logger,
    ...(user === "" ? {} : { user, pass }),
    ...(token === "" ? {} : { token }),
    ...(streaming.nkeySeedFile === "" ? {} : { nkeySeed: () => readFileSync(streaming.nkeySeedFile, "utf8") }),
    ...(streaming.credentialsFile === "" ? {} : { credentials: () => readFileSync(streaming.credentialsFile, "utf8") }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function tlsOptions(streaming: StreamingOptions, logger: Logger): NatsBusTls | undefined {
  const { certFile, keyFile, caFile, serverName, skipVerify } = streaming.tls;
  const isAsked = streaming.secure || skipVerify || [certFile, keyFile, caFile, serverName].some((text) => text !== "");
  if (!isAsked) return undefined;
  if (skipVerify) {
    logger.warn("TLS certificate chain and hostname will not be verified. DO NOT USE IN PRODUCTION!");
  }
  const file = (path: string): string => readFileSync(path, "utf8");
  return {
    ...(caFile === "" ? {} : { ca: file(caFile) }),
    ...(certFile === "" ? {} : { cert: file(certFile) }),
    ...(keyFile === "" ? {} : { key: file(keyFile) }),
    ...(serverName === "" ? {} : { serverName }),
    ...(skipVerify ? { insecure: true } : {}),
  };
}
