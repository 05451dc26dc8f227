import { CtrlMsgType, encodeCtrlMsg } from "@nats-streaming/protocol/spb";
import { describe, expect, it } from "vitest";
import { encodeHeartbeat, readHeartbeat } from "./heartbeat.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));

/** A heartbeat of the original, up to the time zone. */
const CAPTURED = `0803 1216 ${Buffer.from("ZCsrbuv43cvu8dgvQ1EMbv").toString("hex")} 1a0f 01 0000000ee294eaa9 003789db`;
const CAPTURED_NANOS = 1_795_355_561_003_639_771n;

describe("a heartbeat", () => {
  it("is read as the original sends it, whatever its zone", () => {
    for (const zone of ["0000", "ffff", "003c", "fe20"]) {
      expect(readHeartbeat(hex(`${CAPTURED} ${zone}`))).toEqual({
        kind: "heartbeat",
        serverId: "ZCsrbuv43cvu8dgvQ1EMbv",
        activeSince: CAPTURED_NANOS,
      });
    }
  });

  it("is read with an activation time of version 2", () => {
    const data = hex("02 0000000ee294eaa9 003789db 003c 1e");
    const payload = encodeCtrlMsg({ msgType: CtrlMsgType.ftHeartbeat, serverId: "peer", data });
    expect(readHeartbeat(payload)).toEqual({ kind: "heartbeat", serverId: "peer", activeSince: CAPTURED_NANOS });
  });

  it("is written as the original writes it, with the zone UTC", () => {
    const since = { millis: Number(CAPTURED_NANOS / 1_000_000n), nanos: Number(CAPTURED_NANOS % 1_000_000n) };
    const bytes = encodeHeartbeat("ZCsrbuv43cvu8dgvQ1EMbv", since);
    expect(bytes).toHaveLength(43);
    expect(Buffer.from(bytes)).toEqual(Buffer.from(hex(`${CAPTURED} ffff`)));
  });

  it("is nothing when it is empty, no protobuf, or of another type", () => {
    const partitioning = encodeCtrlMsg({ msgType: CtrlMsgType.partitioning, serverId: "peer" });
    for (const payload of [new Uint8Array(), hex("ff"), Buffer.from("hello"), partitioning]) {
      expect(readHeartbeat(payload)).toEqual({ kind: "nothing" });
    }
  });

  it("is nothing or unreadable when it is cut anywhere", () => {
    const whole = hex(`${CAPTURED} ffff`);
    for (let length = 0; length < whole.length; length++) {
      expect(["nothing", "unreadable"], `${length} bytes`).toContain(readHeartbeat(whole.subarray(0, length)).kind);
    }
  });

  it("names its sender when its activation time cannot be read", () => {
    const payload = encodeCtrlMsg({ msgType: CtrlMsgType.ftHeartbeat, serverId: "peer", data: hex("0102") });
    expect(readHeartbeat(payload)).toEqual({
      kind: "unreadable",
      serverId: "peer",
      reason: "activation time has 2 bytes instead of 15",
    });
  });
});
