import type { BusMessage } from "@nats-streaming/kernel";
import { decodePing, encodePingResponse, stanErrors } from "@nats-streaming/protocol/stan";
import type { Agreement } from "./agreement.ts";
import type { Clients } from "./clients.ts";
import type { Heartbeats } from "./heartbeat.ts";
import type { RecentClients } from "./recent-clients.ts";
import type { Respond } from "./responder.ts";

/**
 * Handles pings of clients: a connection ID is known or it is not. A partition server that does not know one, and has not
 * closed it itself, cannot judge it as long as another server knows it: then it keeps quiet, and takes the client over.
 * @see protocol.md 8.2, docs/partition-protocol.md
 */
export function createPingHandler(options: {
  readonly clients: Clients;
  readonly heartbeats: Heartbeats;
  readonly respond: Respond;
  readonly agreement: Agreement | undefined;
  readonly recent: RecentClients | undefined;
}): (message: BusMessage) => void {
  const { clients, heartbeats, respond, agreement, recent } = options;
  const known = encodePingResponse({});
  const unknown = encodePingResponse({ error: stanErrors.clientReplaced.text });
  return (message) => {
    if (message.start === message.end) return;
    const decoded = decodePing(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") return;
    const { connId } = decoded.value;
    const client = clients.byConnection(connId, 0, connId.length);
    if (client !== undefined) {
      heartbeats.soon(client);
      respond(message.reply, known);
      return;
    }
    const { reply } = message;
    if (agreement === undefined || agreement.isAlone || connId.length === 0 || recent?.wasConnectionClosed(connId)) {
      respond(reply, unknown);
      return;
    }
    void agreement.knowsConnection(connId).then((isKnown) => {
      if (!isKnown) respond(reply, unknown);
    });
  };
}
