import type { Random } from "@nats-streaming/kernel";
import { seededRandom } from "@nats-streaming/kernel/testing";
import { findOverlap } from "@nats-streaming/subject";
import { isElder } from "../src/seniority.ts";
import { createSimulatedNetwork, type SimulatedNetwork } from "./simulated-network.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/**
 * By when after the network has healed no two servers serve overlapping lists: a check under way that answers keep alive,
 * the settling, a check, the question since when the other one serves, and the other one's own check.
 */
export const DETECTION_MILLIS = 10_000;

/** By when everything has come to rest: those that have to go are looked for five times. */
export const REST_MILLIS = 60_000;

const POOL = ["foo", "bar", "foo.a", "foo.b", "foo.*", "*.a", "bar.>", "bar.x.y", "bar.*.z", "baz.1", "baz.2", "qux.>"];

export const pick = (random: Random, below: number): number => Math.floor(random.next() * below);

export function someNames(random: Random): string[] {
  return [...new Set(Array.from({ length: 1 + pick(random, 3) }, () => POOL[pick(random, POOL.length)]!))];
}

/** Pairs that have been compared: a run asks for each many times. */
const compared = new WeakMap<SimulatedServer, WeakMap<SimulatedServer, boolean>>();

export function overlap(a: SimulatedServer, b: SimulatedServer): boolean {
  let others = compared.get(a);
  if (others === undefined) {
    others = new WeakMap();
    compared.set(a, others);
  }
  let found = others.get(b);
  if (found === undefined) {
    found = findOverlap(a.names, b.names) !== undefined;
    others.set(b, found);
  }
  return found;
}

/** Pairs that serve overlapping lists now. */
export function violations(network: SimulatedNetwork): string[] {
  const serving = network.servers.filter((server) => server.fate === "serving");
  const found: string[] = [];
  for (const [i, a] of serving.entries()) {
    for (const b of serving.slice(i + 1))
      if (overlap(a, b)) found.push(`${describeServer(a)} and ${describeServer(b)}`);
  }
  return found;
}

export function describeServer(server: SimulatedServer): string {
  const { id, names, fate, admittedAt, endedAt } = server;
  return `${id.slice(0, 4)} [${names.join(" ")}] ${fate} from ${Math.round(admittedAt)} to ${Math.round(endedAt)}`;
}

/** Everything that one run shows to be wrong; empty when nothing is. */
export interface RunReport {
  readonly network: SimulatedNetwork;
  readonly faults: readonly string[];
}

/**
 * Servers that start at any time, lines that are cut, networks that split, messages that are lost, late and doubled; then
 * all of it heals. Most runs are small, since most of what can go wrong goes wrong among three.
 */
export function runDisturbed(seed: number, count?: number): RunReport {
  const random = seededRandom(seed);
  const network = createSimulatedNetwork(random, {
    delayMillis: [20, 50, 200][pick(random, 3)]!,
    loss: [0, 0, 0.02, 0.1][pick(random, 4)]!,
    duplication: [0, 0.1][pick(random, 2)]!,
  });
  const servers = count ?? 2 + pick(random, 7);
  const withClients = count === undefined && pick(random, 2) === 0;
  const islands = 1 + pick(random, 3);
  // Wall clocks that are apart: whoever they make the elder stays.
  const skew = pick(random, 4) === 0 ? 5_000 : 0;
  let end = 1_000;
  for (let i = 0; i < servers; i++) {
    const at = pick(random, 8_000);
    end = Math.max(end, at);
    const names = count === undefined ? someNames(random) : namesAmongMany(random, i, servers);
    const clockSkewMillis = pick(random, 2 * skew + 1) - skew;
    network.launch(at, names, { island: pick(random, islands), withClients, clockSkewMillis });
  }
  for (let splits = pick(random, 3); splits > 0; splits--) {
    const at = pick(random, 10_000);
    end = Math.max(end, at);
    network.split(at, () => pick(random, islands));
  }
  for (const server of network.servers) {
    if (pick(random, 4) !== 0) continue;
    const from = pick(random, 8_000);
    const until = from + 1 + pick(random, 4_000);
    end = Math.max(end, until);
    network.cut(server, from, until);
  }
  if (withClients) {
    for (let i = pick(random, 60); i > 0; i--) {
      const at = pick(random, 10_000);
      network.client(at, pick(random, islands), `client${i}`, "connect");
      if (pick(random, 3) === 0) network.client(at + 1_000, pick(random, islands), `client${i}`, "close");
    }
  }
  const healed = end + pick(random, 4_000);
  network.heal(healed);
  // Some come only now: they learn everything.
  if (count === undefined) {
    for (let i = pick(random, 3); i > 0; i--) {
      network.launch(healed + pick(random, 6_000), someNames(random), { withClients });
    }
  }
  return judge(network, healed);
}

/** Few of many overlap: some share a name with the next one, and some have a pattern over many. */
function namesAmongMany(random: Random, i: number, servers: number): string[] {
  const names = [`channel.${i}`, `group.${i}.>`];
  if (pick(random, 10) === 0) names.push(`channel.${(i + 1) % servers}`);
  if (pick(random, 50) === 0) names.push(`group.*.x${i}`);
  return names;
}

function judge(network: SimulatedNetwork, healed: number): RunReport {
  const faults: string[] = [];
  const { queue, servers } = network;
  queue.runUntil(healed);
  const atHeal = servers.filter(({ fate }) => fate === "serving");
  const latest = Math.max(healed, ...servers.map(({ admittedAt }) => admittedAt));
  queue.runUntil(latest + DETECTION_MILLIS);
  faults.push(...violations(network).map((pair) => `still overlapping after ${DETECTION_MILLIS} ms: ${pair}`));
  // Somebody admitted after that may be the elder, too, where clocks are apart.
  const rivals = servers.filter(({ since, endedAt }) => since > 0 && (endedAt === 0 || endedAt > healed));
  for (const server of atHeal) {
    const isElderOfAll = rivals.every(
      (other) => other === server || !overlap(server, other) || isElder(tenureOf(server), tenureOf(other)),
    );
    if (isElderOfAll && server.fate !== "serving") faults.push(`the elder did not survive: ${describeServer(server)}`);
  }

  queue.runUntil(latest + REST_MILLIS);
  for (const server of servers) {
    if (server.fate === "starting") faults.push(`never came to an end of its start: ${describeServer(server)}`);
    if (server.deadline !== undefined) faults.push(`never came to rest: ${describeServer(server)}`);
    const isApart = servers.every((other) => other === server || !overlap(server, other));
    if (isApart && server.fate !== "serving")
      faults.push(`overlaps nobody and does not serve: ${describeServer(server)}`);
    if (server.admittedAt <= healed || server.fate !== "serving") continue;
    const missed = server.clients.missed();
    if (missed.length > 0) faults.push(`${describeServer(server)} has not learned of ${missed.join(" ")}`);
    if (server.hearsClients && !server.clients.isLive) faults.push(`${describeServer(server)} never answers clients`);
  }
  const before = network.delivered;
  queue.runUntil(queue.now + 600_000);
  if (network.delivered !== before) faults.push(`${network.delivered - before} messages while nothing changes`);
  return { network, faults };
}

function tenureOf(server: SimulatedServer): { readonly since: number; readonly serverId: string } {
  return { since: server.since, serverId: server.id };
}
