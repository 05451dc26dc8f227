import { freePort } from "@nats-streaming/kernel/testing";
import { type NatsServer, startNatsServer } from "./nats-server.ts";
import type { Stage } from "./stage.ts";

/** One of two nats-servers with a route. */
export interface NatsHalf {
  readonly nats: NatsServer;
  readonly monitorPort: number;
  /** Starts it again where it was. */
  restart(): Promise<NatsServer>;
}

/** Starts two nats-servers and waits for the route between them. @param more configuration of both */
export async function startNatsPair(stage: Stage, more = ""): Promise<readonly [NatsHalf, NatsHalf]> {
  const routes = [await freePort(), await freePort()] as const;
  const half = async (own: number, other: number): Promise<NatsHalf> => {
    const monitorPort = await freePort();
    const cluster = `cluster { name: "pair", listen: "127.0.0.1:${own}", routes: ["nats://127.0.0.1:${other}"] }\n`;
    const config = `${more}http: "127.0.0.1:${monitorPort}"\n${cluster}`;
    const start = (port?: number): Promise<NatsServer> =>
      startNatsServer(stage, { ...(port === undefined ? {} : { port }), config });
    const nats = await start();
    return { nats, monitorPort, restart: () => start(nats.port) };
  };
  const [one, other] = [await half(...routes), await half(routes[1], routes[0])];
  await one.nats.child.line("Route connection created");
  return [one, other];
}
