import { describe, expect, it } from "vitest";
import { FT_SUBJECT, type Member, roleOf, SHARED_SQL_STORES, startMember } from "../harness/fault-tolerance-group.ts";
import { startNatsPair } from "../harness/nats-pair.ts";
import { leaveOutNatsServer } from "../harness/nats-server.ts";
import { networkOf } from "../harness/networks.ts";
import { connectRaw } from "../harness/raw-client.ts";
import { type Stage, tempDir } from "../harness/stage.ts";
import { connectStan } from "../harness/stan.ts";
import { decodeCtrlMsg } from "../harness/stan-wire.ts";
import { READY } from "../harness/streaming-server.ts";
import { testStage } from "../harness/test-stage.ts";

/** Longer than a standby waits for heartbeats, and on SQL than it looks at the lock. */
const OUTAGE_MILLIS = 7_000;

const FILE = { name: "a file store", open: async (stage: Stage) => ["-store", "file", "-dir", await tempDir(stage)] };
const SQLITE = SHARED_SQL_STORES.filter(({ name }) => name === "SQLite");

for (const store of [FILE, ...SQLITE]) {
  describe.skipIf(leaveOutNatsServer)(
    `a fault tolerance pair on ${store.name}, each at a nats-server of its own`,
    () => {
      for (const { name, broken } of [
        { name: "FT-04 FT-11: the active's nats-server dies and returns", broken: 0 },
        { name: "FT-05 FT-11: the standby's nats-server dies and returns", broken: 1 },
      ]) {
        it(`${name}: both stay what they are, and the heartbeats are heard again`, async () => {
          const stage = testStage();
          const pair = await startNatsPair(stage);
          const flags = await store.open(stage);
          const members: Member[] = [];
          for (const { nats } of pair) {
            const member = await startMember(networkOf(stage, nats), flags);
            if (members.length === 0) await member.child.line(READY);
            members.push(member);
          }
          const [active, standby] = [at(members, 0), at(members, 1)];
          expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);

          const down = at(pair, broken);
          down.nats.child.signal("SIGKILL");
          await down.nats.child.exit();
          await at(members, broken).child.line('connection "_NSS-test-cluster-ft" has been disconnected: ');
          // Nothing that could be awaited happens: the standby hears nobody, and does not get the lock.
          await new Promise((resolve) => setTimeout(resolve, OUTAGE_MILLIS));
          expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);

          const again = await down.restart();
          await at(members, broken).child.line('connection "_NSS-test-cluster-ft" reconnected to NATS Server at "');
          // Heard at the standby's server, over the route: the standby hears it as well.
          const ear = await connectRaw(stage, { port: broken === 1 ? again.port : at(pair, 1).nats.port });
          const heartbeats = await ear.subscribe(FT_SUBJECT);
          const beats = await heartbeats.messages.takeMany(3);
          const senders = beats
            .map(({ payload }) => decodeCtrlMsg(payload))
            .map(({ type, serverId }) => [type, serverId]);
          expect(senders).toEqual(senders.map(() => [3, active.serverId]));
          expect([await roleOf(active), await roleOf(standby)]).toEqual(["FT_ACTIVE", "FT_STANDBY"]);
          const client = await connectStan(stage, "client", { port: Number(ear.info["port"]) });
          await client.publish("foo", "over the route");
          await client.close();
        }, 60_000);
      }
    },
  );
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`no item ${index}`);
  return item;
}
