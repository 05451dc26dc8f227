import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "@nats-streaming/kernel/testing";
import type { Stage } from "./stage.ts";

/** A TCP relay that can be plugged in and pulled out: a network that joins and splits. */
export interface Cable {
  /** Where to connect. While the cable is not plugged in, connections are refused. */
  readonly port: number;
  plug(): Promise<void>;
  /** Cuts every connection through it and refuses new ones. */
  pull(): Promise<void>;
}

/** A cable to `targetPort`, not plugged in yet. */
export async function createCable(stage: Stage, targetPort: number): Promise<Cable> {
  const port = await freePort();
  const ends = new Set<Socket>();
  let server: Server | undefined;

  const relay = (near: Socket): void => {
    const far = connect({ port: targetPort, host: "127.0.0.1" });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        ends.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  };
  const pull = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    for (const end of ends) end.destroy();
    if (closing !== undefined) await new Promise<void>((resolve) => closing.close(() => resolve()));
  };
  stage.defer(pull);
  return {
    port,
    pull,
    async plug(): Promise<void> {
      const listening = createServer(relay);
      await new Promise<void>((resolve, reject) => {
        listening.once("error", reject);
        listening.listen({ port, host: "127.0.0.1" }, resolve);
      });
      server = listening;
    },
  };
}
