import type { Random } from "@nats-streaming/kernel";
import { seededRandom, type TestBus } from "@nats-streaming/kernel/testing";
import {
  encodeChannelList,
  encodeCtrlMsg,
  encodePeerMsg,
  PeerKind,
  PeerPhase,
  peerSubject,
  peersSubject,
} from "@nats-streaming/protocol/spb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CLUSTER, clientOf, createServers, type Servers, type Started, sourceOf } from "../test-support/servers.ts";

const PART = `_STAN.part.${CLUSTER}`;

let servers: Servers;
let victim: Started;
let attacker: TestBus;
let answers: Uint8Array[];

beforeEach(async () => {
  servers = createServers();
  victim = await servers.start(["foo", "bar.*"]);
  victim.partition.peers.attach(sourceOf([clientOf("a"), clientOf("b")], ["foo"]));
  attacker = servers.network.connect();
  answers = [];
  attacker.subscribe("_INBOX.attacker", (message) => answers.push(message.bytes.slice(message.start, message.end)));
});

/** Whatever was sent: the victim serves as before, is not told to end, and answers what is right. */
afterEach(async () => {
  await servers.clock.advanceAsync(30_000);
  expect(victim.conflicts).toEqual([]);
  expect(victim.partition.scope.entries).toEqual(["foo", "bar.*"]);
  answers = [];
  const list = encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList(["bar.1"]) });
  attacker.publish(PART, list, "_INBOX.attacker");
  attacker.publish(peersSubject(CLUSTER), encodePeerMsg({ kind: PeerKind.hello, serverId: "peer" }), "_INBOX.attacker");
  expect(answers).toHaveLength(2);
  const second = await servers.start(["baz"]);
  expect((await second.partition.map()).servers.length).toBeGreaterThanOrEqual(2);
});

const subjects = (): string[] => [PART, peersSubject(CLUSTER), peerSubject(CLUSTER, victim.serverId)];

function randomBytes(random: Random, max: number): Uint8Array {
  const bytes = new Uint8Array(Math.floor(random.next() * max));
  random.fill(bytes);
  return bytes;
}

describe("a server that gets", () => {
  it("PART-03 random bytes on every subject among servers goes on", () => {
    const random = seededRandom(21);
    for (let i = 0; i < 3_000; i++) {
      for (const subject of subjects()) attacker.publish(subject, randomBytes(random, 80), "_INBOX.attacker");
    }
  });

  it("PART-03 messages cut or bent anywhere goes on", () => {
    const messages = [
      encodeCtrlMsg({ msgType: 4, serverId: "peer", data: encodeChannelList(["foo", "bar"]), refId: "probe" }),
      encodePeerMsg({ kind: PeerKind.hello, serverId: "peer", phase: PeerPhase.serving, since: 1, cursor: "foo" }),
      encodePeerMsg({ kind: PeerKind.clients, serverId: "peer", cursor: "a" }),
      encodePeerMsg({ kind: PeerKind.lookup, serverId: "peer", clientId: "a", connId: Buffer.from("a") }),
      encodePeerMsg({ kind: PeerKind.map, serverId: "peer", cursor: "1", detail: 1 }),
      encodePeerMsg({ kind: PeerKind.bye, serverId: "peer" }),
    ];
    for (const message of messages) {
      for (let at = 0; at <= message.length; at++) {
        for (const subject of subjects()) {
          attacker.publish(subject, message.subarray(0, at), "_INBOX.attacker");
          for (const flip of [0x01, 0x80, 0xff]) {
            const bent = message.slice();
            if (at < bent.length) bent[at]! ^= flip;
            attacker.publish(subject, bent, "_INBOX.attacker");
          }
        }
      }
    }
  });

  it("messages under its own server ID, or another's, takes no harm", () => {
    for (const serverId of [victim.serverId, "", ">", "a.b", "x".repeat(10_000), "\n"]) {
      const list = encodeCtrlMsg({ msgType: 4, serverId, data: encodeChannelList(["foo"]) });
      attacker.publish(PART, list, "_INBOX.attacker");
      for (const kind of [...Object.values(PeerKind), 99]) {
        for (const subject of subjects()) {
          const message = encodePeerMsg({ kind, serverId, phase: PeerPhase.serving, since: 1, cursor: "foo" });
          attacker.publish(subject, message, "_INBOX.attacker");
        }
      }
    }
  });

  it("word of a server that claims to have served for ever does not end for it", async () => {
    for (let i = 0; i < 50; i++) {
      const hello = { kind: PeerKind.hello, serverId: "ancient", phase: PeerPhase.serving, since: 1, cursor: "foo" };
      attacker.publish(peerSubject(CLUSTER, victim.serverId), encodePeerMsg(hello), "_INBOX.attacker");
      await servers.clock.advanceAsync(100);
    }
  });

  it("thousands of servers that do not exist, and questions from as many, keeps a bounded number and answers clients in time", async () => {
    for (let i = 0; i < 20_000; i++) {
      const hello = { kind: PeerKind.hello, serverId: `ghost${i}`, phase: PeerPhase.serving, since: 1 };
      attacker.publish(peersSubject(CLUSTER), encodePeerMsg(hello));
      if (i % 100 === 0) {
        const question = encodePeerMsg({ kind: PeerKind.clients, serverId: `ghost${i}` });
        attacker.publish(peersSubject(CLUSTER), question, "_INBOX.attacker");
      }
    }
    // Nobody listens there, so nobody is waited for.
    const lookup = victim.partition.peers.lookup({ clientId: "x", connId: new Uint8Array(0) });
    await servers.clock.settle();
    expect(await lookup).toEqual({ answers: [], silent: 8 });
    for (let i = 0; i < 20_000; i++) {
      attacker.publish(peersSubject(CLUSTER), encodePeerMsg({ kind: PeerKind.bye, serverId: `ghost${i}` }));
    }
    expect(victim.partition.peers.isAlone).toBe(true);
  });

  it("a list of a million names answers it, and keeps none of it that it need not", () => {
    const names = Array.from({ length: 1_000_000 }, (_, i) => `n${i.toString(36)}`);
    const data = encodeChannelList(names);
    const big = createServers(data.length + 1_000);
    expect(data.length).toBeGreaterThan(5_000_000);
    return big.start(["foo", "bar.*"]).then(async (server) => {
      const bus = big.network.connect();
      let replies = 0;
      bus.subscribe("_INBOX.x", () => replies++);
      for (const serverId of ["one", "two", "three"]) {
        bus.publish(PART, encodeCtrlMsg({ msgType: 4, serverId, data }), "_INBOX.x");
      }
      expect(replies).toBe(3);
      const mapping = server.partition.map();
      await big.clock.settle();
      const map = await mapping;
      expect(map.isComplete).toBe(false);
      expect(map.servers.reduce((sum, { entries }) => sum + entries.length, 0)).toBeLessThanOrEqual(1_000_003);
    });
  }, 120_000);

  it("never sends more than the payload limit, whatever is asked", async () => {
    const small = createServers(600);
    const server = await small.start(["foo"]);
    const clients = Array.from({ length: 200 }, (_, i) => clientOf(`client-${i}`));
    const long = { ...clientOf("long"), hbInbox: `_INBOX.${"x".repeat(700)}` };
    server.partition.peers.attach(sourceOf([...clients, long], ["foo", "y".repeat(590)]));
    const bus = small.network.connect();
    const sizes: number[] = [];
    bus.subscribe("_INBOX.x", (message) => sizes.push(message.end - message.start));
    for (const kind of Object.values(PeerKind)) {
      for (const cursor of ["", "client-5", "999999999999", "z".repeat(300)]) {
        const question = encodePeerMsg({ kind, serverId: "peer", cursor, clientId: "long" });
        bus.publish(peersSubject(CLUSTER), question, "_INBOX.x");
      }
    }
    expect(sizes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(600);
  });
});
