import type { Random } from "@nats-streaming/kernel";
import { createCoordinator } from "../src/coordinator.ts";
import type { CoordinatorInput, CoordinatorOutput } from "../src/coordinator-io.ts";
import { DEFAULT_TIMING } from "../src/timing.ts";
import { createEventQueue, type EventQueue } from "./event-queue.ts";

export type ServerFate = "starting" | "serving" | "refused" | "conflicted";

export interface SimulatedServer {
  readonly id: string;
  readonly names: readonly string[];
  fate: ServerFate;
  /** When it was admitted. */
  since: number;
  /** Its NATS server: servers hear each other on one island only. */
  island: number;
  connected: boolean;
  /** Lists sent and answers given, in messages. */
  sent: number;
  answered: number;
}

/** Coordinators on a network in which every message takes a while, and which can be cut and joined. All from one seed. */
export interface SimulatedNetwork {
  readonly servers: readonly SimulatedServer[];
  readonly queue: EventQueue;
  /** A server that starts at that time. */
  launch(time: number, names: readonly string[], island?: number): SimulatedServer;
  /** Cuts a server's line for a while. What is under way to or from it is lost. */
  cut(server: SimulatedServer, from: number, until: number): void;
  /** Makes all islands one. Everybody learns of it within the longest delay. */
  join(time: number): void;
  /** Called at each admission. */
  onAdmitted: (server: SimulatedServer) => void;
}

export interface NetworkOptions {
  readonly random: Random;
  /** Longest time that a message, a flush or a notice takes; each takes a random part of it. */
  readonly delayMillis: number;
}

export function createSimulatedNetwork(options: NetworkOptions): SimulatedNetwork {
  const { random, delayMillis } = options;
  const queue = createEventQueue();
  const servers: SimulatedServer[] = [];
  const inputs = new Map<SimulatedServer, (input: CoordinatorInput) => void>();
  /** Last arrival per pair: messages between two servers keep their order. */
  const arrivals = new Map<string, number>();

  const alive = (server: SimulatedServer): boolean => server.fate === "starting" || server.fate === "serving";
  const delay = (): number => random.next() * delayMillis;

  const deliver = (from: SimulatedServer, to: SimulatedServer, input: CoordinatorInput): void => {
    if (!from.connected || !to.connected || from.island !== to.island) return;
    const pair = `${from.id} ${to.id}`;
    const arrival = Math.max(queue.now + delay(), arrivals.get(pair) ?? 0);
    arrivals.set(pair, arrival);
    queue.at(arrival, () => {
      if (from.connected && to.connected) inputs.get(to)?.(input);
    });
  };

  const network: SimulatedNetwork = {
    servers,
    queue,
    onAdmitted: () => {},

    launch(time, names, island = 0): SimulatedServer {
      const server: SimulatedServer = {
        id: randomId(random),
        names,
        fate: "starting",
        since: 0,
        island,
        connected: true,
        sent: 0,
        answered: 0,
      };
      servers.push(server);
      queue.at(time, () => run(server));
      return server;
    },

    cut(server, from, until): void {
      queue.at(from, () => {
        server.connected = false;
        inputs.get(server)?.({ kind: "disconnected" });
      });
      queue.at(until, () => {
        server.connected = true;
        inputs.get(server)?.({ kind: "connected" });
        inputs.get(server)?.({ kind: "topology_changed" });
      });
    },

    join(time): void {
      queue.at(time, () => {
        for (const server of servers) {
          server.island = 0;
          queue.at(queue.now + delay(), () => inputs.get(server)?.({ kind: "topology_changed" }));
        }
      });
    },
  };

  function run(server: SimulatedServer): void {
    const coordinator = createCoordinator({
      serverId: server.id,
      names: server.names,
      timing: DEFAULT_TIMING,
      maxPayload: () => 1_048_576,
    });
    let armed: number | undefined;

    const take = (input: CoordinatorInput): void => {
      if (!alive(server)) return;
      for (const output of coordinator.step(input, queue.now)) carryOut(output);
      const { deadline } = coordinator;
      if (deadline === undefined || deadline === armed) return;
      armed = deadline;
      queue.at(deadline, () => {
        armed = undefined;
        take({ kind: "time" });
      });
    };

    const carryOut = (output: CoordinatorOutput): void => {
      switch (output.kind) {
        case "send_list": {
          const { check } = output;
          server.sent += output.requests.length;
          for (const payload of output.requests) {
            for (const peer of servers) {
              const reply = `${server.id} ${check}`;
              if (peer !== server) deliver(server, peer, { kind: "request", payload, reply });
            }
          }
          queue.at(queue.now + delay(), () => {
            if (server.connected) take({ kind: "sent", check });
          });
          return;
        }
        case "answer": {
          const [id, check] = output.reply.split(" ");
          const peer = servers.find((other) => other.id === id);
          server.answered++;
          if (peer !== undefined) {
            deliver(server, peer, { kind: "reply", check: Number(check), payload: output.payload });
          }
          return;
        }
        case "admitted":
          server.fate = "serving";
          server.since = queue.now;
          network.onAdmitted(server);
          return;
        case "refused":
          server.fate = "refused";
          return;
        case "conflict":
          server.fate = "conflicted";
          return;
        default:
          return;
      }
    };

    inputs.set(server, take);
    if (!server.connected) take({ kind: "disconnected" });
    take({ kind: "start" });
  }

  return network;
}

const ID_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function randomId(random: Random): string {
  return Array.from({ length: 22 }, () => ID_CHARACTERS[Math.floor(random.next() * 62)]).join("");
}
