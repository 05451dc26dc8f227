import { type Random, unreachable } from "@nats-streaming/kernel";
import type { FakeClock } from "@nats-streaming/kernel/testing";
import { createMember, type Member } from "../src/member.ts";
import type { MemberInput, MemberOutput } from "../src/member-io.ts";
import type { FaultToleranceFailure } from "../src/state.ts";
import { DEFAULT_TIMING, spreadTiming } from "../src/timing.ts";
import { type SimulatedProcess, simulatedProcess } from "./simulated-process.ts";
import type { SimulatedStore } from "./simulated-store.ts";

/** A server: a place in the group that processes fill one after the other. */
export interface SimulatedServer {
  readonly place: number;
  process: SimulatedProcess;
  member: Member;
  /** Servers hear each other on one island only. */
  island: number;
  isConnected: boolean;
  /** To be called with whatever happens to the process. */
  take(input: MemberInput): void;
}

/** A member that has ended by itself. */
export interface SimulatedFailure {
  readonly failure: FaultToleranceFailure;
  readonly process: SimulatedProcess;
  /** Whether the lock was its own, as the store sees it. */
  readonly wasOwner: boolean;
}

export interface SimulatedGroup {
  readonly servers: readonly SimulatedServer[];
  readonly failures: SimulatedFailure[];
  /** Most members that were active at one moment, frozen ones included. */
  readonly mostActive: number;
  /** Processes that were continued when the lock was in other hands, after they had had it. */
  readonly wokeWithoutLock: ReadonlySet<SimulatedProcess>;
  /** How many members became active. */
  readonly activations: number;
  readonly active: readonly SimulatedServer[];
  /** The store tells a process that it does not own the lock any more. */
  lockLost(process: SimulatedProcess): void;
  kill(server: SimulatedServer): void;
  stop(server: SimulatedServer): void;
  freeze(server: SimulatedServer, millis: number): void;
  cut(server: SimulatedServer, millis: number): void;
  /** Puts each server on an island for a while. */
  split(millis: number): void;
}

export interface GroupOptions {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly store: SimulatedStore;
  readonly size: number;
  /** Longest way of a message. */
  readonly delayMillis: number;
  readonly lockProbeMillis: number;
}

/** Ends are followed by a new start after up to so long: somebody looks after the servers. */
const RESTART_MILLIS = 8_000;
const ACTIVATION_MILLIS = 2_000;
const WRITE_MILLIS = 100;
const SKEW_MILLIS = 1_000;

/** Members of one group on a network in which messages take a while, with everything that can happen to a process. */
export function simulatedGroup(options: GroupOptions): SimulatedGroup {
  const { clock, random, store } = options;
  const servers: SimulatedServer[] = [];
  const failures: SimulatedFailure[] = [];
  const hadLock = new Set<SimulatedProcess>();
  const wokeWithoutLock = new Set<SimulatedProcess>();
  let mostActive = 0;
  let activations = 0;
  let started = 0;

  const isActive = (server: SimulatedServer): boolean =>
    server.process.isAlive && server.member.state.kind === "active";

  const send = (from: SimulatedServer, payload: Uint8Array): void => {
    if (!from.isConnected) {
      from.take({ kind: "heartbeat_failed", reason: "disconnected" });
      return;
    }
    for (const to of servers) {
      if (to.island !== from.island || !to.isConnected) continue;
      const { process } = to;
      clock.setTimer(random.next() * options.delayMillis, () => {
        // The process that is in that place by then may be another one.
        if (to.isConnected && to.process === process) process.run(() => to.take({ kind: "message", payload }));
      });
    }
  };

  const write = (server: SimulatedServer, process: SimulatedProcess): void => {
    if (server.process !== process || !isActive(server)) return;
    store.write(process);
    process.after(WRITE_MILLIS, () => write(server, process));
  };

  const carryOut = (server: SimulatedServer, output: MemberOutput): void => {
    const { process } = server;
    switch (output.kind) {
      case "log":
        return;
      case "try_lock":
        store.acquire(process, (isAcquired) => {
          if (!isAcquired) return server.take({ kind: "lock_busy" });
          const at = { millis: 0, nanos: 0 };
          clock.read(at);
          at.millis += Math.floor(process.skewMillis);
          server.take({ kind: "lock_acquired", at });
        });
        return;
      case "send_heartbeat":
        send(server, output.payload);
        return;
      case "activate":
        activations++;
        hadLock.add(process);
        process.after(random.next() * ACTIVATION_MILLIS, () => {
          server.take({ kind: "activated" });
          write(server, process);
        });
        return;
      case "activation_failed":
      case "abort":
        failures.push({ failure: output.failure, process, wasOwner: store.owner === process });
        end(server);
        return;
      default:
        unreachable(output, "unknown output");
    }
  };

  /** Fills a place with a new process. */
  const launch = (server: SimulatedServer): void => {
    const id = `server${++started}`;
    const skewMillis = (random.next() - 0.5) * 2 * SKEW_MILLIS;
    const process = simulatedProcess({ id, skewMillis, clock, random });
    const timing = spreadTiming(DEFAULT_TIMING, random);
    const member = createMember({ serverId: id, timing, lockProbeMillis: options.lockProbeMillis });
    let armed: number | undefined;
    server.process = process;
    server.member = member;
    server.take = (input): void => {
      if (!process.isAlive || server.process !== process) return;
      for (const output of member.step(input, clock.monotonicMillis())) carryOut(server, output);
      mostActive = Math.max(mostActive, servers.filter(isActive).length);
      const { deadline } = member;
      if (deadline === undefined || deadline === armed) return;
      armed = deadline;
      process.after(deadline - clock.monotonicMillis(), () => {
        if (armed === deadline) armed = undefined;
        server.take({ kind: "time" });
      });
    };
    server.take({ kind: "start" });
  };

  const end = (server: SimulatedServer): void => {
    const { process } = server;
    process.die();
    clock.setTimer(500 + random.next() * RESTART_MILLIS, () => {
      if (server.process === process) launch(server);
    });
  };

  const group: SimulatedGroup = {
    servers,
    failures,
    wokeWithoutLock,
    get mostActive(): number {
      return mostActive;
    },
    get activations(): number {
      return activations;
    },
    get active(): readonly SimulatedServer[] {
      return servers.filter(isActive);
    },
    lockLost(process): void {
      servers.find((server) => server.process === process)?.take({ kind: "lock_lost" });
    },
    kill(server): void {
      if (server.process.isAlive) end(server);
    },
    stop(server): void {
      if (!server.process.isAlive || server.process.isFrozen) return;
      server.take({ kind: "stop" });
      store.close(server.process);
      end(server);
    },
    freeze(server, millis): void {
      const { process } = server;
      if (!process.isAlive || process.isFrozen) return;
      process.isFrozen = true;
      clock.setTimer(millis, () => {
        if (process.isAlive && hadLock.has(process) && store.owner !== process) wokeWithoutLock.add(process);
        process.thaw();
      });
    },
    cut(server, millis): void {
      if (!server.isConnected) return;
      server.isConnected = false;
      clock.setTimer(millis, () => {
        server.isConnected = true;
        server.process.run(() => server.take({ kind: "connected" }));
      });
    },
    split(millis): void {
      for (const server of servers) server.island = Math.floor(random.next() * servers.length);
      clock.setTimer(millis, () => {
        for (const server of servers) server.island = 0;
      });
    },
  };

  for (let place = 0; place < options.size; place++) {
    const process = simulatedProcess({ id: "none", skewMillis: 0, clock, random });
    const member = createMember({ serverId: "none", timing: DEFAULT_TIMING, lockProbeMillis: 0 });
    const server: SimulatedServer = { place, process, member, island: 0, isConnected: true, take: () => {} };
    servers.push(server);
    clock.setTimer(random.next() * 3_000, () => launch(server));
  }
  return group;
}
