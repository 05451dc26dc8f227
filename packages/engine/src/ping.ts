import type { BusMessage } from "@nats-streaming/kernel";
import { decodePing, encodePingResponse, stanErrors } from "@nats-streaming/protocol/stan";
import type { Clients } from "./clients.ts";
import type { Heartbeats } from "./heartbeat.ts";
import type { Respond } from "./responder.ts";

/** Handles pings of clients: a connection ID is known or it is not. @see protocol.md 8.2 */
export function createPingHandler(options: {
  readonly clients: Clients;
  readonly heartbeats: Heartbeats;
  readonly respond: Respond;
}): (message: BusMessage) => void {
  const { clients, heartbeats, respond } = options;
  const known = encodePingResponse({});
  const unknown = encodePingResponse({ error: stanErrors.clientReplaced.text });
  return (message) => {
    if (message.start === message.end) return;
    const decoded = decodePing(message.bytes, message.start, message.end);
    if (decoded.kind === "invalid") return;
    const { connId } = decoded.value;
    const client = clients.byConnection(connId, 0, connId.length);
    if (client !== undefined) heartbeats.soon(client);
    respond(message.reply, client === undefined ? unknown : known);
  };
}
