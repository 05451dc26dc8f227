import type { OptionsDraft } from "../options/draft.ts";
import type { NatsOptions } from "../options/nats-options.ts";
import type { StreamingOptions } from "../options/streaming-options.ts";

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
