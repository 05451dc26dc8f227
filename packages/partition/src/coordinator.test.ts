import { describe, expect, it } from "vitest";
import { encodeChannelListReply } from "./answering.ts";
import { chunkChannelList } from "./channel-list-chunks.ts";
import { type Coordinator, type CoordinatorOptions, createCoordinator } from "./coordinator.ts";
import type { CoordinatorInput, CoordinatorOutput } from "./coordinator-io.ts";
import type { Standing } from "./seniority.ts";
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
/** Without what is only told to the partition map. */
const kinds = (outputs: readonly CoordinatorOutput[]): string[] =>
  outputs.map((output) => output.kind).filter((kind) => kind !== "heard" && kind !== "overlap");

/** When coordinators of these tests are admitted, by the wall clock. */
const SINCE = 1_700_000_000_000;

function newCoordinator(options: Partial<CoordinatorOptions> & { readonly names: readonly string[] }): Coordinator {
  return createCoordinator({
    serverId: ME,
    timing: DEFAULT_TIMING,
    conflictRule: "younger_exits",
    wallMillis: () => SINCE,
    maxPayload: () => 1_048_576,
    ...options,
  });
}

function coordinatorOf(...names: string[]): Coordinator {
  return newCoordinator({ names });
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
      { kind: "overlap", serverId: "GgoICesjj9xGmQK5JEayWA", name: "bar" },
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
      { kind: "heard", serverId: LOW, group: `_INBOX.${LOW}`, names: ["baz"] },
    ]);
    expect(coordinator.step(ask(LOW, "baz", "bar.1"), 2_000)).toEqual([
      { kind: "answer", reply: `_INBOX.${LOW}`, payload: encodeChannelListReply(ME, "bar.1") },
      { kind: "overlap", serverId: LOW, name: "bar.1" },
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
    const log = coordinator.step(ask(`\n${"x".repeat(5_000)}`, "y".repeat(5_000)), 2_000)[2];
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

  it("reports an objection at once when everybody is to end on one, and goes on answering until its owner ends it", () => {
    const coordinator = newCoordinator({ names: ["foo"], conflictRule: "exit_all" });
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    coordinator.step({ kind: "time" }, 1_000);
    coordinator.step({ kind: "topology_changed" }, 5_000);
    coordinator.step({ kind: "time" }, 5_500);
    coordinator.step(sent(2), 5_500);
    expect(coordinator.step(reply(2, LOW, "foo"), 5_600)).toEqual([
      { kind: "overlap", serverId: LOW, name: "foo" },
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
    const coordinator = newCoordinator({ names: ["x".repeat(60)], maxPayload: () => maxPayload });
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

  describe("and meets an objection", () => {
    const objection = (): Coordinator => {
      const coordinator = serving("foo");
      coordinator.step({ kind: "topology_changed" }, 5_000);
      coordinator.step({ kind: "time" }, 5_500);
      coordinator.step(sent(2), 5_500);
      expect(coordinator.step(reply(2, LOW, "foo"), 5_600).slice(1)).toEqual([
        { kind: "ask_standing", check: 2, serverId: LOW, name: "foo" },
      ]);
      // A second objection of the same server asks nothing.
      expect(kinds(coordinator.step(reply(2, LOW, "foo"), 5_601))).toEqual([]);
      return coordinator;
    };
    const standing = (check: number, of: Standing, serverId = LOW): CoordinatorInput => ({
      kind: "standing",
      check,
      serverId,
      standing: of,
    });

    it("PART-D3 ends when the other one has served longer", () => {
      expect(objection().step(standing(2, { kind: "serving", since: SINCE - 1 }), 5_610)).toEqual([
        { kind: "end_check", check: 2 },
        { kind: "conflict", message: `channel "foo" causes conflict with channels on server "${LOW}"` },
      ]);
    });

    it("ends when both began in the same millisecond and the other one has the lower server ID", () => {
      expect(kinds(objection().step(standing(2, { kind: "serving", since: SINCE }), 5_610))).toContain("conflict");
      const lucky = serving("foo");
      lucky.step({ kind: "topology_changed" }, 5_000);
      lucky.step({ kind: "time" }, 5_500);
      lucky.step(sent(2), 5_500);
      lucky.step(reply(2, HIGH, "foo"), 5_600);
      expect(lucky.step(standing(2, { kind: "serving", since: SINCE }, HIGH), 5_610)).toEqual([]);
    });

    it.each<[string, Standing]>([
      ["serves since later", { kind: "serving", since: SINCE + 1 }],
      ["is only starting", { kind: "starting" }],
    ])("PART-D3 stays when the other one %s, and looks again two seconds later whether it is gone", (_, of) => {
      const coordinator = objection();
      expect(coordinator.step(standing(2, of), 5_610)).toEqual([]);
      expect(kinds(coordinator.step({ kind: "time" }, 6_601))).toEqual(["end_check"]);
      expect(coordinator.deadline).toBe(8_601);
      expect(kinds(coordinator.step({ kind: "time" }, 8_601))).toEqual(["send_list"]);
      coordinator.step(sent(3), 8_601);
      expect(kinds(coordinator.step({ kind: "time" }, 9_601))).toEqual(["end_check"]);
      expect(coordinator.deadline).toBeUndefined();
    });

    it("looks no more than five times for one that stays all the same", () => {
      const coordinator = objection();
      coordinator.step(standing(2, { kind: "starting" }), 5_610);
      let now = 6_601;
      let checks = 2;
      for (; checks < 100; checks++) {
        coordinator.step({ kind: "time" }, now);
        if (coordinator.deadline === undefined) break;
        now = coordinator.deadline;
        coordinator.step({ kind: "time" }, now);
        coordinator.step(sent(checks + 1), now);
        coordinator.step(reply(checks + 1, LOW, "foo"), now);
        coordinator.step(standing(checks + 1, { kind: "starting" }), now);
        now += 1_000;
      }
      expect(checks).toBe(7);
    });

    it("sends its list once more when the other one says nothing: a server that has ended says nothing", () => {
      const coordinator = objection();
      expect(coordinator.step(standing(2, { kind: "silent", isKnown: false }), 5_610)).toEqual([]);
      coordinator.step({ kind: "time" }, 6_601);
      expect(coordinator.deadline).toBe(7_101);
      coordinator.step({ kind: "time" }, 7_101);
      coordinator.step(sent(3), 7_101);
      expect(kinds(coordinator.step({ kind: "time" }, 8_101))).toEqual(["end_check"]);
      expect(coordinator.deadline).toBeUndefined();
    });

    it("does not end for a server of its own kind that has gone each time it is asked", () => {
      const coordinator = objection();
      coordinator.step(standing(2, { kind: "silent", isKnown: true }), 5_610);
      coordinator.step({ kind: "time" }, 6_601);
      coordinator.step({ kind: "time" }, 7_101);
      coordinator.step(sent(3), 7_101);
      coordinator.step(reply(3, LOW, "foo"), 7_200);
      coordinator.step(standing(3, { kind: "silent", isKnown: true }), 7_700);
      expect(kinds(coordinator.step({ kind: "time" }, 8_200))).toEqual(["end_check"]);
      expect(coordinator.deadline).toBe(8_700);
    });

    it("ends, as the original does, when a server objects twice and says nothing", () => {
      const coordinator = objection();
      coordinator.step(standing(2, { kind: "silent", isKnown: false }), 5_610);
      coordinator.step({ kind: "time" }, 6_601);
      coordinator.step({ kind: "time" }, 7_101);
      coordinator.step(sent(3), 7_101);
      coordinator.step(reply(3, LOW, "foo"), 7_200);
      coordinator.step(standing(3, { kind: "silent", isKnown: false }), 7_700);
      expect(kinds(coordinator.step({ kind: "time" }, 8_200))).toEqual(["end_check", "conflict"]);
    });

    it("waits for those who have been asked and have not answered, for three seconds at most", () => {
      const coordinator = objection();
      for (const now of [6_601, 7_601, 8_601]) {
        expect(coordinator.step({ kind: "time" }, now)).toEqual([]);
        expect(coordinator.deadline).toBe(now + 1_000);
      }
      expect(kinds(coordinator.step({ kind: "time" }, 9_601))).toEqual(["end_check"]);
      expect(coordinator.step(standing(2, { kind: "serving", since: 1 }), 9_700)).toEqual([]);
    });

    it("ends at once on an objection of a server whose ID cannot be asked", () => {
      const coordinator = serving("foo");
      coordinator.step({ kind: "topology_changed" }, 5_000);
      coordinator.step({ kind: "time" }, 5_500);
      expect(kinds(coordinator.step(reply(2, "no token.>", "foo"), 5_600))).toEqual(["end_check", "conflict"]);
    });
  });

  describe("and is challenged by a server that it has objected to", () => {
    const challenge = (serverId: string, since: number, name = "foo"): CoordinatorInput => ({
      kind: "challenged",
      serverId,
      since,
      name,
    });

    it("sends its list when the other one is the elder, however often it is challenged", () => {
      const coordinator = serving("foo");
      for (let i = 0; i < 100; i++) {
        expect(coordinator.step(challenge(LOW, SINCE - 1), 5_000)).toEqual([]);
      }
      expect(coordinator.deadline).toBe(5_500);
      expect(kinds(coordinator.step({ kind: "time" }, 5_500))).toEqual(["send_list"]);
    });

    it("does nothing for a younger one, for one that does not serve, or about somebody else's channel", () => {
      const coordinator = serving("foo");
      coordinator.step(challenge(HIGH, SINCE), 5_000);
      coordinator.step(challenge(LOW, 0), 5_000);
      coordinator.step(challenge(LOW, SINCE - 1, "bar"), 5_000);
      expect(coordinator.deadline).toBeUndefined();
    });
  });

  it("answers a question that claims nothing without a trace, also in its own check", () => {
    const probe = (name: string): CoordinatorInput => {
      const list = chunkChannelList(LOW, [name], 1_048_576, "probe");
      if (list.kind !== "chunks") throw new Error("too small");
      return { kind: "request", payload: list.chunks[0]!, reply: "_INBOX.p" };
    };
    const starting = coordinatorOf("foo");
    starting.step({ kind: "start" }, 0);
    for (const coordinator of [starting, serving("foo")]) {
      expect(coordinator.step(probe("foo"), 2_000)).toEqual([
        { kind: "answer", reply: "_INBOX.p", payload: encodeChannelListReply(ME, "foo") },
      ]);
      expect(coordinator.step(probe("bar"), 2_000)).toEqual([
        { kind: "answer", reply: "_INBOX.p", payload: encodeChannelListReply(ME, "") },
      ]);
    }
    starting.step(sent(1), 0);
    // No second round: nobody was met.
    expect(kinds(starting.step({ kind: "time" }, 1_000))).toEqual(["end_check", "admitted"]);
  });

  it("serves at once when its list was checked beforehand, and checks it then", () => {
    const coordinator = coordinatorOf("foo");
    expect(kinds(coordinator.step({ kind: "start", verified: true }, 0))).toEqual(["admitted", "send_list"]);
    expect(coordinator.since).toBe(SINCE);
    expect(kinds(coordinator.step(ask(LOW, "foo"), 1))).toEqual(["answer", "log"]);
  });

  it("falls silent when the connection is closed", () => {
    const coordinator = serving("foo");
    expect(coordinator.step({ kind: "closed", reason: "gone" }, 5_000)).toEqual([]);
    expect(coordinator.step(ask(LOW, "foo"), 5_001)).toEqual([]);
  });
});

describe("a changed list", () => {
  const propose = (...names: string[]): CoordinatorInput => ({ kind: "propose", names });
  const checking = (): Coordinator => {
    const coordinator = serving("foo", "bar");
    expect(coordinator.step(propose("foo", "baz.*"), 2_000)).toEqual([
      { kind: "send_list", check: 2, requests: [requestFrom(ME, "baz.*")] },
    ]);
    coordinator.step(sent(2), 2_000);
    return coordinator;
  };

  it("counts when nobody objects to what it adds; everybody hears the whole of it then", () => {
    const coordinator = checking();
    expect(coordinator.step(ask(LOW, "bar"), 2_500).map(({ kind }) => kind)).toContain("overlap");
    expect(coordinator.step({ kind: "time" }, 3_000)).toEqual([
      { kind: "end_check", check: 2 },
      { kind: "proposal_applied" },
    ]);
    expect(coordinator.names).toEqual(["foo", "baz.*"]);
    expect(coordinator.step(ask(LOW, "bar"), 3_001)[0]).toMatchObject({ payload: encodeChannelListReply(ME, "") });
    expect(coordinator.step(ask(LOW, "baz.1"), 3_001)[0]).toMatchObject({
      payload: encodeChannelListReply(ME, "baz.1"),
    });
    expect(coordinator.step({ kind: "time" }, 3_500)).toEqual([
      { kind: "send_list", check: 3, requests: [requestFrom(ME, "foo", "baz.*")] },
    ]);
  });

  it("counts at once when it only takes away", () => {
    const coordinator = serving("foo", "bar");
    expect(kinds(coordinator.step(propose("bar"), 2_000))).toEqual(["proposal_applied"]);
  });

  it("is refused on an objection, and everything stays", () => {
    const coordinator = checking();
    const outputs = coordinator.step(reply(2, HIGH, "baz.*"), 2_100);
    expect(kinds(outputs)).toEqual(["end_check", "proposal_refused"]);
    expect(outputs.at(-1)).toMatchObject({
      message: `channel "baz.*" causes conflict with channels on server "${HIGH}"`,
    });
    expect(coordinator.names).toEqual(["foo", "bar"]);
    expect(coordinator.isServing).toBe(true);
    coordinator.step({ kind: "time" }, coordinator.deadline ?? 0);
    coordinator.step(sent(3), 3_000);
    coordinator.step({ kind: "time" }, 4_000);
    expect(kinds(coordinator.step(propose("foo", "qux"), 5_000))).toEqual(["send_list"]);
  });

  it.each<[string, CoordinatorInput, string]>([
    ["the line goes down", { kind: "disconnected" }, "the connection to NATS is down"],
    ["the connection is closed", { kind: "closed", reason: "gone" }, "unable to get partitioning reply: gone"],
    ["the list cannot be sent", { kind: "send_failed", check: 2, message: "no", disconnected: false }, "no"],
    ["another change comes", propose("x"), "another change of the channel list is under way"],
  ])("is refused when %s", (_, input, message) => {
    const refusal = checking()
      .step(input, 2_100)
      .find(({ kind }) => kind === "proposal_refused");
    expect(refusal).toMatchObject({ message: expect.stringContaining(message) });
  });

  it("is refused before the server serves, and while the line is down", () => {
    const starting = coordinatorOf("foo");
    starting.step({ kind: "start" }, 0);
    expect(kinds(starting.step(propose("bar"), 1))).toEqual(["proposal_refused"]);
    const cut = serving("foo");
    cut.step({ kind: "disconnected" }, 2_000);
    expect(kinds(cut.step(propose("bar"), 2_001))).toEqual(["proposal_refused"]);
  });

  it("waits for the check under way", () => {
    const coordinator = serving("foo");
    coordinator.step({ kind: "topology_changed" }, 2_000);
    expect(kinds(coordinator.step(propose("foo", "bar"), 2_100))).toEqual([]);
    coordinator.step({ kind: "time" }, 2_500);
    coordinator.step(sent(2), 2_500);
    expect(kinds(coordinator.step({ kind: "time" }, 3_500))).toEqual(["end_check", "send_list"]);
    coordinator.step(sent(3), 3_500);
    expect(kinds(coordinator.step({ kind: "time" }, 4_500))).toEqual(["end_check", "proposal_applied"]);
  });

  it("of two servers that want the same at the same moment, goes to the one with the lower server ID", () => {
    const lower = checking();
    const objection = lower.step(ask(HIGH, "baz.1"), 2_100);
    expect(kinds(objection)).toEqual(["answer", "log"]);
    expect(objection[0]).toMatchObject({ payload: encodeChannelListReply(ME, "baz.1") });
    const higher = checking();
    expect(kinds(higher.step(ask(LOW, "baz.1"), 2_100))).toEqual(["end_check", "proposal_refused"]);
    expect(higher.names).toEqual(["foo", "bar"]);
  });
});

describe("a member of a fault tolerance group that has become active", () => {
  it("hears no objection, list or challenge of the former active of its group, the elder", () => {
    const coordinator = newCoordinator({ names: ["foo"], activeServerId: () => LOW });
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(coordinator.step(reply(1, LOW, "foo"), 100)).toEqual([]);
    expect(coordinator.step(ask(LOW, "foo"), 200)).toEqual([]);
    expect(kinds(coordinator.step({ kind: "time" }, 1_100))).toEqual(["end_check", "admitted"]);
    expect(coordinator.step(ask(LOW, "foo"), 1_200)).toEqual([]);
    expect(coordinator.step({ kind: "challenged", serverId: LOW, since: 1, name: "foo" }, 1_300)).toEqual([]);
    expect(coordinator.deadline).toBeUndefined();
  });

  it("is refused all the same when any other server objects", () => {
    const coordinator = newCoordinator({ names: ["foo"], activeServerId: () => LOW });
    coordinator.step({ kind: "start" }, 0);
    coordinator.step(sent(1), 0);
    expect(kinds(coordinator.step(reply(1, HIGH, "foo"), 100))).toEqual(["end_check", "refused"]);
  });

  it("answers no list as long as its lock may be lost, and sends its own half a second later", () => {
    let isHeldUp = false;
    const coordinator = newCoordinator({ names: ["foo"], isHeldUp: () => isHeldUp });
    coordinator.step({ kind: "start", verified: true }, 0);
    coordinator.step(sent(1), 0);
    expect(kinds(coordinator.step({ kind: "time" }, 1_000))).toEqual(["end_check"]);
    isHeldUp = true;
    expect(coordinator.step(ask(HIGH, "foo"), 9_000)).toEqual([]);
    expect(coordinator.deadline).toBe(9_500);
    expect(kinds(coordinator.step({ kind: "time" }, 9_500))).toEqual(["send_list"]);
    isHeldUp = false;
    expect(kinds(coordinator.step(ask(HIGH, "foo"), 9_600))).toContain("answer");
  });
});
