import type { Timestamp } from "@nats-streaming/kernel";
import { CtrlMsgType, encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { describe, expect, it } from "vitest";
import { encodeHeartbeat, readHeartbeat } from "./heartbeat.ts";
import { createMember, type Member, type MemberOptions } from "./member.ts";
import type { MemberInput, MemberOutput } from "./member-io.ts";

const ID = "OWN0000000000000000000";
const PEER = "PEER000000000000000000";
const SINCE: Timestamp = { millis: 1_700_000_000_000, nanos: 500 };
const BUSY = "info ft: unable to get store lock at this time, going back to standby";

const member = (options: Partial<MemberOptions> = {}): Member =>
  createMember({
    serverId: ID,
    timing: { heartbeatMillis: 1_000, missedHeartbeatMillis: 1_250 },
    lockProbeMillis: 0,
    ...options,
  });

/** Outputs in words: `try_lock`, `info text`, … */
function step(of: Member, input: MemberInput, now: number): string[] {
  return of.step(input, now).map(inWords);
}

function inWords(output: MemberOutput): string {
  if (output.kind === "log") return `${output.level} ${output.text}`;
  if (output.kind === "abort") return `abort ${output.failure.reason} ${output.failure.exitStatus}`;
  if (output.kind === "activation_failed") return `activation_failed ${output.failure.exitStatus}`;
  return output.kind;
}

const heard = (payload: Uint8Array): MemberInput => ({ kind: "message", payload });
/** A peer's heartbeat that says it is active since `millis` before (or after) this one. */
const claim = (millis: number, nanos: number = SINCE.nanos, serverId = PEER): MemberInput =>
  heard(encodeHeartbeat(serverId, { millis: SINCE.millis + millis, nanos }));

/** A member that got the lock at 0 and sent its last heartbeat at 1,250. */
function active(): Member {
  const one = member();
  one.step({ kind: "start" }, -1_250);
  one.step({ kind: "time" }, 0);
  one.step({ kind: "lock_acquired", at: SINCE }, 0);
  one.step({ kind: "time" }, 250);
  one.step({ kind: "connected" }, 1_250);
  return one;
}

describe("a standby", () => {
  it("waits one missed-heartbeat interval before its first lock attempt", () => {
    const one = member();
    expect(step(one, { kind: "start" }, 100)).toEqual(["info Starting in standby mode"]);
    expect(one.state).toEqual({ kind: "standby" });
    expect(one.deadline).toBe(1_350);
    expect(step(one, { kind: "time" }, 1_349)).toEqual([]);
    expect(step(one, { kind: "time" }, 1_350)).toEqual(["try_lock"]);
    expect(one.state).toEqual({ kind: "trying" });
    expect(one.deadline).toBeUndefined();
  });

  it("starts once", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    expect(step(one, { kind: "start" }, 500)).toEqual([]);
    expect(one.deadline).toBe(1_250);
  });

  it("puts the attempt off with any message, whatever it says", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    const messages = [new Uint8Array(), Buffer.from("hello"), encodeHeartbeat(PEER, SINCE)];
    messages.forEach((payload, i) => {
      expect(step(one, heard(payload), 1_000 * (i + 1))).toEqual([]);
      expect(one.deadline).toBe(1_000 * (i + 1) + 1_250);
    });
  });

  it("goes back to waiting when the lock is busy, and says so with back-off", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    const logged: number[] = [];
    for (let now = 1_250; now < 80_000; now += 1_250) {
      expect(step(one, { kind: "time" }, now)).toEqual(["try_lock"]);
      const outputs = step(one, { kind: "lock_busy" }, now);
      if (outputs.length > 0) logged.push(now);
      expect([[], [BUSY]]).toContainEqual(outputs);
      expect(one.state).toEqual({ kind: "standby" });
      expect(one.deadline).toBe(now + 1_250);
    }
    expect(logged).toEqual([1_250, 2_500, 5_000, 10_000, 18_750, 35_000, 67_500]);
  });

  it("names the holder of the lock, when it is known, beside the line and not oftener", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    one.step({ kind: "time" }, 1_250);
    const outputs = step(one, { kind: "lock_busy", holder: "pid 4711" }, 1_250);
    expect(outputs).toEqual([BUSY, "debug ft: the store lock is held by pid 4711"]);
    one.step({ kind: "time" }, 2_500);
    one.step({ kind: "lock_busy", holder: "pid 4711" }, 2_500);
    one.step({ kind: "time" }, 3_750);
    expect(step(one, { kind: "lock_busy", holder: "pid 4711" }, 3_750)).toEqual([]);
  });

  it("FT-08 stays standby when the lock attempt fails, logs the error and tries again for ever", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    const lines: string[] = [];
    for (let now = 1_250; now < 60_000; now += 1_250) {
      expect(step(one, { kind: "time" }, now)).toEqual(["try_lock"]);
      lines.push(...step(one, { kind: "lock_failed", reason: "no such directory" }, now));
      expect(one.state).toEqual({ kind: "standby" });
    }
    const line =
      "error ft: error attempting to get the store lock: ft: fatal error getting the store lock: no such directory";
    expect(lines).toEqual([line, line, line, line, line, line]);
  });

  it("ignores a message while it tries, and waits a whole interval from the outcome on", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    one.step({ kind: "time" }, 1_250);
    expect(step(one, heard(encodeHeartbeat(PEER, SINCE)), 3_000)).toEqual([]);
    one.step({ kind: "lock_busy" }, 5_750);
    expect(one.deadline).toBe(7_000);
  });

  it("has no lock to lose", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    expect(step(one, { kind: "lock_lost" }, 10)).toEqual([]);
    expect(one.state).toEqual({ kind: "standby" });
  });
});

describe("a standby that probes the lock", () => {
  const probing = { lockProbeMillis: 100 };

  it("tries at its start and every probe interval, whatever it hears", () => {
    const one = member(probing);
    expect(step(one, { kind: "start" }, 0)).toEqual(["info Starting in standby mode", "try_lock"]);
    for (let now = 0; now < 5_000; now += 100) {
      expect(step(one, { kind: "lock_busy" }, now)).toEqual([]);
      expect(one.deadline).toBe(now + 100);
      expect(step(one, heard(encodeHeartbeat(PEER, SINCE)), now + 50)).toEqual([]);
      expect(step(one, { kind: "time" }, now + 100)).toEqual(["try_lock"]);
    }
  });

  it("writes no line while the active is heard, and the usual ones once it is not heard any more", () => {
    const one = member(probing);
    one.step({ kind: "start" }, 0);
    const logged: number[] = [];
    for (let now = 0; now < 300_000; now += 100) {
      if (now < 100_000 && now % 1_000 === 0) one.step(heard(encodeHeartbeat(PEER, SINCE)), now);
      if (step(one, { kind: "lock_busy" }, now).includes(BUSY)) logged.push(now);
      one.step({ kind: "time" }, now + 100);
    }
    // The last heartbeat came at 99 s.
    expect(logged).toEqual([100_300, 101_300, 103_300, 107_300, 115_300, 131_300, 163_300, 223_300, 283_300]);
  });

  it("waits the missed-heartbeat interval after an error", () => {
    const one = member(probing);
    one.step({ kind: "start" }, 0);
    one.step({ kind: "lock_failed", reason: "gone" }, 0);
    expect(one.deadline).toBe(1_250);
    one.step(heard(new Uint8Array()), 1_000);
    expect(one.deadline).toBe(1_250);
  });
});

describe("an active", () => {
  it("says so, sends its first heartbeat and then activates", () => {
    const one = member();
    one.step({ kind: "start" }, 0);
    one.step({ kind: "time" }, 1_250);
    const outputs = one.step({ kind: "lock_acquired", at: SINCE }, 1_250);
    expect(outputs.map(inWords)).toEqual(["info Server is active", "send_heartbeat", "activate"]);
    expect(one.state).toEqual({ kind: "active", phase: "activating", since: SINCE });
    const sent = outputs.find((output) => output.kind === "send_heartbeat");
    expect(readHeartbeat(sent?.payload ?? new Uint8Array())).toEqual({
      kind: "heartbeat",
      serverId: ID,
      activeSince: 1_700_000_000_000_000_500n,
    });
  });

  it("sends a heartbeat every interval, during the activation and afterwards", () => {
    const one = active();
    expect(one.deadline).toBe(2_250);
    expect(step(one, { kind: "time" }, 2_249)).toEqual([]);
    expect(step(one, { kind: "time" }, 2_250)).toEqual(["send_heartbeat"]);
    expect(step(one, { kind: "activated" }, 3_000)).toEqual([]);
    expect(one.state).toEqual({ kind: "active", phase: "serving", since: SINCE });
    expect(step(one, { kind: "time" }, 3_250)).toEqual(["send_heartbeat"]);
  });

  it("fails with status 1 when the activation fails, and is silent then", () => {
    const one = active();
    const reason = 'cluster ID "other" does not match recovered value of "test-cluster"';
    expect(step(one, { kind: "activation_failed", reason }, 1_300)).toEqual([`fatal ${reason}`, "activation_failed 1"]);
    const failure = { reason: "activation_failed", message: reason, exitStatus: 1 };
    expect(one.state).toEqual({ kind: "failed", failure });
    expect(one.deadline).toBeUndefined();
    expect(step(one, { kind: "time" }, 9_000)).toEqual([]);
    expect(step(one, { kind: "stop" }, 9_000)).toEqual([]);
    expect(one.state).toEqual({ kind: "failed", failure });
  });

  it("gives way with status 2 when the store has lost the lock", () => {
    const one = active();
    expect(step(one, { kind: "lock_lost" }, 1_300)).toEqual(["fatal lost store lock, aborting", "abort lock_lost 2"]);
    expect(one.state.kind).toBe("failed");
  });

  it("logs that heartbeats cannot be sent, with back-off, and goes on", () => {
    const one = active();
    const logged: number[] = [];
    for (let now = 2_250; now < 40_000; now += 1_000) {
      expect(step(one, { kind: "time" }, now)).toEqual(["send_heartbeat"]);
      const outputs = step(one, { kind: "heartbeat_failed", reason: "bus is disconnected" }, now);
      if (outputs.length > 0) {
        logged.push(now);
        expect(outputs).toEqual(["error Unable to send FT heartbeat: bus is disconnected"]);
      }
    }
    expect(logged).toEqual([2_250, 3_250, 5_250, 9_250, 17_250, 33_250]);
    expect(one.state.kind).toBe("active");
  });

  it("sends a heartbeat as soon as the line is up again", () => {
    const one = active();
    expect(step(one, { kind: "connected" }, 1_700)).toEqual(["send_heartbeat"]);
    expect(step(one, { kind: "connected" }, 1_750)).toEqual([]);
    expect(one.deadline).toBe(1_800);
  });
});

describe("an active that hears another one", () => {
  const LATER = `error ft: serverID "${PEER}" claims to be active`;

  it("ignores its own heartbeats and what is none", () => {
    const one = active();
    const partitioning = encodeCtrlMsg({ msgType: CtrlMsgType.partitioning, serverId: PEER });
    for (const payload of [encodeHeartbeat(ID, SINCE), new Uint8Array(), Buffer.from("hello"), partitioning]) {
      expect(step(one, heard(payload), 1_500)).toEqual([]);
    }
    expect(one.deadline).toBe(2_250);
  });

  it("FT-12 goes on after an empty payload, one that is no protobuf, and one whose time is unreadable", () => {
    const one = active();
    const unreadable = encodeCtrlMsg({ msgType: CtrlMsgType.ftHeartbeat, serverId: PEER, data: Buffer.from("x") });
    expect(step(one, heard(new Uint8Array()), 1_400)).toEqual([]);
    expect(step(one, heard(Buffer.from("not a protobuf")), 1_400)).toEqual([]);
    expect(step(one, heard(unreadable), 1_400)).toEqual([
      "error Error decoding activation time: activation time has the unknown version 120",
      "send_heartbeat",
    ]);
    expect(one.state.kind).toBe("active");
  });

  it("stays and answers at once when the other one is active since later", () => {
    const one = active();
    expect(step(one, claim(0, SINCE.nanos + 1), 1_400)).toEqual([LATER, "send_heartbeat"]);
    expect(one.state.kind).toBe("active");
  });

  it("stays when both are active since the same nanosecond", () => {
    const one = active();
    expect(step(one, claim(0), 1_400)).toEqual([LATER, "send_heartbeat"]);
    expect(one.state.kind).toBe("active");
  });

  it("gives way with status 2 when the other one is active since a nanosecond earlier", () => {
    const one = active();
    const text = `ft: serverID "${PEER}" claims to be active, aborting`;
    expect(step(one, claim(0, SINCE.nanos - 1), 1_400)).toEqual([`fatal ${text}`, "abort earlier_active 2"]);
    expect(one.state).toEqual({
      kind: "failed",
      failure: { reason: "earlier_active", message: text, exitStatus: 2 },
    });
    expect(one.deadline).toBeUndefined();
  });

  it("answers at most once per 100 milliseconds, and does answer the last one", () => {
    const one = active();
    let sent = 0;
    for (let now = 1_250; now < 2_250; now += 5) {
      const outputs = step(one, claim(1), now);
      sent += outputs.filter((output) => output === "send_heartbeat").length;
    }
    expect(sent).toBe(9);
    expect(one.deadline).toBe(2_250);
    expect(step(one, { kind: "time" }, 2_250)).toEqual(["send_heartbeat"]);
    expect(one.deadline).toBe(3_250);
  });

  it("complains with back-off, and about many at most once a second", () => {
    const one = active();
    const lines: string[] = [];
    for (let i = 0; i < 1_000; i++) lines.push(...step(one, claim(1, 0, `forged${i}`), 1_250 + 10 * i));
    expect(lines.filter((line) => line.startsWith("error ft: serverID"))).toHaveLength(10);
  });

  it("cuts and escapes a forged name", () => {
    const one = active();
    const [line] = step(one, claim(1, 0, `a"\n${"x".repeat(1_000)}`), 1_400);
    expect(line).toMatch(/^error ft: serverID "a\\"\\nx{253}\.\.\." claims to be active$/);
  });
});

describe("an active that has just got the lock", () => {
  const CLAIM = `error ft: serverID "${PEER}" claims to be active`;
  const fresh = (): Member => {
    const one = member();
    one.step({ kind: "start" }, -1_250);
    one.step({ kind: "time" }, 0);
    one.step({ kind: "lock_acquired", at: SINCE }, 0);
    return one;
  };

  it("does not give way to what the former active sent last, and answers it", () => {
    const one = fresh();
    expect(one.deadline).toBe(250);
    expect(step(one, claim(-60_000), 5)).toEqual([CLAIM]);
    expect(one.deadline).toBe(100);
    expect(step(one, { kind: "time" }, 100)).toEqual(["send_heartbeat"]);
    expect(step(one, claim(-60_000), 249)).toEqual(["send_heartbeat"]);
    expect(step(one, { kind: "time" }, 250)).toEqual([]);
    expect(one.state.kind).toBe("active");
    expect(one.deadline).toBe(1_249);
  });

  it("gives way after a quarter of a second to an earlier active that still answers", () => {
    const one = fresh();
    let now = 0;
    // The other one is a millisecond away and answers each heartbeat.
    for (let answer: number | undefined = 1; one.state.kind === "active" && now < 2_000; now++) {
      const outputs = now === answer ? step(one, claim(-60_000), now) : step(one, { kind: "time" }, now);
      if (outputs.includes("send_heartbeat")) answer = now + 2;
    }
    expect(one.state).toMatchObject({ kind: "failed", failure: { reason: "earlier_active" } });
    expect(now).toBeLessThan(400);
  });

  it("gives way at once from the quarter of a second on", () => {
    expect(step(fresh(), claim(-1), 250)).toContain("abort earlier_active 2");
  });

  it("takes the quarter of a second anew when its recovery has kept it from reading what came", () => {
    const one = fresh();
    expect(step(one, claim(-60_000), 900)).toEqual([CLAIM, "send_heartbeat"]);
    expect(step(one, { kind: "time" }, 1_150)).toEqual([]);
    expect(step(one, claim(-60_000), 1_151)).toContain("abort earlier_active 2");
  });
});

describe("an active that stood still", () => {
  it("keeps its heartbeats back for as long as a standby waits, so that the store can notice a lost lock first", () => {
    const one = active();
    one.step({ kind: "activated" }, 1_300);
    const late = step(one, { kind: "time" }, 11_250);
    expect(late).toEqual([
      "warn ft: this server stood still for 9s; its heartbeats resume in 1.25s, unless the store lock is lost",
    ]);
    expect(one.deadline).toBe(12_500);
    expect(step(one, { kind: "time" }, 12_500)).toEqual(["send_heartbeat"]);
  });

  it("does not answer the one that took over meanwhile, whichever comes first", () => {
    const one = active();
    expect(step(one, claim(8_000), 11_250)).toEqual([
      "warn ft: this server stood still for 9s; its heartbeats resume in 1.25s, unless the store lock is lost",
      `error ft: serverID "${PEER}" claims to be active`,
    ]);
    expect(step(one, { kind: "connected" }, 11_300)).toEqual([]);
    expect(step(one, { kind: "lock_lost" }, 11_400)).toContain("abort lock_lost 2");
  });

  it("is held up from the moment in which it wakes, noticed or not, until its heartbeats resume", () => {
    const one = active();
    expect([one.isHeldUp(2_300), one.isHeldUp(11_250)]).toEqual([false, true]);
    step(one, { kind: "time" }, 11_250);
    expect([one.isHeldUp(12_499), one.isHeldUp(12_500)]).toEqual([true, false]);
  });

  it("takes a delay that no standby would notice for none", () => {
    const one = active();
    expect(step(one, { kind: "time" }, 3_500)).toEqual(["send_heartbeat"]);
  });
});

describe("a member that is stopped", () => {
  it("is stopped from every state, and answers nothing any more", () => {
    const standby = member();
    standby.step({ kind: "start" }, 0);
    const trying = member();
    trying.step({ kind: "start" }, 0);
    trying.step({ kind: "time" }, 1_250);
    for (const one of [member(), standby, trying, active()]) {
      expect(step(one, { kind: "stop" }, 2_000)).toEqual([]);
      expect(one.state).toEqual({ kind: "stopped" });
      expect(one.deadline).toBeUndefined();
      expect(step(one, { kind: "lock_acquired", at: SINCE }, 2_001)).toEqual([]);
      expect(step(one, claim(-1), 2_002)).toEqual([]);
      expect(one.state).toEqual({ kind: "stopped" });
    }
  });
});
