import type { Bus } from "@nats-streaming/kernel";
import {
  type ClientSubjects,
  decodeConnectResponse,
  encodeCloseRequest,
  encodeConnectRequest,
} from "@nats-streaming/protocol/stan";

export type Probe =
  | { readonly kind: "alone" }
  /** Another server answered for this cluster ID. */
  | { readonly kind: "taken"; readonly message: string };

/**
 * Asks whether another server with this cluster ID is running, as the original does: by a connect request whose client ID
 * is the cluster ID.
 *
 * @see protocol.md 15.1.2
 */
export async function probeForAnotherServer(options: {
  readonly bus: Bus;
  readonly clusterId: string;
  readonly subjects: ClientSubjects;
  /** A subject that nothing listens on. */
  readonly inbox: string;
  readonly timeoutMillis: number;
}): Promise<Probe> {
  const { bus, clusterId, subjects } = options;
  const request = encodeConnectRequest({ clientId: clusterId, heartbeatInbox: options.inbox });
  const answer = await bus.request(subjects.discovery, request, options.timeoutMillis);
  if (answer.kind === "failed") return { kind: "taken", message: answer.reason };
  if (answer.kind !== "reply") return { kind: "alone" };
  const decoded = decodeConnectResponse(answer.payload);
  if (decoded.kind === "invalid") return { kind: "taken", message: decoded.reason };
  if (decoded.value.closeRequests !== "") {
    bus.publish(decoded.value.closeRequests, encodeCloseRequest({ clientId: clusterId }));
    await bus.flush();
  }
  return { kind: "taken", message: `discovered another streaming server with cluster ID "${clusterId}"` };
}
