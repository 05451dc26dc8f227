import { encodeRouteConnect, encodeRouteInfo, type RouteInfo } from "@nats-streaming/protocol/nats";
import type { Limits } from "../options.ts";
import type { ClusterName } from "./cluster-name.ts";
import type { ClusterSettings } from "./cluster-options.ts";
import { hostPort, parseHostPort, type RouteUrl } from "./route-url.ts";

/** Protocol level of routes: that of nats-server 2.9 but for leaf nodes. */
const ROUTE_PROTOCOL = 1;

export interface IntroductionOptions {
  readonly settings: ClusterSettings;
  readonly serverId: string;
  readonly serverName: string;
  readonly version: string;
  readonly limits: Pick<Limits, "maxPayload">;
  /** Where clients reach this server. */
  readonly ownUrls: () => readonly string[];
}

/** What this server tells others of itself. */
export class Introduction {
  /** Of the cluster; changes when this server takes another's over. */
  name: ClusterName;
  /** Where routes are listened for; 0 until then. */
  port = 0;
  /** This server is about to go. */
  isLast = false;
  readonly #options: IntroductionOptions;

  constructor(options: IntroductionOptions, name: ClusterName) {
    this.#options = options;
    this.name = name;
  }

  /** `INFO`. */
  info(): Uint8Array {
    const { settings, serverId, serverName, version, limits, ownUrls } = this.#options;
    const advertised = settings.advertise === "" ? undefined : parseHostPort(settings.advertise, this.port);
    const info: RouteInfo = {
      server_id: serverId,
      server_name: serverName,
      version,
      proto: ROUTE_PROTOCOL,
      go: `node${process.versions.node}`,
      host: advertised?.host ?? settings.host,
      port: advertised?.port ?? this.port,
      headers: true,
      auth_required: settings.authorization !== undefined,
      tls_required: settings.tls !== undefined,
      max_payload: limits.maxPayload,
      ip: advertised === undefined ? "" : `nats-route://${hostPort(advertised.host, advertised.port)}/`,
      cluster: this.name.name,
      cluster_dynamic: this.name.isDynamic,
      connect_urls: settings.noAdvertise || this.isLast ? [] : ownUrls(),
      ldm: this.isLast,
      settles_by_id: true,
    };
    return encodeRouteInfo(info);
  }

  /** `CONNECT` for a server that was dialled: with the user and password of its URL, or else those of the cluster. */
  connect({ user, password }: RouteUrl): Uint8Array {
    const { settings, serverId } = this.#options;
    const own = settings.authorization;
    const isGiven = user !== "" || password !== "";
    return encodeRouteConnect({
      user: isGiven ? user : (own?.user ?? ""),
      pass: isGiven ? password : (own?.password ?? ""),
      tls_required: settings.tls !== undefined,
      name: serverId,
      headers: true,
      cluster: this.name.name,
      cluster_dynamic: this.name.isDynamic,
    });
  }
}
