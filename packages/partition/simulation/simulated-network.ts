import type { Random } from "@nats-streaming/kernel";
import { createEventQueue, type EventQueue } from "./event-queue.ts";
import { createSimulatedServer, type SimulatedServer } from "./simulated-server.ts";

/** What one server sends to another, or hears of the network. */
export type Delivery = (to: SimulatedServer) => void;

/** How the lines are now; all of it comes from the seed. */
export interface Weather {
  /** Longest time that a message, a flush or a notice takes; each takes a random part of it. */
  delayMillis: number;
  /** Share of the messages that are lost, and that arrive twice. */
  loss: number;
  duplication: number;
}

/** Servers on a network in which every message takes a while, and which can be cut, split and healed. All from one seed. */
export interface SimulatedNetwork {
  readonly random: Random;
  readonly queue: EventQueue;
  readonly servers: readonly SimulatedServer[];
  readonly weather: Weather;
  /** Messages that were delivered. */
  readonly delivered: number;
  /** A server that starts at that time. */
  launch(time: number, names: readonly string[], options?: LaunchOptions): SimulatedServer;
  /** Cuts a server's line for a while. What is under way to or from it is lost. */
  cut(server: SimulatedServer, from: number, until: number): void;
  /** Moves servers to islands: they hear each other on one island only. Everybody learns of it within the longest delay. */
  split(time: number, islandOf: (server: SimulatedServer) => number): void;
  /** Makes all islands one, brings every line back, and ends loss and duplication. */
  heal(time: number): void;
  /** A client connects to, or closes at, everybody on an island who listens to clients. */
  client(time: number, island: number, id: string, action: "connect" | "close"): void;
  /** Called at each admission. */
  onAdmitted: (server: SimulatedServer) => void;

  /** @internal Hands a message over, if the lines let it. */
  deliver(from: SimulatedServer, to: SimulatedServer, delivery: Delivery): void;
  /** @internal To everybody but the sender. */
  broadcast(from: SimulatedServer, delivery: Delivery): void;
  /** @internal By its server ID. */
  find(id: string): SimulatedServer | undefined;
  /** @internal A part of the longest delay. */
  delay(): number;
}

export interface LaunchOptions {
  readonly island?: number;
  /** By how much its wall clock is ahead. */
  readonly clockSkewMillis?: number;
  /** Whether it takes part in the messages about clients, too; without them a run is cheaper. */
  readonly withClients?: boolean;
}

export function createSimulatedNetwork(random: Random, weather: Partial<Weather> = {}): SimulatedNetwork {
  const queue = createEventQueue();
  const servers: SimulatedServer[] = [];
  const byId = new Map<string, SimulatedServer>();
  /** Last arrival per pair: messages between two servers keep their order. */
  const arrivals = new Map<number, number>();
  let delivered = 0;

  const notify = (): void => {
    for (const server of servers) {
      queue.at(queue.now + network.delay(), () => {
        if (server.isConnected) server.take({ kind: "topology_changed" });
      });
    }
  };

  const connect = (server: SimulatedServer): void => {
    if (server.isConnected) return;
    server.isConnected = true;
    server.take({ kind: "connected" });
    server.take({ kind: "topology_changed" });
  };

  const network: SimulatedNetwork = {
    random,
    queue,
    servers,
    weather: { delayMillis: 50, loss: 0, duplication: 0, ...weather },
    onAdmitted: () => {},
    get delivered() {
      return delivered;
    },

    launch(time, names, options = {}): SimulatedServer {
      const server = createSimulatedServer(network, servers.length, randomId(random), names, options);
      servers.push(server);
      byId.set(server.id, server);
      queue.at(time, () => server.start());
      return server;
    },

    cut(server, from, until): void {
      queue.at(from, () => {
        server.isConnected = false;
        server.take({ kind: "disconnected" });
      });
      queue.at(until, () => connect(server));
    },

    split(time, islandOf): void {
      queue.at(time, () => {
        for (const server of servers) server.island = islandOf(server);
        notify();
      });
    },

    heal(time): void {
      queue.at(time, () => {
        network.weather.loss = 0;
        network.weather.duplication = 0;
        for (const server of servers) {
          server.island = 0;
          connect(server);
        }
        notify();
      });
    },

    client(time, island, id, action): void {
      queue.at(time, () => {
        for (const server of servers) {
          if (server.island !== island || !server.isConnected || !server.hearsClients) continue;
          queue.at(queue.now + network.delay(), () => server.client(id, action));
        }
      });
    },

    deliver(from, to, delivery): void {
      if (!from.isConnected || !to.isConnected || from.island !== to.island) return;
      const { loss, duplication } = network.weather;
      if (loss > 0 && random.next() < loss) return;
      const times = duplication > 0 && random.next() < duplication ? 2 : 1;
      for (let i = 0; i < times; i++) {
        const pair = from.place * 65_536 + to.place;
        const arrival = Math.max(queue.now + network.delay(), arrivals.get(pair) ?? 0);
        arrivals.set(pair, arrival);
        queue.at(arrival, () => {
          if (!from.isConnected || !to.isConnected || !to.isAlive) return;
          delivered++;
          delivery(to);
        });
      }
    },

    broadcast(from, delivery): void {
      for (const server of servers) if (server !== from && server.isAlive) network.deliver(from, server, delivery);
    },

    find: (id) => byId.get(id),
    delay: () => random.next() * network.weather.delayMillis,
  };
  return network;
}

const ID_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function randomId(random: Random): string {
  return Array.from({ length: 22 }, () => ID_CHARACTERS[Math.floor(random.next() * 62)]).join("");
}
