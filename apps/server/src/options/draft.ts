import type { ChannelLimits, StoreLimits } from "@nats-streaming/store";
import {
  type AuthorizationOptions,
  defaultNatsOptions,
  type NatsGeneralOptions,
  type NatsOptions,
  type NatsTlsOptions,
  type RouteOptions,
} from "./nats-options.ts";
import {
  type ClusteringOptions,
  type DeliveryOptions,
  defaultStreamingOptions,
  type FileStoreOptions,
  type GeneralOptions,
  type MonitoringOptions,
  type RedeliveryRule,
  type SqlStoreOptions,
  type StreamingOptions,
  type TlsClientOptions,
} from "./streaming-options.ts";

/** Options while they are being gathered. */
export type Draft<Options> = { -readonly [Name in keyof Options]: Options[Name] };

/** The limits that hold for every channel, and the number of channels. */
export type GlobalLimits = Omit<StoreLimits, "channels">;

/** Every option of the server, each section by itself so that a definition only sees its own. */
export interface OptionsDraft {
  readonly general: Draft<GeneralOptions>;
  readonly tls: Draft<TlsClientOptions>;
  readonly limits: Draft<GlobalLimits>;
  /** In file order. */
  readonly channels: Map<string, ChannelLimits>;
  readonly delivery: Draft<Omit<DeliveryOptions, "channels">>;
  /** In file order. */
  readonly deliveryChannels: Map<string, RedeliveryRule>;
  readonly monitoring: Draft<MonitoringOptions>;
  readonly file: Draft<FileStoreOptions>;
  readonly sql: Draft<SqlStoreOptions>;
  readonly clustering: Draft<ClusteringOptions>;
  readonly nats: Draft<NatsGeneralOptions>;
  readonly authorization: Draft<AuthorizationOptions>;
  readonly natsTls: Draft<NatsTlsOptions>;
  readonly routes: Draft<RouteOptions>;
}

/** A draft that holds the defaults. */
export function newDraft(): OptionsDraft {
  return draftOf(defaultStreamingOptions, defaultNatsOptions);
}

/** Both halves of a server's options, in the form in which the option tables read and write them. */
export function draftOf(streaming: StreamingOptions, nats: NatsOptions): OptionsDraft {
  const { tls, storeLimits, delivery, monitoring, fileStore, sqlStore, clustering, ...general } = streaming;
  const { channels, ...limits } = storeLimits;
  const { channels: deliveryChannels, ...deliveryForAll } = delivery;
  const { authorization, tls: natsTls, routes, ...natsGeneral } = nats;
  return {
    general: { ...general },
    tls: { ...tls },
    limits: { ...limits },
    channels: new Map(channels),
    delivery: { ...deliveryForAll },
    deliveryChannels: new Map(deliveryChannels),
    monitoring: { ...monitoring },
    file: { ...fileStore },
    sql: { ...sqlStore },
    clustering: { ...clustering },
    nats: { ...natsGeneral },
    authorization: { ...authorization },
    natsTls: { ...natsTls },
    routes: { ...routes },
  };
}

/** The streaming half of a draft, as it is now. */
export function streamingOptionsOf(draft: OptionsDraft): StreamingOptions {
  return {
    ...draft.general,
    tls: { ...draft.tls },
    storeLimits: { ...draft.limits, channels: new Map(draft.channels) },
    delivery: { ...draft.delivery, channels: new Map(draft.deliveryChannels) },
    monitoring: { ...draft.monitoring },
    fileStore: { ...draft.file },
    sqlStore: { ...draft.sql },
    clustering: { ...draft.clustering },
  };
}

/** The NATS half of a draft, as it is now. */
export function natsOptionsOf(draft: OptionsDraft): NatsOptions {
  return {
    ...draft.nats,
    authorization: { ...draft.authorization },
    tls: { ...draft.natsTls },
    routes: { ...draft.routes },
  };
}

/** Reads and writes one value of a target. */
export interface Lens<Target, Value> {
  get(target: Target): Value;
  set(target: Target, value: Value): void;
}

/** Makes lenses for the properties of one type, each with the type of its property. */
export function lensesOf<Target>(): <Name extends keyof Target>(name: Name) => Lens<Target, Target[Name]> {
  return (name) => ({
    get: (target) => target[name],
    set: (target, value) => {
      target[name] = value;
    },
  });
}
