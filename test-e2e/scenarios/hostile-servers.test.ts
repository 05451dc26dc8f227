import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FT_SUBJECT, roleOf, startMember } from "../harness/fault-tolerance-group.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { type Network, onBothBuses, openExternalNetwork, type ServerOnNetwork } from "../harness/networks.ts";
import { encodeFields } from "../harness/protobuf.ts";
import { connectRaw, newInbox, type RawClient } from "../harness/raw-client.ts";
import { SUBJECTS } from "../harness/raw-stan.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { decodeCtrlMsg, encodeChannelNames, encodeCtrlMsg, PARTITIONING } from "../harness/stan-wire.ts";
import { READY } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";
import { partitionConfig } from "./examples.ts";

const HEARTBEAT = 3;
const PEERS = `${SUBJECTS.partition}.$peers`;
const KINDS = { hello: 1, bye: 2, clients: 3, lookup: 4, map: 5 };
const SERVING = 2;

const ROUNDS = 2_000;
const FORGED_SERVERS = 20_000;
const NAMES = 1_000_000;
/** What a server may have grown by when all this is over, its garbage included. */
const GROWTH_BYTES_MAX = 1024 * 1024 * 1024;
/** A list of a million names is read, compared and kept in some seconds. */
const DIGEST_MILLIS = 60_000;

onBothBuses("a partition server that hears what no server sends", (openNetwork) => {
  it("PART-03: random bytes and messages cut or bent anywhere, on every subject, leave it as it was", async () => {
    const stage = testStage();
    const { network, server, attacker } = await victim(stage, openNetwork);
    const inbox = newInbox();
    const subjects = [SUBJECTS.partition, PEERS, `${SUBJECTS.partition}.$peer.${server.serverId}`];
    for (let round = 0; round < ROUNDS; round++) {
      for (const subject of subjects) attacker.publish(subject, randomBytes(1 + (round % 80)), inbox);
    }
    for (const message of wellFormed()) {
      for (let at = 0; at <= message.length; at++) {
        for (const subject of subjects) {
          attacker.publish(subject, message.subarray(0, at), inbox);
          const bent = Buffer.from(message);
          if (at < bent.length) bent[at] = (bent[at] ?? 0) ^ 0xff;
          attacker.publish(subject, bent, inbox);
        }
      }
    }
    await attacker.flush();
    await expectServing(stage, network, server);
  }, 60_000);

  it("forged server IDs, by the thousand and its own, end nobody and are forgotten", async () => {
    const stage = testStage();
    const { network, server, attacker } = await victim(stage, openNetwork);
    const inbox = newInbox();
    for (let index = 0; index < FORGED_SERVERS; index++) {
      const serverId = `forged${index}`;
      const list = encodeCtrlMsg(PARTITIONING, serverId, encodeChannelNames([`forged.${index}`, "foo"]));
      attacker.publish(SUBJECTS.partition, list, inbox);
      // All of them serve since long ago, and know more clients than anybody.
      attacker.publish(PEERS, peer(KINDS.hello, serverId, { phase: SERVING, since: 1, clients: 1_000_000 }), inbox);
      if (index % 1_000 === 0) await attacker.flush();
    }
    for (const serverId of [server.serverId, "", "*", ">", "a b", "x".repeat(100_000)]) {
      attacker.publish(SUBJECTS.partition, encodeCtrlMsg(PARTITIONING, serverId, encodeChannelNames(["foo"])), inbox);
      attacker.publish(PEERS, peer(KINDS.hello, serverId, { phase: SERVING, since: 1, name: "foo" }), inbox);
      attacker.publish(PEERS, peer(KINDS.bye, serverId), inbox);
    }
    await attacker.flush();
    await expectServing(stage, network, server);
  }, 120_000);
});

onBothBuses("a partition server under a large max_payload", (openNetwork) => {
  it("a list of a million names is answered rightly, and its memory stays bounded", async () => {
    const stage = testStage();
    const { network, server, attacker } = await victim(stage, (on) =>
      openNetwork(on, { natsConfig: "max_payload: 33554432\nmax_pending: 134217728\n" }),
    );
    const before = residentBytes(server);
    const names = Array.from({ length: NAMES }, (_, index) => `other.${index}.name`);
    const ask = async (list: readonly string[], serverId: string): Promise<string> => {
      const message = encodeCtrlMsg(PARTITIONING, serverId, encodeChannelNames(list));
      return decodeCtrlMsg(
        (await attacker.request(SUBJECTS.partition, message, DIGEST_MILLIS)).payload,
      ).data.toString();
    };
    expect(await ask(names, "LONGLIST00000000000001")).toBe("");
    expect(await ask([...names, "foo"], "LONGLIST00000000000002")).toBe("foo");
    for (let more = 3; more <= 6; more++) expect(await ask(names, `LONGLIST0000000000000${more}`)).toBe("");
    await expectServing(stage, network, server);
    const growth = residentBytes(server) - before;
    process.stdout.write(`five lists of ${NAMES} names: ${Math.round(growth / 1024 / 1024)} MiB more\n`);
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX);
  }, 180_000);
});

describe.skipIf(leaveOutNatsServer)("a fault tolerance group that hears what no member sends", () => {
  it("FT-12: random bytes and forged heartbeats of later actives leave the active active and the standby standby", async () => {
    const stage = testStage();
    const network = await openExternalNetwork(stage);
    const flags = ["-store", "file", "-dir", await tempDir(stage)];
    const active = await startMember(network, flags);
    await active.child.line(READY);
    const standby = await startMember(network, flags);
    const attacker = await connectRaw(stage, { port: network.port });
    for (let round = 0; round < ROUNDS; round++) {
      attacker.publish(FT_SUBJECT, randomBytes(1 + (round % 80)));
      const time = randomBytes(15);
      // A readable time of the far future: not the elder's.
      time[0] = 1;
      time[1] = 0x7f;
      attacker.publish(FT_SUBJECT, encodeCtrlMsg(HEARTBEAT, `forged${round}`, time));
      attacker.publish(FT_SUBJECT, encodeCtrlMsg(HEARTBEAT, active.serverId, time));
      attacker.publish(FT_SUBJECT, encodeCtrlMsg(HEARTBEAT, "x".repeat(10_000), time.subarray(0, round % 15)));
    }
    await attacker.flush();
    const client = await connectStan(stage, "client", { port: network.port });
    await client.publish("foo", "served");
    await client.close();
    expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
    // What it has to say about all that is few lines.
    expect(active.child.lines.length).toBeLessThan(100);
  }, 60_000);
});

interface Victim {
  readonly network: Network;
  readonly server: ServerOnNetwork;
  readonly attacker: RawClient;
}

async function victim(stage: Stage, open: (stage: Stage) => Promise<Network>): Promise<Victim> {
  const network = await open(stage);
  const server = await network.startServer({ config: partitionConfig(["foo", "bar.*"]) });
  return { network, server, attacker: await connectRaw(stage, { port: network.port }) };
}

/** It serves clients, answers rightly, refuses and admits newcomers as before. */
async function expectServing(stage: Stage, network: Network, server: ServerOnNetwork): Promise<void> {
  const client = await connectStan(stage, "client", { port: network.port, requestMillis: 10_000 });
  await client.publish("foo", "served");
  const subscription = await client.subscribe("foo");
  expect((await subscription.messages.take()).text).toBe("served");
  const raw = await connectRaw(stage, { port: network.port });
  const list = encodeCtrlMsg(PARTITIONING, "PEERPEERPEERPEERPEER01", encodeChannelNames(["bar.1"]));
  const answer = await raw.request(SUBJECTS.partition, list);
  expect(decodeCtrlMsg(answer.payload)).toMatchObject({ serverId: server.serverId, data: Buffer.from("bar.1") });
  const refused = await network.runServer({ config: partitionConfig(["bar.2"]) });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(server.serverId)]);
  const second = await network.startServer({ config: partitionConfig(["baz"]) });
  expect(await second.monitor.clientIds()).toEqual(["client"]);
  await client.publish("baz", "at once");
  await client.close();
  await second.child.stop();
  expect(server.child.stderr).not.toContain("[FTL]");
}

function peer(
  kind: number,
  serverId: string,
  more: { phase?: number; since?: number; clients?: number; name?: string } = {},
): Buffer {
  const fields: [number, string | number][] = [
    [1, kind],
    [2, serverId],
  ];
  if (more.phase !== undefined) fields.push([3, more.phase]);
  if (more.since !== undefined) fields.push([4, more.since]);
  if (more.clients !== undefined) fields.push([5, more.clients]);
  if (more.name !== undefined) fields.push([7, more.name]);
  return encodeFields(fields);
}

function wellFormed(): Buffer[] {
  const id = "PEERPEERPEERPEERPEER01";
  return [
    encodeCtrlMsg(PARTITIONING, id, encodeChannelNames(["qux", "foo"])),
    peer(KINDS.hello, id, { phase: SERVING, since: 1, clients: 5, name: "foo" }),
    peer(KINDS.clients, id, { name: "a" }),
    peer(KINDS.lookup, id, { name: "a" }),
    peer(KINDS.map, id, { name: "1" }),
    peer(KINDS.bye, id),
  ];
}

function residentBytes({ child }: ServerOnNetwork): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}
