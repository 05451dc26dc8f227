import type { RouteConnect, RouteInfo } from "@nats-streaming/protocol/nats";
import type { ConnectionContext } from "../connection-context.ts";
import type { ClusterSettings } from "./cluster-options.ts";
import type { Route } from "./route.ts";

/** What a broker shares with its routes as well as with its connections. */
export type SharedContext = Pick<
  ConnectionContext,
  "limits" | "router" | "delivery" | "turn" | "pool" | "counters" | "clock" | "random" | "logger"
>;

/** What the routes of one broker share. */
export interface RouteContext extends SharedContext {
  readonly settings: ClusterSettings;
  /** Longest line of a route. */
  readonly lineMax: number;
  /** This server's `INFO`. */
  readonly info: () => Uint8Array;
  /** `RS+` for everything that is listened to here. */
  readonly interestLines: () => Iterable<Uint8Array>;
  /** The other server has said `CONNECT`. */
  readonly onConnect: (route: Route, connect: RouteConnect) => void;
  /** The other server has said who it is: the first `INFO`. */
  readonly onIntroduced: (route: Route, info: RouteInfo) => void;
  /** A later `INFO`, of the other server or of a third one. */
  readonly onInfo: (route: Route, info: RouteInfo) => void;
  /** Both servers know of each other's interest; and again with each ping that is answered. */
  readonly onSettled: (route: Route) => void;
  readonly onClosed: (route: Route) => void;
  /** Its socket is gone, too. */
  readonly onGone: (route: Route) => void;
}
