import type {
  Authorization,
  BrokerOptions,
  ClientTlsOptions,
  ClusterOptions,
  Permissions,
  RouteTlsOptions,
  TlsOptions,
  User,
} from "@nats-streaming/broker";
import { type Clock, durationToMillis, type Logger, nowMillis, type Random } from "@nats-streaming/kernel";
import { textToByteString } from "@nats-streaming/protocol";
import { compare } from "bcryptjs";
import type {
  AuthorizationOptions,
  NatsOptions,
  PermissionOptions,
  RouteOptions,
  SubjectOptions,
  TlsBlock,
  UserOptions,
} from "./options/nats-options.ts";
import { parseRouteListener } from "./options/nats-urls.ts";
import { NATS_VERSION } from "./options/version.ts";
import { readTlsFiles, validityWarning } from "./pem-files.ts";

export interface BrokerSetup {
  readonly nats: NatsOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The embedded broker's options from those of the configuration.
 * @throws UnusableOptionError for a certificate or key that cannot be read
 */
export function brokerOptions({ nats, logger, clock, random }: BrokerSetup): BrokerOptions {
  const authorization = authorizationOf(nats.authorization);
  const routesTls = nats.routes.tls === undefined ? undefined : routeTls(nats.routes.tls);
  const cluster = clusterOf(nats.routes, routesTls);
  const tls = nats.tls.enabled ? clientTls(nats.tls) : undefined;
  for (const [block, read] of [
    [nats.tls, tls],
    [nats.routes.tls, routesTls],
  ] as const) {
    if (block === undefined || read === undefined || read.certificate === "") continue;
    const warning = validityWarning(block.certFile, read.certificate, nowMillis(clock));
    if (warning !== undefined) logger.warn(warning);
  }
  return {
    host: nats.host,
    port: Math.max(0, nats.port),
    version: NATS_VERSION,
    ...(nats.serverName === "" ? {} : { serverName: nats.serverName }),
    ...(nats.clientAdvertise === "" ? {} : { clientAdvertise: nats.clientAdvertise }),
    maxPayload: nats.maxPayloadBytes,
    maxControlLine: nats.maxControlLineBytes,
    maxConnections: Math.max(0, nats.maxConnections),
    maxSubscriptions: Math.max(0, nats.maxSubscriptions),
    maxSubscriptionTokens: Math.max(0, nats.maxSubscriptionTokens),
    maxPending: nats.maxPendingBytes,
    writeDeadlineMillis: durationToMillis(nats.writeDeadline),
    pingIntervalMillis: durationToMillis(nats.pingInterval),
    pingMax: nats.pingMax,
    ...(authorization === undefined ? {} : { authorization }),
    authTimeoutMillis: durationToMillis(nats.authorization.timeout),
    bcrypt: compare,
    ...(tls === undefined ? {} : { tls }),
    ...(cluster === undefined ? {} : { cluster }),
    clock,
    random,
    logger,
  };
}

/** Who may connect; undefined for everybody. */
function authorizationOf(options: AuthorizationOptions): Authorization | undefined {
  const { user, password, token, users, defaultPermissions, noAuthUser } = options;
  if (users.length > 0) {
    return {
      kind: "users",
      users: users.map(userOf),
      ...(defaultPermissions === undefined ? {} : { defaultPermissions: permissionsOf(defaultPermissions) }),
      ...(noAuthUser === "" ? {} : { noAuthUser: textToByteString(noAuthUser) }),
    };
  }
  if (token !== "") return { kind: "token", token };
  return user === "" ? undefined : { kind: "user", user, password };
}

function userOf({ user, password, nkey, permissions }: UserOptions): User {
  return {
    ...(nkey === "" ? { user, password } : { nkey }),
    ...(permissions === undefined ? {} : { permissions: permissionsOf(permissions) }),
  };
}

function permissionsOf({ publish, subscribe, responses }: PermissionOptions): Permissions {
  const { max, expires } = responses ?? {};
  return {
    ...(publish === undefined ? {} : { publish: subjectsOf(publish) }),
    ...(subscribe === undefined ? {} : { subscribe: subjectsOf(subscribe) }),
    ...(responses === undefined
      ? {}
      : {
          responses: {
            ...(max === undefined ? {} : { maxMessages: max }),
            ...(expires === undefined ? {} : { expiresMillis: durationToMillis(expires) }),
          },
        }),
  };
}

function subjectsOf({ allow, deny }: SubjectOptions): NonNullable<Permissions["publish"]> {
  return {
    ...(allow === undefined ? {} : { allow: allow.map(textToByteString) }),
    ...(deny === undefined ? {} : { deny: deny.map(textToByteString) }),
  };
}

/** TLS for clients. @throws UnusableOptionError */
export function clientTls(block: TlsBlock): ClientTlsOptions {
  return { ...tlsOf(block), verify: block.verify, verifyAndMap: block.verifyAndMap };
}

function routeTls(block: TlsBlock): RouteTlsOptions {
  return { ...tlsOf(block), insecure: block.insecure };
}

function tlsOf(block: TlsBlock): TlsOptions {
  const { timeout, cipherSuites, curves } = block;
  const timeoutMillis = durationToMillis(timeout);
  const { certificate = "", key = "", authorities } = readTlsFiles(block);
  return {
    certificate,
    key,
    ...(authorities === undefined ? {} : { authorities }),
    ...(timeoutMillis === 0 ? {} : { timeoutMillis }),
    cipherSuites,
    curves,
  };
}

/** Routes; undefined when none are listened for. */
function clusterOf(routes: RouteOptions, tls: RouteTlsOptions | undefined): ClusterOptions | undefined {
  const listener = routes.listenUrl === "" ? undefined : parseRouteListener(routes.listenUrl);
  // What the flag says was checked with the other options.
  const flag = listener?.kind === "listener" ? listener : undefined;
  const port = flag?.port ?? routes.port;
  if (port === 0) return undefined;
  const host = flag?.host ?? routes.host;
  const login = flag !== undefined && flag.user !== "" ? flag : routes;
  const authTimeoutMillis = durationToMillis(routes.timeout);
  return {
    ...(host === "" ? {} : { host }),
    port: Math.max(0, port),
    ...(routes.name === "" ? {} : { name: routes.name }),
    ...(routes.advertise === "" ? {} : { advertise: routes.advertise }),
    noAdvertise: routes.noAdvertise,
    routes: routes.urls,
    ...(login.user === "" ? {} : { authorization: { user: login.user, password: login.password } }),
    ...(authTimeoutMillis === 0 ? {} : { authTimeoutMillis }),
    ...(routes.connectRetries === 0 ? {} : { connectRetries: routes.connectRetries }),
    ...(tls === undefined ? {} : { tls }),
  };
}
