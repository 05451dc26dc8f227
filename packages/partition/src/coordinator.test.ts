import { describe, expect, it } from "vitest";
import { encodeChannelListReply } from "./answering.ts";
import { chunkChannelList } from "./channel-list-chunks.ts";
import { type Coordinator, createCoordinator } from "./coordinator.ts";
import type { CoordinatorInput, CoordinatorOutput } from "./coordinator-io.ts";
import { DEFAULT_TIMING } from "./timing.ts";

const ME = "M".repeat(22);
/** Sorts before and after ME. */
const LOW = "A".repeat(22);
const HIGH = "Z".repeat(22);

function requestFrom(serverId: string, ...names: string[]): Uint8Array {
  const list = chunkChannelList(serverId, names, 1_048_576);
  return list.kind === "chunks" ? list.chunks[0]! : new Uint8Array(0);
}

const ask = (serverId: string, ...names: string[]): CoordinatorInput => ({
  kind: "request",
  payload: requestFrom(serverId, ...names),
  reply: `_INBOX.${serverId}`,
});
const reply = (check: number, serverId: string, conflict = ""): CoordinatorInput => ({
  kind: "reply",
  check,
  payload: encodeChannelListReply(serverId, conflict),
});
const sent = (check: number): CoordinatorInput => ({ kind: "sent", check });
const kinds = (outputs: readonly CoordinatorOutput[]): string[] => outputs.map((output) => output.kind);

function coordinatorOf(...names: string[]): Coordinator {
  return createCoordinator({ serverId: ME, names, timing: DEFAULT_TIMING, maxPayload: () => 1_048_576 });
}

/** A coordinator that has passed its check at time 1000. */
function serving(...names: string[]): Coordinator {
  const coordinator = coordinatorOf(...names);
  coordinator.step({ kind: "start" }, 0);
  coordinator.step(sent(1), 0);
  expect(kinds(coordinator.step({ kind: "time" }, 1_000))).toEqual(["end_check", "admitted"]);
  return coordinator;
}

describe("the start-up check", () => {
  it("sends the whole list, and passes when nothing came for a second after it was sent", () => {
    const coordinator = coordinatorOf("foo", "bar");
    expect(coordinator.step({ kind: "start" }, 0)).toEqual([
      { kind: "send_list", check: 1, requests: [requestFrom(ME, "foo", "bar")] },
    ]);
    expect(coordinator.deadline).toBeUndefined();
    coordinator.step(sent(1), 40);
    expect(coordinator.deadline).toBe(1_040);
    expect(coordinator.step({ kind: "time" }, 1_039)).toEqual([]);
    expect(coordinator.step({ kind: "time" }, 1_040)).toEqual([{ kind: "end_check", check: 1 }, { kind: "admitted" }]);
    expect(coordinator.deadline).toBeUndefined();
    expect(coordinator.isServing).toBe(true);
  });

  it("waits a second more after every reply", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    coordinator.step(reply(1, LOW), 900);
    coordinator.step(reply(1, HIGH), 1_800);
    expect(coordinator.deadline).toBe(2_800);
  });

  it("takes replies that come before the flush has returned", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    expect(coordinator.step(reply(1, LOW), 1)).toEqual([]);
    expect(kinds(coordinator.step(reply(1, LOW, "foo"), 2))).toEqual(["end_check", "refused"]);
  });

  it("stops at the first objection, and is over", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(coordinator.step(reply(1, "GgoICesjj9xGmQK5JEayWA", "bar"), 5)).toEqual([
      { kind: "end_check", check: 1 },
      {
        kind: "refused",
        reason: "conflict",
        message: 'channel "bar" causes conflict with channels on server "GgoICesjj9xGmQK5JEayWA"',
      },
    ]);
    expect(coordinator.step(ask(LOW, "other"), 6)).toEqual([]);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("fails on a reply that cannot be decoded", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    const outputs = coordinator.step({ kind: "reply", check: 1, payload: Buffer.from("hello") }, 1);
    expect(outputs[1]).toMatchObject({
      kind: "refused",
      reason: "undecodable_reply",
      message: expect.stringMatching(/^unable to decode partitioning response: /),
    });
  });

  it("fails when the list cannot be sent, or the connection is closed", () => {
    const failing = coordinatorOf("foo");
    failing.step({ kind: "start" }, 0);
    const failed: CoordinatorInput = { kind: "send_failed", check: 1, message: "no", disconnected: false };
    expect(failing.step(failed, 0)[1]).toEqual({ kind: "refused", reason: "bus_failed", message: "no" });

    const cut = coordinatorOf("foo");
    cut.step({ kind: "start" }, 0);
    cut.step(sent(1), 0);
    expect(cut.step({ kind: "closed", reason: "gone" }, 0)[1]).toMatchObject({
      kind: "refused",
      message: "unable to get partitioning reply: gone",
    });
  });

  it("begins anew when the connection comes back, with an inbox of its own", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(kinds(coordinator.step({ kind: "disconnected" }, 500))).toEqual(["end_check"]);
    expect(coordinator.deadline).toBeUndefined();
    expect(coordinator.step(reply(1, LOW, "foo"), 600)).toEqual([]);
    expect(coordinator.step({ kind: "connected" }, 5_000)[0]).toMatchObject({ kind: "send_list", check: 2 });
  });

  it("waits for the connection when the list could not be sent because the line is down", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    const failed: CoordinatorInput = { kind: "send_failed", check: 1, message: "down", disconnected: true };
    expect(kinds(coordinator.step(failed, 0))).toEqual(["end_check"]);
    expect(coordinator.step({ kind: "disconnected" }, 1)).toEqual([]);
    expect(kinds(coordinator.step({ kind: "connected" }, 2))).toEqual(["send_list"]);
  });

  it("begins anew when the network changes, so that nobody who has come since is overheard", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(kinds(coordinator.step({ kind: "topology_changed" }, 700))).toEqual(["end_check"]);
    expect(coordinator.deadline).toBe(1_200);
    expect(kinds(coordinator.step({ kind: "time" }, 1_200))).toEqual(["send_list"]);
  });

  it("does not begin anew for ever: the fourth change is looked at after the start", () => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    for (const round of [1, 2, 3]) {
      coordinator.step(sent(round), round * 1_000);
      coordinator.step({ kind: "topology_changed" }, round * 1_000 + 100);
      coordinator.step({ kind: "time" }, round * 1_000 + 600);
    }
    coordinator.step(sent(4), 4_000);
    expect(coordinator.step({ kind: "topology_changed" }, 4_100)).toEqual([]);
    expect(kinds(coordinator.step({ kind: "time" }, 5_000))).toEqual(["end_check", "admitted"]);
    expect(coordinator.deadline).toBe(5_500);
  });
});

describe("answers", () => {
  it("go to everybody who asks, once the server serves", () => {
    const coordinator = serving("foo", "bar.*");
    expect(coordinator.step(ask(LOW, "baz"), 2_000)).toEqual([
      { kind: "answer", reply: `_INBOX.${LOW}`, payload: encodeChannelListReply(ME, "") },
    ]);
    expect(coordinator.step(ask(LOW, "baz", "bar.1"), 2_000)).toEqual([
      { kind: "answer", reply: `_INBOX.${LOW}`, payload: encodeChannelListReply(ME, "bar.1") },
      {
        kind: "log",
        level: "warn",
        text: `Partitioning: refused server "${LOW}": its channels overlap those of this server in "bar.1"`,
      },
    ]);
  });

  it("PART-D6 log each refused server once", () => {
    const coordinator = serving("foo");
    expect(kinds(coordinator.step(ask(LOW, "foo"), 2_000))).toEqual(["answer", "log"]);
    expect(kinds(coordinator.step(ask(LOW, "foo"), 2_001))).toEqual(["answer"]);
    expect(kinds(coordinator.step(ask(HIGH, "foo"), 2_002))).toEqual(["answer", "log"]);
  });

  it("cut what a forged name would put into the log", () => {
    const coordinator = serving(">");
    const log = coordinator.step(ask(`\n${"x".repeat(5_000)}`, "y".repeat(5_000)), 2_000)[1];
    expect(log).toMatchObject({ kind: "log", text: expect.stringContaining('refused server "\\nxxx') });
    expect(log?.kind === "log" && log.text.length).toBeLessThan(700);
  });

  it("PART-03 are not given to what cannot be read, nor without a reply subject", () => {
    const coordinator = serving("foo");
    const request = (payload: Uint8Array, to: string): CoordinatorInput => ({ kind: "request", payload, reply: to });
    expect(coordinator.step(request(new Uint8Array(0), "_INBOX.x"), 2_000)).toEqual([]);
    expect(coordinator.step(request(requestFrom(LOW, "foo"), ""), 2_000)).toEqual([]);
    expect(coordinator.step(request(requestFrom(ME, "foo"), "_INBOX.x"), 2_000)).toEqual([]);
    expect(coordinator.step(request(Buffer.from("hello"), "_INBOX.x"), 2_000)).toEqual([
      {
        kind: "log",
        level: "error",
        text: expect.stringMatching(/^Error processing partitioning request: proto: CtrlMsg: /),
      },
    ]);
  });
});

describe("a newcomer that meets an overlapping list", () => {
  const meeting = (serverId: string): Coordinator => {
    const coordinator = coordinatorOf("foo");
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(coordinator.step(ask(serverId, "foo"), 300)).toEqual([]);
    return coordinator;
  };

  it("answers others meanwhile", () => {
    expect(kinds(meeting(HIGH).step(ask(LOW, "bar"), 400))).toEqual(["answer"]);
  });

  it("repeats its check once, and objects from then on", () => {
    const coordinator = meeting(HIGH);
    expect(coordinator.step({ kind: "time" }, 1_000)).toEqual([
      { kind: "end_check", check: 1 },
      { kind: "send_list", check: 2, requests: [requestFrom(ME, "foo")] },
    ]);
    expect(kinds(coordinator.step(ask(HIGH, "foo"), 1_001))).toEqual(["answer", "log"]);
    coordinator.step(sent(2), 1_002);
    expect(kinds(coordinator.step({ kind: "time" }, 2_002))).toEqual(["end_check", "admitted"]);
  });

  it("lets one with a lower server ID go first, and stays silent until it repeats its check", () => {
    const coordinator = meeting(LOW);
    expect(kinds(coordinator.step({ kind: "time" }, 1_000))).toEqual(["end_check"]);
    expect(coordinator.deadline).toBe(1_300);
    expect(coordinator.step(ask(LOW, "foo"), 1_100)).toEqual([]);
    expect(kinds(coordinator.step({ kind: "time" }, 1_300))).toEqual(["send_list"]);
    expect(kinds(coordinator.step(reply(2, LOW, "foo"), 1_301))).toEqual(["end_check", "refused"]);
  });

  it("looks at a change of the network in the second round only after the start", () => {
    const coordinator = meeting(HIGH);
    coordinator.step({ kind: "time" }, 1_000);
    coordinator.step(sent(2), 1_000);
    expect(coordinator.step({ kind: "topology_changed" }, 1_500)).toEqual([]);
    coordinator.step({ kind: "time" }, 2_000);
    expect(coordinator.isServing).toBe(true);
    expect(coordinator.deadline).toBe(2_500);
  });
});

describe("a server that serves", () => {
  it("sends its list again 500 ms after the network changed, and says nothing when nobody objects", () => {
    const coordinator = serving("foo");
    expect(coordinator.step({ kind: "topology_changed" }, 5_000)).toEqual([]);
    expect(coordinator.deadline).toBe(5_500);
    expect(coordinator.step({ kind: "time" }, 5_500)).toEqual([
      { kind: "send_list", check: 2, requests: [requestFrom(ME, "foo")] },
    ]);
    coordinator.step(sent(2), 5_500);
    expect(coordinator.step({ kind: "time" }, 6_500)).toEqual([{ kind: "end_check", check: 2 }]);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("takes a burst of changes as one, and does not put the check off beyond two seconds", () => {
    const coordinator = serving("foo");
    for (let now = 5_000; now <= 6_900; now += 100) {
      coordinator.step({ kind: "topology_changed" }, now);
      expect(coordinator.deadline).toBe(Math.min(now + 500, 7_000));
    }
    expect(kinds(coordinator.step({ kind: "time" }, 7_000))).toEqual(["send_list"]);
  });

  it("sends its list once more after a check during which the network changed", () => {
    const coordinator = serving("foo");
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "time" }, 5_500);
    coordinator.step(sent(2), 5_500);
    coordinator.step({ kind: "topology_changed" }, 5_600);
    coordinator.step({ kind: "topology_changed" }, 5_700);
    coordinator.step({ kind: "time" }, 6_500);
    expect(coordinator.deadline).toBe(7_000);
    coordinator.step({ kind: "time" }, 7_000);
    coordinator.step(sent(3), 7_000);
    coordinator.step({ kind: "time" }, 8_000);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("PART-D4 sends its list again after a reconnect, once", () => {
    const coordinator = serving("foo");
    expect(coordinator.step({ kind: "disconnected" }, 5_000)).toEqual([]);
    coordinator.step({ kind: "connected" }, 9_000);
    coordinator.step({ kind: "topology_changed" }, 9_000);
    expect(coordinator.deadline).toBe(9_500);
    expect(kinds(coordinator.step({ kind: "time" }, 9_500))).toEqual(["send_list"]);
    coordinator.step(sent(2), 9_500);
    coordinator.step({ kind: "time" }, 10_500);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("sends nothing while the line is down", () => {
    const coordinator = serving("foo");
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "disconnected" }, 5_100);
    expect(coordinator.step({ kind: "time" }, 5_500)).toEqual([]);
    coordinator.step({ kind: "connected" }, 60_000);
    expect(coordinator.deadline).toBe(60_500);
  });

  it("reports an objection and goes on answering until its owner ends it", () => {
    const coordinator = serving("foo");
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "time" }, 5_500);
    coordinator.step(sent(2), 5_500);
    expect(coordinator.step(reply(2, LOW, "foo"), 5_600)).toEqual([
      { kind: "end_check", check: 2 },
      { kind: "conflict", message: `channel "foo" causes conflict with channels on server "${LOW}"` },
    ]);
    expect(coordinator.step(reply(2, HIGH, "foo"), 5_601)).toEqual([]);
    expect(kinds(coordinator.step(ask(LOW, "foo"), 5_602))).toEqual(["answer", "log"]);
  });

  it.each<[string, CoordinatorInput]>([
    ["a reply that cannot be decoded", { kind: "reply", check: 2, payload: Buffer.from("hello") }],
    ["a failure to send", { kind: "send_failed", check: 2, message: "unable to send", disconnected: false }],
  ])("logs %s and goes on", (_, input) => {
    const coordinator = serving("foo");
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "time" }, 5_500);
    const outputs = coordinator.step(input, 5_500);
    expect(outputs).toMatchObject([{ kind: "end_check" }, { kind: "log", level: "error" }]);
    expect(coordinator.isServing).toBe(true);
    coordinator.step({ kind: "topology_changed" }, 6_000);
    expect(coordinator.deadline).toBe(6_500);
  });

  it("logs that its list no longer fits after a reconnect to a server with a smaller payload", () => {
    let maxPayload = 100;
    const coordinator = createCoordinator({
      serverId: ME,
      names: ["x".repeat(60)],
      timing: DEFAULT_TIMING,
      maxPayload: () => maxPayload,
    });
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    coordinator.step({ kind: "time" }, 1_000);
    maxPayload = 64;
    coordinator.step({ kind: "topology_changed" }, 2_000);
    expect(coordinator.step({ kind: "time" }, 2_500)).toMatchObject([
      { kind: "log", level: "error", text: expect.stringContaining("message payload too small") },
    ]);
    expect(coordinator.isServing).toBe(true);
  });

  it("PART-D15 does not hear a reply to an earlier check", () => {
    const coordinator = serving("foo");
    expect(coordinator.step(reply(1, LOW, "foo"), 2_000)).toEqual([]);
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "time" }, 5_500);
    expect(coordinator.step(reply(1, LOW, "foo"), 5_500)).toEqual([]);
    expect(coordinator.step(sent(1), 5_500)).toEqual([]);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("falls silent when the connection is closed", () => {
    const coordinator = serving("foo");
    expect(coordinator.step({ kind: "closed", reason: "gone" }, 5_000)).toEqual([]);
    expect(coordinator.step(ask(LOW, "foo"), 5_001)).toEqual([]);
  });
});
