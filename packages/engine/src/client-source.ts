import type { ClientInfo } from "@nats-streaming/store";
import type { Channels } from "./channels.ts";
import type { Clients } from "./clients.ts";
import type { ClientKnowledge, ClientQuestion, ClientSource } from "./peers.ts";
import type { RecentClients } from "./recent-clients.ts";

/** What this server tells the others of a partitioned cluster. */
export function createClientSource(options: {
  readonly clients: Clients;
  readonly channels: Channels;
  readonly recent: RecentClients;
  readonly pending: (clientId: string) => ClientInfo | undefined;
}): ClientSource {
  const { clients, channels, recent } = options;

  const registered = (info: ClientInfo): ClientKnowledge => ({
    kind: recent.wasAlive(info) ? "alive" : "known",
    client: info,
  });

  return {
    get clientCount() {
      return clients.size;
    },
    clientDigest: () => clients.digest(),
    clientIds: () => clients.sortedIds(),
    client: (clientId) => clients.get(clientId)?.info,
    knowledge({ clientId, connId }: ClientQuestion): ClientKnowledge {
      if (clientId === "") {
        const owner = clients.byConnection(connId, 0, connId.length);
        if (owner !== undefined) return registered(owner.info);
        return { kind: recent.wasConnectionClosed(connId) ? "closed" : "unknown" };
      }
      const pending = options.pending(clientId);
      if (pending !== undefined) return { kind: "pending", client: pending };
      const owner = clients.get(clientId);
      if (owner !== undefined) return registered(owner.info);
      return { kind: recent.wasClosed(clientId) ? "closed" : "unknown" };
    },
    channelNames: () => channels.sortedNames(),
  };
}
