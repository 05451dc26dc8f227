import { type Bus, BusError } from "@nats-streaming/kernel";

/** Sends responses to requests. A request without a reply subject is executed all the same, and answered by nobody. */
export type Respond = (reply: string, payload: Uint8Array) => void;

export function createResponder(bus: Bus): Respond {
  return (reply, payload) => {
    if (reply === "") return;
    try {
      bus.publish(reply, payload);
    } catch (error) {
      // The requester is out of reach, or gave a subject that cannot be sent to: its own timeout tells it.
      if (!(error instanceof BusError)) throw error;
    }
  };
}
