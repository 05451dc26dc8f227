import type { BrokerOptions } from "./options.ts";

/**
 * What of a broker's options can change while it runs; everything else in the options given has no effect. What is left out
 * takes its default, as with a new broker.
 *
 * - `authorization`: connections that would not be let in any more are closed with `-ERR 'Authorization Violation'`; changed
 *   permissions hold at once, and subscriptions that they do not allow end with an error each.
 * - `tls`: for connections that come from now on.
 * - `maxConnections`: the latest connections above it are closed with `-ERR 'maximum connections exceeded'`.
 * - `maxPayload`: a lower one for everybody, a higher one for connections that come from now on.
 * - `maxControlLine`, `maxPending`: for connections that come from now on.
 * - `maxSubscriptions`, `maxSubscriptionTokens`: for subscriptions that are asked for from now on.
 * - `writeDeadlineMillis`, `pingIntervalMillis`, `pingMax`: from the next write, the next ping on.
 * - `clientAdvertise`: for those who come, and for servers of the cluster that come.
 * - `cluster`, where there was one before and still is: `routes` that are new are opened, those that are gone are closed;
 *   `authorization` closes accepted routes that would not be let in any more; `tls`, where there was any, for new routes;
 *   `noAdvertise`, `connectRetries`, `authTimeoutMillis`. Not its address, name and `advertise`.
 */
export type BrokerReload = Pick<
  BrokerOptions,
  | "authorization"
  | "authTimeoutMillis"
  | "tls"
  | "maxPayload"
  | "maxControlLine"
  | "maxConnections"
  | "maxSubscriptions"
  | "maxSubscriptionTokens"
  | "maxPending"
  | "writeDeadlineMillis"
  | "pingIntervalMillis"
  | "pingMax"
  | "drainMillis"
  | "clientAdvertise"
  | "cluster"
>;
