import type { Bus } from "@nats-streaming/kernel";
import { type Broker, type BrokerOptions, type ClusterOptions, createBroker } from "../src/index.ts";

/** A broker with routes, and where it is. */
export interface Member {
  readonly broker: Broker;
  readonly port: number;
  readonly routePort: number;
  /** For tests to look through. */
  readonly bus: Bus;
}

/** Starts a broker with a route port. */
export async function startMember(cluster: Partial<ClusterOptions> = {}, options: BrokerOptions = {}): Promise<Member> {
  const broker = createBroker({
    host: "127.0.0.1",
    port: 0,
    drainMillis: 200,
    ...options,
    cluster: { host: "127.0.0.1", port: 0, name: "c", ...cluster },
  });
  const { port } = await broker.listen();
  return { broker, port, routePort: broker.statistics().cluster?.port ?? 0, bus: broker.localBus("test") };
}

/** A route to a port of this machine. */
export function routeTo(port: number): string {
  return `nats://127.0.0.1:${port}`;
}

/** Resolves once `condition` holds; it is looked at turn by turn. The test's own time limit is the limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
