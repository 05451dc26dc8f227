import { recoveryMode } from "../store/recovery-mode.ts";
import type { NatsOptions } from "./nats-options.ts";
import { parseRouteListener } from "./nats-urls.ts";
import { deliveryError } from "./read-delivery.ts";
import type { StreamingOptions } from "./streaming-options.ts";

/** Why the server cannot start with these options, although each by itself is fine. */
export interface StartError {
  readonly text: string;
  readonly hint: string;
  readonly stream: "stdout" | "stderr";
}

/** The first contradiction between options that is known before anything is started. */
export function findStartError(streaming: StreamingOptions, nats: NatsOptions): StartError | undefined {
  return (
    clusteringError(streaming) ??
    redeliveryError(streaming) ??
    fileRecoveryError(streaming) ??
    partitionError(streaming) ??
    guardError(streaming) ??
    routeError(nats) ??
    portError(nats) ??
    monitorError(nats) ??
    tlsError(nats)
  );
}

/**
 * Streaming clustering is read but not run. Together with partitioning the original's own line is given, on its own
 * stream.
 * @see partitioning.md 3, operations.md 4
 */
function clusteringError(streaming: StreamingOptions): StartError | undefined {
  if (!streaming.clustering.clustered) return undefined;
  if (streaming.partitioning) {
    return { text: "stan: channels partitioning in clustering mode is not supported", hint: "", stream: "stdout" };
  }
  const text =
    "streaming clustering is not supported: for availability run a fault tolerance group on a shared store (-ft_group), or use the SQL store on a replicated database (-store sql)";
  return { text, hint: "", stream: "stderr" };
}

function redeliveryError(streaming: StreamingOptions): StartError | undefined {
  const text = deliveryError(streaming);
  return text === undefined ? undefined : { text, hint: "see docs/redelivery.md", stream: "stderr" };
}

function fileRecoveryError(streaming: StreamingOptions): StartError | undefined {
  const { recovery, cacheBytes } = streaming.fileStore;
  const see = "see docs/file-store.md";
  if (recoveryMode(recovery) === undefined) {
    return {
      text: `unknown file recovery mode: ${recovery}`,
      hint: `strict, quarantine or salvage: ${see}`,
      stream: "stderr",
    };
  }
  if (cacheBytes < 0) return { text: "file cache size must be a positive number", hint: see, stream: "stderr" };
  return undefined;
}

function partitionError({ partitionConflict, partitionUnowned }: StreamingOptions): StartError | undefined {
  const hint = "see docs/partitioning.md";
  if (partitionConflict !== "younger_exits" && partitionConflict !== "exit_all") {
    const text = `partition_conflict is younger_exits or exit_all, not ${partitionConflict}`;
    return { text, hint, stream: "stderr" };
  }
  if (partitionUnowned !== "silent" && partitionUnowned !== "error") {
    return { text: `partition_unowned is silent or error, not ${partitionUnowned}`, hint, stream: "stderr" };
  }
  return undefined;
}

function guardError({ monitoring: { token, username, password } }: StreamingOptions): StartError | undefined {
  const hint = "in monitoring { }, give a token, or a username and a password";
  if (token !== "" && username !== "") {
    return { text: "monitoring asks for a token and for a user", hint, stream: "stderr" };
  }
  if ((username === "") !== (password === "")) {
    return { text: "monitoring needs a username and a password, or neither", hint, stream: "stderr" };
  }
  return undefined;
}

function routeError(nats: NatsOptions): StartError | undefined {
  const { listenUrl, port, urls } = nats.routes;
  if (listenUrl !== "") {
    const listener = parseRouteListener(listenUrl);
    if (listener.kind === "invalid") {
      return { text: listener.message, hint: "write -cluster nats://[user:password@]host:port", stream: "stderr" };
    }
  }
  if (urls.length > 0 && listenUrl === "" && port === 0) {
    const text = "solicited routes require cluster capabilities, e.g. --cluster";
    return { text, hint: "add -cluster nats://0.0.0.0:6222", stream: "stderr" };
  }
  return undefined;
}

const PORT_MAX = 65_535;

/** @see configuration.md 7 */
function monitorError({ httpPort, httpsPort, tls }: NatsOptions): StartError | undefined {
  if (httpsPort === 0) return undefined;
  if (httpPort !== 0) {
    const text = `Can't specify both HTTP (${httpPort}) and HTTPs (${httpsPort}) ports`;
    return { text, hint: "leave one of -m and -ms out", stream: "stderr" };
  }
  if (tls.certFile !== "" && tls.keyFile !== "") return undefined;
  const hint = "name the server's certificate and its key: -tlscert server-cert.pem -tlskey server-key.pem";
  return { text: "TLS cert and key required for HTTPS", hint, stream: "stderr" };
}

function portError(nats: NatsOptions): StartError | undefined {
  const ports = [
    ["-p, port", nats.port],
    ["-m, http_port", nats.httpPort],
    ["-ms, https_port", nats.httpsPort],
    ["cluster { port }", nats.routes.port],
  ] as const;
  for (const [name, port] of ports) {
    if (port >= -1 && port <= PORT_MAX) continue;
    const text = `port ${port} is out of the range 0 to ${PORT_MAX}`;
    return { text, hint: `see ${name}; -1 takes a free port`, stream: "stderr" };
  }
  return undefined;
}

function tlsError(nats: NatsOptions): StartError | undefined {
  const { enabled, certFile, keyFile } = nats.tls;
  if (!enabled || (certFile !== "" && keyFile !== "")) return undefined;
  const hint = "name the server's certificate and its key: -tlscert server-cert.pem -tlskey server-key.pem";
  return { text: "TLS Server certificate must be present and valid", hint, stream: "stderr" };
}
