import type { Random } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import { describe, expect, it } from "vitest";
import { describeServer, overlap, pick, runDisturbed, someNames, violations } from "../simulation/scenario.ts";
import { createSimulatedNetwork, type SimulatedNetwork } from "../simulation/simulated-network.ts";

/** A failure prints its seed, and `SIM_SEED=n` in front of the test command replays it alone. */
const { SIM_SEED } = process.env;
const seedsFrom = (first: number, count: number): readonly number[] =>
  SIM_SEED === undefined ? Array.from({ length: count }, (_, i) => first + i) : [Number(SIM_SEED)];
/** Of the properties that are about one kind of event each. */
const SEEDS = seedsFrom(1, 300);

/** Time in which everything has come to rest after the last disturbance: settling, two rounds, all delays. */
const QUIET_MILLIS = 15_000;

function simulate(
  seed: number,
  delayMillis: number,
  script: (network: SimulatedNetwork, random: Random) => number,
): SimulatedNetwork {
  const random = seededRandom(seed);
  const network = createSimulatedNetwork(random, { delayMillis });
  const end = script(network, random);
  network.queue.runUntil(end + QUIET_MILLIS);
  return network;
}

/** 2 to 10 servers, launched within three seconds. */
function launchSome(network: SimulatedNetwork, random: Random, islands: number): void {
  const count = 2 + pick(random, 9);
  for (let i = 0; i < count; i++) {
    network.launch(pick(random, 3_000), someNames(random), { island: pick(random, islands) });
  }
}

describe("servers on a network that is disturbed and heals", () => {
  // In portions, so that each has its time limit.
  it.each(SIM_SEED === undefined ? Array.from({ length: 10 }, (_, i) => 1 + i * 500) : [Number(SIM_SEED)])(
    "come to one owner per channel, the elder, who knows every client, and to rest (seeds from %i)",
    (first) => {
      for (const seed of seedsFrom(first, 500)) {
        const { faults } = runDisturbed(seed);
        expect(faults, `SIM_SEED=${seed}`).toEqual([]);
      }
    },
  );

  it.each([
    [30, 60],
    [100, 6],
    [500, 1],
  ])(
    "do so when they are %i",
    (count, runs) => {
      for (const seed of seedsFrom(1, runs)) {
        const { faults } = runDisturbed(seed, count);
        expect(faults, `SIM_SEED=${seed}`).toEqual([]);
      }
    },
    90_000,
  );
});

describe("coordinators on a simulated network", () => {
  it("never serve overlapping lists at any moment, when the network is whole and messages take up to 200 ms", () => {
    for (const seed of SEEDS) {
      const atAdmission: string[] = [];
      const network = simulate(seed, 200, (net, random) => {
        net.onAdmitted = () => atAdmission.push(...violations(net));
        launchSome(net, random, 1);
        return 3_000;
      });
      expect(atAdmission, `seed ${seed}`).toEqual([]);
      expect(
        network.servers.filter((server) => server.fate === "starting"),
        `seed ${seed}`,
      ).toEqual([]);
      expect(
        network.servers.filter((server) => server.fate === "conflicted"),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  it("serve, all of them that overlap nobody", () => {
    for (const seed of SEEDS) {
      const network = simulate(seed, 200, (net, random) => {
        launchSome(net, random, 1);
        return 3_000;
      });
      for (const server of network.servers) {
        const alone = network.servers.every((other) => other === server || !overlap(server, other));
        if (alone) expect(server.fate, `seed ${seed}: ${describeServer(server)}`).toBe("serving");
      }
    }
  });

  it("leave exactly one of two that overlap, whenever they start, when messages take up to 50 ms", () => {
    for (const seed of SEEDS) {
      const network = simulate(seed, 50, (net, random) => {
        const gap = [0, 10, 60, 1_200][seed % 4]!;
        net.launch(100, ["foo", "a"]);
        net.launch(100 + pick(random, gap + 1), ["b", "foo"]);
        return 2_000;
      });
      const fates = network.servers.map((server) => server.fate).sort();
      expect(fates, `seed ${seed}`).toEqual(["refused", "serving"]);
    }
  });

  it("let no newcomer end a server that serves, not even when the newcomer's network is joined during its check", () => {
    for (const seed of SEEDS) {
      const network = simulate(seed, 50, (net, random) => {
        net.launch(0, ["foo.>"]);
        net.launch(5_000 + pick(random, 100), ["foo.*"], { island: 1 });
        net.heal(5_100 + pick(random, 800));
        return 6_000;
      });
      expect(
        network.servers.map((server) => server.fate),
        `seed ${seed}`,
      ).toEqual(["serving", "refused"]);
    }
  });

  it("find every conflict after separate networks have been joined", () => {
    for (const seed of SEEDS) {
      const network = simulate(seed, 200, (net, random) => {
        launchSome(net, random, 3);
        const joined = pick(random, 8_000);
        net.heal(joined);
        return Math.max(3_000, joined);
      });
      expect(violations(network), `seed ${seed}`).toEqual([]);
    }
  });

  it("find every conflict after lines were cut, messages lost, and everybody is back", () => {
    for (const seed of SEEDS) {
      const network = simulate(seed, 200, (net, random) => {
        launchSome(net, random, 1);
        let end = 3_000;
        for (const server of net.servers) {
          for (let cuts = pick(random, 3), from = 0; cuts > 0; cuts--) {
            from += pick(random, 3_000);
            const until = from + 1 + pick(random, 4_000);
            net.cut(server, from, until);
            from = until + 1;
            end = Math.max(end, until);
          }
        }
        return end;
      });
      expect(violations(network), `seed ${seed}`).toEqual([]);
      expect(
        network.servers.filter((server) => server.fate === "starting"),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  it("come to rest: nobody sends lists while nothing changes", () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const network = simulate(seed, 200, (net, random) => {
        launchSome(net, random, 2);
        net.heal(5_000);
        return 5_000;
      });
      const before = network.servers.map((server) => server.sent);
      network.queue.runUntil(network.queue.now + 600_000);
      expect(
        network.servers.map((server) => server.sent),
        `seed ${seed}`,
      ).toEqual(before);
    }
  });

  it("would be caught serving overlapping lists when replies take longer than the check waits", () => {
    const caught = Array.from({ length: 50 }, (_, i) => i + 1).filter((seed) => {
      const network = simulate(seed, 4_000, (net, random) => {
        launchSome(net, random, 1);
        return 3_000;
      });
      return violations(network).length > 0;
    });
    expect(caught.length).toBeGreaterThan(10);
  });
});
