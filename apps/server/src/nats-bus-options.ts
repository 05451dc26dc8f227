import type { Clock, Logger } from "@nats-streaming/kernel";
import type { NatsBusOptions, NatsBusTls } from "@nats-streaming/nats-bus";
import type { NatsOptions } from "./options/nats-options.ts";
import { parseNatsServerUrls } from "./options/nats-urls.ts";
import type { StreamingOptions } from "./options/streaming-options.ts";
import { readNamedFile, readTlsFiles } from "./pem-files.ts";

/**
 * How to reach the external NATS server that was given. Flags and the NATS part of the configuration name the login; what
 * they leave out comes from the streaming part.
 * @throws UnusableOptionError when a certificate, seed or credentials file cannot be read
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
  const seed = fileReader("NKey seed", streaming.nkeySeedFile);
  const credentials = fileReader("NATS credentials", streaming.credentialsFile);
  return {
    servers: serversOf(streaming.natsServerUrl),
    name,
    clock,
    logger,
    ...(user === "" ? {} : { user, pass }),
    ...(token === "" ? {} : { token }),
    ...(seed === undefined ? {} : { nkeySeed: seed }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** What is no URL is refused when a server starts; a command that only asks takes a bare host and port, too. */
function serversOf(text: string): readonly string[] {
  const parsed = parseNatsServerUrls(text);
  return parsed.kind === "urls" ? parsed.urls : [text.trim()];
}

/** Reads the file anew at each connect, so that it may change; and once now, so that a start says what is wrong with it. */
function fileReader(what: string, path: string): (() => string) | undefined {
  if (path === "") return undefined;
  readNamedFile(what, path);
  return () => readNamedFile(what, path);
}

function tlsOptions(streaming: StreamingOptions, logger: Logger): NatsBusTls | undefined {
  const { certFile, keyFile, caFile, serverName, skipVerify } = streaming.tls;
  const isAsked = streaming.secure || skipVerify || [certFile, keyFile, caFile, serverName].some((text) => text !== "");
  if (!isAsked) return undefined;
  if (skipVerify) {
    logger.warn("TLS certificate chain and hostname will not be verified. DO NOT USE IN PRODUCTION!");
  }
  const { certificate, key, authorities } = readTlsFiles(streaming.tls);
  return {
    ...(authorities === undefined ? {} : { ca: authorities }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === "" ? {} : { serverName }),
    ...(skipVerify ? { insecure: true } : {}),
  };
}
