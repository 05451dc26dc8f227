import { encodePeerMsg, PeerKind, PeerPhase, peerSubject, peersSubject } from "@nats-streaming/protocol/spb";
import {
  decodeCloseResponse,
  decodeConnectResponse,
  decodePingResponse,
  encodeCloseRequest,
  encodePing,
} from "@nats-streaming/protocol/stan";
import { beforeEach, describe, expect, it } from "vitest";
import { type Cluster, createCluster } from "../test/cluster.ts";
import { CLUSTER, decodedValue, TestClient } from "../test/harness.ts";
import type { ClientPeers } from "./peers.ts";

const PINGS = `_STAN.discover.${CLUSTER}.pings`;

let cluster: Cluster;
beforeEach(() => {
  cluster = createCluster();
});

/** Sends a request and returns the errors of all answers that come within a second, in their order. */
async function allAnswers(
  client: TestClient,
  subject: string,
  payload: Uint8Array,
  decode: (bytes: Uint8Array) => Parameters<typeof decodedValue<{ readonly error: string }>>[0],
): Promise<string[]> {
  const errors: string[] = [];
  const answers = client.send(subject, payload, (bytes) => errors.push(decodedValue(decode(bytes)).error));
  await cluster.pass(1_500);
  answers.unsubscribe();
  return errors;
}

const pingAll = (client: TestClient): Promise<string[]> =>
  allAnswers(client, PINGS, encodePing({ connId: client.connId }), decodePingResponse);
const connectAll = (client: TestClient): Promise<string[]> =>
  allAnswers(client, `_STAN.discover.${CLUSTER}`, client.connectRequest(), decodeConnectResponse);
const closeAll = (client: TestClient): Promise<string[]> =>
  allAnswers(client, `_STAN.close.${CLUSTER}`, encodeCloseRequest({ clientId: client.id }), decodeCloseResponse);

/** A server that starts without learning anything from the others. */
const ignorant = {
  mapPeers: (peers: ClientPeers): ClientPeers => ({
    get isAlone() {
      return peers.isAlone;
    },
    attach: (source) => peers.attach(source),
    collectClients: () => Promise.resolve({ adopted: 0, isComplete: true }),
    lookup: (question) => peers.lookup(question),
    isOwned: (channel) => peers.isOwned(channel),
  }),
};

describe("a server that joins a partitioned cluster", () => {
  it("PART-D9 knows every client before it answers, and no client notices it", async () => {
    await cluster.start(["foo"]);
    const clients = [await cluster.client("a"), await cluster.client("b")];
    const second = await cluster.start(["bar"]);
    expect(second.stage.engine.inspection.clientIds()).toEqual(["a", "b"]);
    for (const client of clients) expect(await pingAll(client)).toEqual(["", ""]);
    expect(await clients[0]!.publish("bar", "at once")).toBe("");
    expect((await clients[1]!.subscribe("bar")).seen.map(({ data }) => data)).toEqual(["at once"]);
    expect(second.stage.logger.lines).toContain("INF Took over 2 client registration(s) from other partition servers");
  });

  it("PART-14 PART-D9 disturbs nobody either when it has lost its records in a restart", async () => {
    await cluster.start(["foo"]);
    const second = await cluster.start(["bar"]);
    const client = await cluster.client("me");
    await second.stop();
    expect(await client.publish("bar")).toBe("no answer");
    await cluster.start(["bar"]);
    expect(await pingAll(client)).toEqual(["", ""]);
    expect(await client.publish("bar")).toBe("");
  });

  it("sends heartbeats to the clients that it has taken over", async () => {
    const first = await cluster.start(["foo"]);
    const client = await cluster.client("me");
    await cluster.start(["bar"]);
    await first.stop();
    const before = client.heartbeats.length;
    await cluster.pass(30_000);
    expect(client.heartbeats.length).toBeGreaterThan(before);
  });

  it("misses nobody who connects or closes while it asks the others, and answers them afterwards", async () => {
    await cluster.start(["foo"]);
    const leaving = await cluster.client("leaving");
    let proceed = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const starting = cluster.start(["bar"], {
      mapPeers: (peers) => ({
        ...ignorant.mapPeers(peers),
        async collectClients(adopt) {
          await peers.collectClients(adopt);
          await waiting;
          return { adopted: 0, isComplete: true };
        },
      }),
    });
    await cluster.pass(2_000);
    const coming = new TestClient("coming", cluster.network.connect(), cluster.clock);
    const passing = new TestClient("passing", cluster.network.connect(), cluster.clock);
    const answers: string[] = [];
    coming.send(`_STAN.discover.${CLUSTER}`, coming.connectRequest(), (bytes) =>
      answers.push(decodedValue(decodeConnectResponse(bytes)).error),
    );
    await cluster.clock.settle();
    expect(answers).toEqual([""]);
    await passing.connect();
    expect([await leaving.close(), await passing.close()]).toEqual(["", ""]);
    proceed();
    const second = await starting;
    await cluster.pass(300);
    expect(answers).toEqual(["", ""]);
    expect(second.stage.engine.inspection.clientIds()).toEqual(["coming"]);
  });

  it("takes the others' word for a client that has replaced one of its own while it was down", async () => {
    await cluster.start(["foo"]);
    const client = await cluster.client("me");
    const stale = {
      id: "me",
      hbInbox: "_INBOX.old",
      connId: Buffer.from("old"),
      protocol: 1,
      pingInterval: 5,
      pingMaxOut: 3,
    };
    const second = await cluster.start(["bar"], {
      mapPeers: (peers) => ({
        ...ignorant.mapPeers(peers),
        async collectClients(adopt) {
          adopt([stale]);
          return peers.collectClients(adopt);
        },
      }),
    });
    expect(second.stage.engine.inspection.client("me")?.heartbeatInbox).toBe(client.heartbeatInbox);
    expect(await client.publish("bar")).toBe("");
  });

  it("goes on with those it could learn when somebody does not answer to the end, and says so", async () => {
    await cluster.start(["foo"]);
    await cluster.client("me");
    const mute = cluster.network.connect();
    const hello = { kind: PeerKind.hello, serverId: "mute", phase: PeerPhase.serving, since: 1, clientCount: 7 };
    mute.subscribe(peersSubject(CLUSTER), (message) => {
      if (message.reply !== "") mute.publish(message.reply, encodePeerMsg(hello));
    });
    mute.subscribe(peerSubject(CLUSTER, "mute"), () => {});
    const starting = cluster.start(["bar"]);
    await cluster.pass(10_000);
    const second = await starting;
    expect(second.stage.engine.inspection.clientIds()).toEqual(["me"]);
    expect(second.stage.logger.lines).toContainEqual(expect.stringMatching(/^WRN Not every other partition server/));
  });
});

describe("a ping of a connection that a partition server does not know", () => {
  it("is left to the one that knows it, and tells this one of the client", async () => {
    await cluster.start(["foo"]);
    const client = await cluster.client("me");
    const second = await cluster.start(["bar"], ignorant);
    expect(second.stage.engine.inspection.clientIds()).toEqual([]);
    expect(await pingAll(client)).toEqual([""]);
    expect(second.stage.engine.inspection.clientIds()).toEqual(["me"]);
    expect(await pingAll(client)).toEqual(["", ""]);
  });

  it("is answered with the error by everybody when nobody knows it", async () => {
    await cluster.start(["foo"]);
    await cluster.start(["bar"]);
    const ghost = new TestClient("ghost", cluster.network.connect(), cluster.clock);
    const error = "client has been replaced or is no longer registered";
    expect(await pingAll(ghost)).toEqual([error, error]);
  });

  it("PART-14 is answered with the error at once by a server that has closed or replaced it, whoever still knows it", async () => {
    const first = await cluster.start(["foo"]);
    const second = await cluster.start(["bar"]);
    const client = await cluster.client("me");
    client.crash();
    const next = await cluster.client("me");
    expect(await client.ping()).toBe("client has been replaced or is no longer registered");
    expect(await pingAll(next)).toEqual(["", ""]);
    expect(first.stage.engine.inspection.clientCount + second.stage.engine.inspection.clientCount).toBe(2);
  });

  it("is answered as in the original when a server that might know it is silent", async () => {
    await cluster.start(["foo"]);
    const mute = cluster.network.connect();
    mute.subscribe(peerSubject(CLUSTER, "mute"), () => {});
    const hello = { kind: PeerKind.hello, serverId: "mute", phase: PeerPhase.serving, since: 1 };
    mute.publish(peersSubject(CLUSTER), encodePeerMsg(hello));
    const ghost = new TestClient("ghost", cluster.network.connect(), cluster.clock);
    expect(await ghost.ping()).toBe("no answer");
    expect(await pingAll(ghost)).toEqual(["client has been replaced or is no longer registered"]);
  });

  it("is answered at once when there is nobody to be asked", async () => {
    await cluster.start(["foo"]);
    const ghost = new TestClient("ghost", cluster.network.connect(), cluster.clock);
    expect(await ghost.ping()).toBe("client has been replaced or is no longer registered");
  });
});

describe("a client ID that is in use", () => {
  it("is refused by every server, also by one that has never heard of its owner", async () => {
    await cluster.start(["foo"]);
    const owner = await cluster.client("me");
    const second = await cluster.start(["bar"], ignorant);
    const other = new TestClient("me", cluster.network.connect(), cluster.clock);
    const error = "stan: clientID already registered";
    expect(await connectAll(other)).toEqual([error, error]);
    // And the owner can use that server at once.
    expect(second.stage.engine.inspection.client("me")?.heartbeatInbox).toBe(owner.heartbeatInbox);
    expect(await owner.publish("bar")).toBe("");
  });

  it("goes to the next one at every server when its owner is gone", async () => {
    const first = await cluster.start(["foo"]);
    const owner = await cluster.client("me");
    const second = await cluster.start(["bar"], ignorant);
    owner.crash();
    const next = new TestClient("me", cluster.network.connect(), cluster.clock);
    expect(await connectAll(next)).toEqual(["", ""]);
    for (const { stage } of [first, second]) {
      expect(stage.engine.inspection.client("me")?.heartbeatInbox).toBe(next.heartbeatInbox);
    }
    expect([await next.publish("foo"), await next.publish("bar")]).toEqual(["", ""]);
  });

  it("stays with an owner that has answered only one of the servers in time", async () => {
    await cluster.start(["foo"]);
    await cluster.start(["bar"]);
    const owner = await cluster.client("me");
    owner.isAlive = false;
    let asked = 0;
    owner.bus.subscribe(owner.heartbeatInbox, (message) => {
      if (asked++ === 0) owner.bus.publish(message.reply, new Uint8Array(0));
    });
    const other = new TestClient("me", cluster.network.connect(), cluster.clock);
    expect(new Set(await connectAll(other))).toEqual(new Set(["stan: clientID already registered"]));
  });

  it("when several ask for it at the same moment, goes to one of them, at every server", async () => {
    const members = [await cluster.start(["foo"]), await cluster.start(["bar"]), await cluster.start(["baz"])];
    for (let round = 0; round < 20; round++) {
      const rivals = [1, 2, 3].map(() => new TestClient(`me${round}`, cluster.network.connect(), cluster.clock));
      const answers = rivals.map(() => [] as string[]);
      rivals.forEach((rival, i) => {
        rival.send(`_STAN.discover.${CLUSTER}`, rival.connectRequest(), (bytes) =>
          answers[i]!.push(decodedValue(decodeConnectResponse(bytes)).error),
        );
      });
      await cluster.pass(2_000);
      const winners = rivals.filter((_, i) => answers[i]!.every((error) => error === ""));
      expect(winners).toHaveLength(1);
      for (const errors of answers) expect(new Set(errors).size).toBe(1);
      for (const { stage } of members) {
        expect(stage.engine.inspection.client(`me${round}`)?.heartbeatInbox).toBe(winners[0]?.heartbeatInbox);
      }
    }
  });

  it("is decided as in the original when the others are silent", async () => {
    const first = await cluster.start(["foo"]);
    await cluster.client("me");
    const second = await cluster.start(["bar"], ignorant);
    first.partitionBus.disconnect();
    // It says that it is gone to nobody; who asks it gets no answer.
    const mute = cluster.network.connect();
    mute.subscribe(peerSubject(CLUSTER, first.serverId), () => {});
    const other = new TestClient("me", cluster.network.connect(), cluster.clock);
    const answers = await connectAll(other);
    expect(answers.sort()).toEqual(["", "stan: clientID already registered"]);
    expect(second.stage.engine.inspection.client("me")?.heartbeatInbox).toBe(other.heartbeatInbox);
  });
});

describe("a close request", () => {
  it("is answered by those who know the client, and by nobody else", async () => {
    const first = await cluster.start(["foo"]);
    const client = await cluster.client("me");
    const second = await cluster.start(["bar"], ignorant);
    expect(await closeAll(client)).toEqual([""]);
    expect(first.stage.engine.inspection.clientCount).toBe(0);
    expect(second.stage.logger.lines.join()).not.toContain("Unknown client");
  });

  it("of a client that nobody knows is refused by everybody", async () => {
    await cluster.start(["foo"]);
    await cluster.start(["bar"]);
    const ghost = new TestClient("ghost", cluster.network.connect(), cluster.clock);
    expect(await closeAll(ghost)).toEqual(["stan: unknown clientID", "stan: unknown clientID"]);
  });

  it("PART-06 closes the client at every server, after it has used the channels of each", async () => {
    const members = [await cluster.start(["foo"]), await cluster.start(["bar"])];
    const client = await cluster.client("me");
    for (const [i, channel] of ["foo", "bar"].entries()) {
      expect(await client.publish(channel, channel)).toBe("");
      const subscription = await client.subscribe(channel);
      expect(subscription.seen.map(({ data }) => data)).toEqual([channel]);
      expect(await subscription.unsubscribe()).toBe("");
      const { inspection } = members[i]!.stage.engine;
      expect(inspection.channelNames()).toEqual([channel]);
      expect(inspection.channel(channel)?.messages).toBe(1);
      expect(inspection.clientIds()).toEqual(["me"]);
    }
    expect(await closeAll(client)).toEqual(["", ""]);
    for (const { stage } of members) expect(stage.engine.inspection.clientCount).toBe(0);
  });
});

describe("a request of a client that only the others know", () => {
  it("is served: the client is taken over", async () => {
    await cluster.start(["foo"]);
    const [one, two] = [await cluster.client("one"), await cluster.client("two")];
    await cluster.start(["bar"], ignorant);
    expect(await one.publish("bar")).toBe("");
    expect((await two.subscribe("bar")).order).toBe("1");
  });

  it("is refused after a second when nobody knows it", async () => {
    await cluster.start(["foo"]);
    await cluster.start(["bar"]);
    const ghost = new TestClient("ghost", cluster.network.connect(), cluster.clock);
    const errors: string[] = [];
    ghost.publishLater("bar", "x", (error) => errors.push(error));
    await cluster.pass(1_000);
    expect(errors).toEqual(["stan: invalid publish request"]);
  });
});
